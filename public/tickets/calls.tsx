import type { Ticket, TicketRecording } from '../api/types.js';
import { clock, day, phone, time } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { LinkByHand } from './link.js';
import { Linked } from './linked.js';
import { MiniPlayer } from './mini-player.js';

function described(call: TicketRecording) {
  const { number, name } = call.caller;
  return {
    id: call.id,
    what: `${day(call.startedAt)} ${time(call.startedAt)}`,
    href: `/recordings/${call.id}`,
    about: [name ?? (number === null ? t('value.noNumber') : phone(number)), call.agent, clock(call.durationMs)].filter(Boolean).join(' · '),
    basis: call.basis,
  };
}

/** The calls beside a ticket, each to be heard there. */
export function Calls({ ticket, changed }: { ticket: Ticket; changed: () => void }) {
  const { id: ticketId, recordings, retainUntil } = ticket;
  return (
    <Linked<TicketRecording>
      linked={recordings.map((call) => ({
        ...described(call),
        reason: call.reason,
        linkedBy: call.linkedBy,
        callUntil: call.retainUntil,
        ticketUntil: retainUntil,
      }))}
      none={<p class="muted side-note">{t('ticket.noCalls')}</p>}
      pairWith={(recordingId) => ({ ticketId, recordingId })}
      suggestions={{ path: `/tickets/${ticketId}/suggestions`, read: described }}
      within={(id) => {
        const call = recordings.find((each) => each.id === id);
        return call && <MiniPlayer call={call} />;
      }}
      byHand={(close) => <LinkCall ticketId={ticketId} close={close} changed={changed} />}
      changed={changed}
    />
  );
}

const idIn = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

interface LinkCallProps {
  ticketId: string;
  close: () => void;
  changed: () => void;
}

function LinkCall({ ticketId, close, changed }: LinkCallProps) {
  return (
    <LinkByHand
      field="recording"
      check={(typed) => (idIn.test(typed) ? undefined : t('link.recordingWrong'))}
      pair={(typed) => Promise.resolve({ ticketId, recordingId: idIn.exec(typed)?.[0] ?? '' })}
      close={close}
      changed={changed}
    >
      {(of) => (
        <Field {...of('recording')} label={t('link.recording')} hint={t('link.recordingHint')}>
          {(wiring) => <input class="input" autocomplete="off" aria-required="true" {...wiring} />}
        </Field>
      )}
    </LinkByHand>
  );
}
