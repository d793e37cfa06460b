import type { ComponentChildren } from 'preact';
import { ask } from '../api/client.js';
import type { Message, Ticket } from '../api/types.js';
import { clock, day, longDay, moment, phone, time } from '../format.js';
import { t } from '../i18n.js';
import { Badge, RetentionBadge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import type { ScreenProps } from '../shell/screens.js';
import { Hidden, TicketStatus } from './screen.js';
import './tickets.css';

/** One ticket: the thread for who may read it, beside the calls that belong to it. */
export function TicketScreen({ id }: ScreenProps) {
  const path = `/tickets/${encodeURIComponent(id)}`;
  const found = useLoaded(path, (signal) => ask<Ticket>(path, { signal }));
  if (found.state === 'failed') {
    return (
      <>
        <PageHead title={t('ticket.title')} />
        {found.problem.status === 410 ? (
          <State icon="bin" title={t('gone.titleUndated')}>
            <p>{t('gone.ticketWhy')}</p>
          </State>
        ) : (
          <Failure problem={found.problem} again={found.again} />
        )}
      </>
    );
  }
  if (found.state === 'loading') return <Bones count={6} />;
  const ticket = found.value;
  return (
    <>
      <div class="way">
        <a class="button quiet small" href="/tickets">
          <Icon name="back" />
          {t('tickets.title')}
        </a>
      </div>
      <PageHead
        title={ticket.subject ?? t('ticket.number', { number: ticket.number })}
        tab={t('ticket.number', { number: ticket.number })}
      >
        <TicketStatus ticket={ticket} />
        {ticket.retainUntil && <RetentionBadge retainUntil={ticket.retainUntil} held={ticket.held} />}
      </PageHead>
      <div class="ticket-columns">
        <Thread messages={ticket.messages} />
        <aside class="ticket-side">
          <section class="panel" aria-labelledby="calls">
            <h2 id="calls">{t('ticket.calls')}</h2>
            <Calls ticket={ticket} />
            <p class="muted side-note">{t('ticket.clocks')}</p>
          </section>
          <section class="panel" aria-labelledby="facts">
            <h2 id="facts">{t('side.details')}</h2>
            <dl class="details">
              <Fact name={t('tickets.number')}>{ticket.number}</Fact>
              <Fact name={t('tickets.requester')}>
                <Requester ticket={ticket} />
              </Fact>
              <Fact name={t('tickets.category')}>{t(`category.${ticket.category}`)}</Fact>
              <Fact name={t('tickets.created')}>{moment(ticket.createdAt)}</Fact>
              {ticket.closedAt && <Fact name={t('ticket.closed')}>{moment(ticket.closedAt)}</Fact>}
              {ticket.retainUntil && <Fact name={t('detail.kept')}>{longDay(ticket.retainUntil)}</Fact>}
            </dl>
          </section>
        </aside>
      </div>
    </>
  );
}

function Thread({ messages }: { messages: Message[] | undefined }) {
  if (!messages || messages.every((message) => message.body === null)) {
    return (
      <div class="panel">
        <State icon="hidden" title={t('ticket.textHidden')}>
          <p>{t('ticket.textHiddenWhy')}</p>
        </State>
      </div>
    );
  }
  return (
    <ol class="thread" aria-label={t('ticket.thread')}>
      {messages.map((message) => (
        <li key={message.id ?? message.externalId ?? message.at} class={`message from-${message.from}${message.internal ? ' internal' : ''}`}>
          <header>
            <Icon name={message.from === 'customer' ? 'person' : 'solo'} />
            <strong>{t(`ticket.from.${message.from}`)}</strong>
            {message.internal && (
              <Badge icon="hidden" tone="warn">
                {t('ticket.internal')}
              </Badge>
            )}
            <time class="muted" dateTime={message.at}>
              {moment(message.at)}
            </time>
          </header>
          <p>{plainText(message)}</p>
        </li>
      ))}
    </ol>
  );
}

/** The words of a message. Mark-up is read, not shown, so that nothing of it runs or loads. */
function plainText({ body, contentType }: Message): string {
  if (body === null) return '';
  if (contentType !== 'text/html') return body;
  const spaced = body.replace(/<(?:br|\/p|\/div|\/li|\/tr)\b[^>]*>/gi, '\n$&');
  const read = new DOMParser().parseFromString(spaced, 'text/html');
  for (const unread of read.querySelectorAll('script, style, template')) unread.remove();
  return read.body.textContent.trim();
}

function Calls({ ticket }: { ticket: Ticket }) {
  const { recordings = [] } = ticket;
  if (recordings.length === 0) return <p class="muted side-note">{t('ticket.noCalls')}</p>;
  return (
    <ul class="side-list">
      {recordings.map((call) => (
        <li key={call.id}>
          <a href={`/recordings/${call.id}`}>
            {call.startedAt ? `${day(call.startedAt)} ${time(call.startedAt)}` : t('ticket.call')}
          </a>
          <span class="muted">
            {[typeof call.durationMs === 'number' ? clock(call.durationMs) : undefined, call.agent].filter(Boolean).join(' · ')}
          </span>
          {call.retainUntil && <RetentionBadge retainUntil={call.retainUntil} plain />}
        </li>
      ))}
    </ul>
  );
}

function Requester({ ticket: { requester } }: { ticket: Ticket }) {
  const lines = [requester?.name, requester?.organisation, requester?.email, requester?.phone && phone(requester.phone)];
  const known = lines.filter(Boolean);
  if (known.length === 0) return <Hidden />;
  return (
    <>
      {known.map((line) => (
        <span key={line} class="line">
          {line}
        </span>
      ))}
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
