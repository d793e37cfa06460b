import type { TicketSummary } from '../api/types.js';
import { day, phone, time } from '../format.js';
import { plural, t, textOf } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { BoneRows, Failure, State } from '../parts/state.js';
import { go, place } from '../shell/router.js';
import { useUser } from '../shell/user.js';
import '../recordings/recordings.css';
import './tickets.css';

/** What of a search may stand in the address. */
const inAddress = ['number', 'from', 'to'];

/** Tickets, newest first. What names a person stays out of the address; a ticket's number may stand in it. */
export function Tickets() {
  const user = useUser();
  const here = place.value;
  const [number = '', from = '', to = ''] = inAddress.map((name) => here.query.get(name) ?? '');
  const { q = '', email = '', phone: telephone = '' } = here.kept;
  const query = { number, from, to, q, email, phone: telephone };
  const key = JSON.stringify(query);
  const pages = usePages<TicketSummary>('/tickets', query);
  const { first, items } = pages;
  const searched = Object.values(query).some((value) => value !== '');

  function search(form: HTMLFormElement) {
    const data = new FormData(form);
    const read = (name: string) => String(data.get(name) ?? '').trim();
    const kept: Record<string, string> = {};
    for (const name of ['q', 'email', 'phone']) if (read(name) !== '') kept[name] = read(name);
    const told = new URLSearchParams(inAddress.map((name) => [name, read(name)]).filter(([, value]) => value !== ''));
    go(told.size === 0 ? '/tickets' : `/tickets?${told.toString()}`, { replace: true, kept });
  }

  return (
    <>
      <PageHead title={t('tickets.title')} />
      <form
        key={key}
        class="filters"
        role="search"
        aria-label={t('tickets.search')}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          search(event.currentTarget);
        }}
      >
        <div class="filters-row">
          <Search name="number" label={t('filters.ticket')} value={number} />
          <Search name="from" type="date" label={t('filters.from')} value={from} />
          <Search name="to" type="date" label={t('filters.to')} value={to} />
          {user.role === 'privacy_officer' && (
            <>
              <Search name="q" label={t('tickets.text')} value={q} />
              <Search name="email" label={t('tickets.email')} value={email} />
              <Search name="phone" label={t('filters.number')} value={telephone} />
            </>
          )}
          <div class="actions filters-actions">
            <button type="submit" class="button primary">
              {t('filters.search')}
            </button>
            {searched && (
              <button type="button" class="button quiet" onClick={() => go('/tickets', { replace: true })}>
                {t('filters.clear')}
              </button>
            )}
          </div>
        </div>
      </form>
      <div class="panel">
        {first.state === 'failed' && <Failure problem={first.problem} again={first.again} />}
        {first.state === 'ready' && items.length === 0 && (
          <State icon={searched ? 'filter' : 'ticket'} title={t(searched ? 'tickets.noneFound' : 'tickets.none')}>
            <p>{t(searched ? 'tickets.noneFoundWhy' : 'tickets.noneWhy')}</p>
          </State>
        )}
        {(first.state === 'loading' || items.length > 0) && (
          <>
            <table class="table" role="table" aria-label={t('tickets.title')} aria-busy={first.state === 'loading'}>
              <thead role="rowgroup">
                <tr role="row">
                  {(['number', 'subject', 'requester', 'category', 'status', 'created'] as const).map((column) => (
                    <th key={column} role="columnheader" scope="col">
                      {t(`tickets.${column}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody role="rowgroup">
                {first.state === 'loading' ? (
                  <BoneRows columns={[50, 90, 70, 60, 50, 70]} />
                ) : (
                  items.map((ticket) => <Row key={ticket.id} ticket={ticket} />)
                )}
              </tbody>
            </table>
            <More pages={pages} shown={plural('tickets.shown', items.length)} />
          </>
        )}
      </div>
    </>
  );
}

function Search({ name, label, value, type = 'text' }: { name: string; label: string; value: string; type?: 'text' | 'date' }) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {type === 'date' ? (
        <input type="date" class="input" id={name} name={name} defaultValue={value} />
      ) : (
        <input class="input" id={name} name={name} autocomplete="off" defaultValue={value} />
      )}
    </div>
  );
}

function Row({ ticket }: { ticket: TicketSummary }) {
  const { name, organisation, phone: number } = ticket.requester ?? {};
  const who = name ?? organisation ?? (number && phone(number));
  return (
    <tr role="row">
      <td role="cell">
        <a class="row-link" href={`/tickets/${ticket.id}`}>
          {ticket.number}
        </a>
      </td>
      <td role="cell" class="wide">
        {ticket.subject ?? <Hidden />}
      </td>
      <td role="cell" data-label={t('tickets.requester')}>
        {who ?? <Hidden />}
      </td>
      <td role="cell" data-label={t('tickets.category')}>
        {t(`category.${ticket.category}`)}
      </td>
      <td role="cell">
        <TicketStatus ticket={ticket} />
      </td>
      <td role="cell" class="nowrap" data-label={t('tickets.created')}>
        {day(ticket.createdAt)} {time(ticket.createdAt)}
      </td>
    </tr>
  );
}

/** What this role may not see: said, not left blank. */
export function Hidden() {
  return (
    <span class="muted hidden-value">
      <Icon name="hidden" />
      {t('value.hidden')}
    </span>
  );
}

/** Open or closed; the helpdesk's own word where it is known. */
export function TicketStatus({ ticket }: { ticket: TicketSummary }) {
  const closed = ticket.closedAt !== null || ticket.status === 'closed';
  return (
    <Badge icon={closed ? 'ok' : 'clock'} tone={closed ? 'ok' : 'neutral'} plain>
      {textOf(`ticketStatus.${ticket.status}`) ?? ticket.status}
    </Badge>
  );
}
