import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Basis, Page, Recording, TicketLink, TicketSummary } from '../api/types.js';
import { day, longDay } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog, WrongField } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { State, useLoaded } from '../parts/state.js';
import { useUser } from '../shell/user.js';
import { basisWords, linkByHand, Suggestion, Unlink } from './link.js';
import './tickets.css';

interface Suggested {
  id: string;
  number: string;
  subject: string | null;
  createdAt: string;
  basis: Basis[];
}

/** The tickets beside a call: with what each link rests on, both clocks, and what may belong to it. */
export function LinkedTickets({ recording, changed }: { recording: Recording; changed: () => void }) {
  const user = useUser();
  const mayLink = user.role === 'trainer' || user.role === 'privacy_officer';
  const [unlinking, setUnlinking] = useState<TicketLink | undefined>();
  const [linking, setLinking] = useState(false);
  const { id: recordingId, tickets, retainUntil } = recording;
  const numberOf = (number: string) => t('ticket.number', { number });
  return (
    <>
      {tickets.length === 0 ? (
        <State icon="ticket" title={t('side.noTickets')}>
          <p>{t('side.noTicketsWhy')}</p>
        </State>
      ) : (
        <ul class="side-list">
          {tickets.map((ticket) => (
            <li key={ticket.id}>
              <a href={`/tickets/${ticket.id}`}>{numberOf(ticket.number)}</a>
              {ticket.subject && <span>{ticket.subject}</span>}
              <span class="muted">{t('ticket.linkedBy', { basis: basisWords(ticket.basis) })}</span>
              <span class="clocks">
                <Icon name="clock" />
                <span>
                  <span class="line">{t('ticket.ownClock', { date: longDay(ticket.retainUntil) })}</span>
                  <span class="line">{t('ticket.callClock', { date: longDay(retainUntil) })}</span>
                </span>
              </span>
              {mayLink && (
                <span class="actions link-actions">
                  <button
                    type="button"
                    class="button quiet small"
                    aria-label={t('link.unlinkOf', { what: numberOf(ticket.number) })}
                    onClick={() => setUnlinking(ticket)}
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
          <Suggestions key={tickets.map(({ id }) => id).join()} recordingId={recordingId} changed={changed} />
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
          pair={{ ticketId: unlinking.id, recordingId }}
          what={numberOf(unlinking.number)}
          close={() => setUnlinking(undefined)}
          done={() => {
            setUnlinking(undefined);
            changed();
          }}
        />
      )}
      {linking && (
        <LinkTicket
          recordingId={recordingId}
          close={() => setLinking(false)}
          done={() => {
            setLinking(false);
            changed();
          }}
        />
      )}
    </>
  );
}

function Suggestions({ recordingId, changed }: { recordingId: string; changed: () => void }) {
  const path = `/recordings/${recordingId}/ticket-suggestions`;
  const found = useLoaded(path, (signal) => ask<{ items: Suggested[] }>(path, { signal }));
  // Suggestions are a help: without them one links by hand.
  if (found.state !== 'ready' || found.value.items.length === 0) return null;
  return (
    <section aria-labelledby="ticket-suggestions">
      <h2 id="ticket-suggestions" class="side-title">
        {t('link.suggested')}
      </h2>
      <ul class="side-list">
        {found.value.items.slice(0, 5).map(({ id, number, subject, createdAt, basis }) => (
          <Suggestion
            key={id}
            pair={{ ticketId: id, recordingId }}
            what={t('ticket.number', { number })}
            href={`/tickets/${id}`}
            about={[subject, day(createdAt)].filter(Boolean).join(' · ')}
            basis={basis}
            done={() => {
              found.again();
              changed();
            }}
          />
        ))}
      </ul>
      <p class="muted side-note">{t('link.suggestedWhy')}</p>
    </section>
  );
}

function LinkTicket({ recordingId, close, done }: { recordingId: string; close: () => void; done: () => void }) {
  return (
    <FormDialog
      title={t('link.byHand')}
      label={t('link.link')}
      prefix="link-"
      fields={['number', 'reason']}
      check={(read) => (read('number') === '' ? { number: t('link.ticketMissing') } : {})}
      send={async (read) => {
        const number = read('number').replace(/^#/, '');
        const { items } = await ask<Page<TicketSummary>>('/tickets', { query: { number, limit: 2 } });
        const [ticket] = items;
        if (!ticket) throw new WrongField('number', t('link.ticketUnknown'));
        await linkByHand({ ticketId: ticket.id, recordingId }, read('reason'));
        done();
      }}
      close={close}
    >
      {(of) => (
        <>
          <Field {...of('number')} label={t('link.ticketNumber')}>
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
