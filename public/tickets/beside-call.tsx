import { ask } from '../api/client.js';
import type { Basis, Page, Recording, TicketSummary } from '../api/types.js';
import { day } from '../format.js';
import { t } from '../i18n.js';
import { State } from '../parts/state.js';
import { Field } from '../parts/field.js';
import { WrongField } from '../parts/form.js';
import { LinkByHand } from './link.js';
import { Linked } from './linked.js';
import './tickets.css';

interface Suggested {
  id: string;
  number: string;
  subject: string | null;
  createdAt: string;
  basis: Basis[];
}

const named = ({ id, number }: { id: string; number: string }) => ({
  id,
  what: t('ticket.number', { number }),
  href: `/tickets/${id}`,
});

/** The tickets beside a call. */
export function LinkedTickets({ recording, changed }: { recording: Recording; changed: () => void }) {
  const { id: recordingId, tickets, retainUntil } = recording;
  return (
    <Linked<Suggested>
      linked={tickets.map((ticket) => ({
        ...named(ticket),
        about: ticket.subject ?? '',
        basis: ticket.basis,
        callUntil: retainUntil,
        ticketUntil: ticket.retainUntil,
      }))}
      none={
        <State icon="ticket" title={t('side.noTickets')}>
          <p>{t('side.noTicketsWhy')}</p>
        </State>
      }
      pairWith={(ticketId) => ({ ticketId, recordingId })}
      suggestions={{
        path: `/recordings/${recordingId}/ticket-suggestions`,
        read: ({ subject, createdAt, basis, ...ticket }) => ({
          ...named(ticket),
          about: [subject, day(createdAt)].filter(Boolean).join(' · '),
          basis,
        }),
      }}
      byHand={(close) => <LinkTicket recordingId={recordingId} close={close} changed={changed} />}
      changed={changed}
    />
  );
}

interface LinkTicketProps {
  recordingId: string;
  close: () => void;
  changed: () => void;
}

function LinkTicket({ recordingId, close, changed }: LinkTicketProps) {
  return (
    <LinkByHand
      field="number"
      check={(number) => (number === '' ? t('link.ticketMissing') : undefined)}
      pair={async (typed) => {
        const { items } = await ask<Page<TicketSummary>>('/tickets', { query: { number: typed.replace(/^#/, ''), limit: 2 } });
        const [ticket] = items;
        if (!ticket) throw new WrongField('number', t('link.ticketUnknown'));
        return { ticketId: ticket.id, recordingId };
      }}
      close={close}
      changed={changed}
    >
      {(of) => (
        <Field {...of('number')} label={t('link.ticketNumber')}>
          {(wiring) => <input class="input" autocomplete="off" aria-required="true" {...wiring} />}
        </Field>
      )}
    </LinkByHand>
  );
}
