import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Ticket, TicketRecording } from '../api/types.js';
import { clock, day, longDay, time } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { useLoaded } from '../parts/state.js';
import { useUser } from '../shell/user.js';
import { basisWords, linkByHand, Suggestion, Unlink } from './link.js';

const nameOf = (call: TicketRecording) => `${day(call.startedAt)} ${time(call.startedAt)}`;
const factsOf = (call: TicketRecording) => [clock(call.durationMs), call.agent].filter(Boolean).join(' · ');

/** The calls beside a ticket: with what each link rests on, both clocks, and what may belong to it. */
export function Calls({ ticket, changed }: { ticket: Ticket; changed: () => void }) {
  const user = useUser();
  const mayLink = user.role === 'trainer' || user.role === 'privacy_officer';
  const [unlinking, setUnlinking] = useState<TicketRecording | undefined>();
  const [linking, setLinking] = useState(false);
  const { id: ticketId, recordings, retainUntil } = ticket;
  return (
    <>
      {recordings.length === 0 && <p class="muted side-note">{t('ticket.noCalls')}</p>}
      {recordings.length > 0 && (
        <ul class="side-list">
          {recordings.map((call) => (
            <li key={call.id}>
              <a href={`/recordings/${call.id}`}>{nameOf(call)}</a>
              <span class="muted">{factsOf(call)}</span>
              <span class="muted">
                {t('ticket.linkedBy', { basis: basisWords(call.basis) })}
                {call.reason && ` (${call.reason})`}
              </span>
              <span class="clocks">
                <Icon name="clock" />
                <span>
                  <span class="line">{t('ticket.callClock', { date: longDay(call.retainUntil) })}</span>
                  <span class="line">{t('ticket.ownClock', { date: longDay(retainUntil) })}</span>
                </span>
              </span>
              {mayLink && (
                <span class="actions link-actions">
                  <button
                    type="button"
                    class="button quiet small"
                    aria-label={t('link.unlinkOf', { what: nameOf(call) })}
                    onClick={() => setUnlinking(call)}
                  >
                    {t('link.unlink')}
                  </button>
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      <p class="muted side-note">{t('ticket.clocks')}</p>
      {mayLink && (
        <>
          <Suggestions ticketId={ticketId} changed={changed} />
          <div class="side-foot">
            <button type="button" class="button small" onClick={() => setLinking(true)}>
              <Icon name="link" />
              {t('link.byHand')}
            </button>
          </div>
        </>
      )}
      {unlinking && (
        <Unlink
          pair={{ ticketId, recordingId: unlinking.id }}
          what={nameOf(unlinking)}
          close={() => setUnlinking(undefined)}
          done={changed}
        />
      )}
      {linking && <LinkCall ticketId={ticketId} close={() => setLinking(false)} done={changed} />}
    </>
  );
}

function Suggestions({ ticketId, changed }: { ticketId: string; changed: () => void }) {
  const path = `/tickets/${ticketId}/suggestions`;
  const found = useLoaded(path, (signal) => ask<{ items: TicketRecording[] }>(path, { signal }));
  // Suggestions are a help: without them one links by hand.
  if (found.state !== 'ready' || found.value.items.length === 0) return null;
  return (
    <section aria-labelledby="call-suggestions">
      <h2 id="call-suggestions" class="side-title">
        {t('link.suggested')}
      </h2>
      <ul class="side-list">
        {found.value.items.slice(0, 5).map((call) => (
          <Suggestion
            key={call.id}
            pair={{ ticketId, recordingId: call.id }}
            what={nameOf(call)}
            href={`/recordings/${call.id}`}
            about={factsOf(call)}
            basis={call.basis}
            done={changed}
          />
        ))}
      </ul>
      <p class="muted side-note">{t('link.suggestedWhy')}</p>
    </section>
  );
}

const idIn = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

function LinkCall({ ticketId, close, done }: { ticketId: string; close: () => void; done: () => void }) {
  return (
    <FormDialog
      title={t('link.byHand')}
      label={t('link.link')}
      prefix="link-"
      fields={['recording', 'reason']}
      check={(read) => (idIn.test(read('recording')) ? {} : { recording: t('link.recordingWrong') })}
      send={async (read) => {
        const recordingId = idIn.exec(read('recording'))?.[0] ?? '';
        await linkByHand({ ticketId, recordingId }, read('reason'));
        done();
      }}
      close={close}
    >
      {(of) => (
        <>
          <Field {...of('recording')} label={t('link.recording')} hint={t('link.recordingHint')}>
            {(wiring) => <input class="input" autocomplete="off" aria-required="true" {...wiring} />}
          </Field>
          <Field {...of('reason')} label={t('link.reason')} hint={t('link.reasonHint')}>
            {(wiring) => <textarea class="input" rows={2} maxLength={1000} {...wiring} />}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
