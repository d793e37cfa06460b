import type { ComponentChildren } from 'preact';
import { ask } from '../api/client.js';
import type { Ticket } from '../api/types.js';
import { longDay, moment, phone } from '../format.js';
import { HoldsHere } from '../holds/here.js';
import { t } from '../i18n.js';
import { RetentionBadge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import type { ScreenProps } from '../shell/screens.js';
import { useUser } from '../shell/user.js';
import { Calls } from './calls.js';
import { FlagTicket } from './flag.js';
import { Hidden, TicketStatus } from './screen.js';
import { Thread } from './thread.js';
import './tickets.css';

/** One ticket: the thread for who may read it, beside the calls that belong to it. */
export function TicketScreen({ id }: ScreenProps) {
  const user = useUser();
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
  if (found.state === 'loading')
    return (
      <>
        <PageHead title={t('ticket.title')} />
        <Bones count={6} />
      </>
    );
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
        <RetentionBadge retainUntil={ticket.retainUntil} held={ticket.held} />
      </PageHead>
      <div class="ticket-columns">
        <Thread ticket={ticket} readable={user.role === 'privacy_officer'} />
        <aside class="ticket-side">
          <section class="panel" aria-labelledby="calls">
            <h2 id="calls">{t('ticket.calls')}</h2>
            <Calls ticket={ticket} changed={found.again} />
          </section>
          <FlagTicket ticket={ticket} closed={found.again} />
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
              <Fact name={t('detail.kept')}>{longDay(ticket.retainUntil)}</Fact>
            </dl>
            {user.role === 'privacy_officer' && (
              <HoldsHere subject={{ ticketId: ticket.id }} changed={found.again} />
            )}
          </section>
        </aside>
      </div>
    </>
  );
}

function Requester({ ticket: { requester } }: { ticket: Ticket }) {
  const lines = [
    requester?.name,
    requester?.organisation,
    requester?.email,
    requester?.phone && phone(requester.phone),
  ];
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
