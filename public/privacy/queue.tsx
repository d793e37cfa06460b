import { ask } from '../api/client.js';
import type { Page } from '../api/types.js';
import { longDay } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { BoneRows, Failure, State, useLoaded } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { go, place } from '../shell/router.js';
import { useUser } from '../shell/user.js';
import { Left } from './due.js';
import { inOrder, type RequestSummary } from './types.js';
import '../recordings/recordings.css';
import './privacy.css';

const empty: Page<RequestSummary> = { items: [], nextCursor: null };

/** The queue of requests: what loses its evidence first in a lane of its own, then everything by due date. */
export function Requests() {
  const user = useUser();
  const officer = user.role === 'privacy_officer';
  const closed = place.value.query.get('state') === 'closed';
  const asked = { state: closed ? 'closed' : 'open' };
  const pages = usePages<RequestSummary>('/privacy-requests', asked);
  const { first, items } = pages;
  const urgent = useLoaded(`urgent ${asked.state}`, (signal) =>
    closed
      ? Promise.resolve(empty)
      : ask<Page<RequestSummary>>('/privacy-requests', { query: { ...asked, limit: 50, urgent: true }, signal }),
  );
  // Owed to people whose requests may long be closed: shown beside what is open.
  const owed = useLoaded(`owed ${asked.state}`, (signal) =>
    closed
      ? Promise.resolve(empty)
      : ask<Page<RequestSummary>>('/privacy-requests', { query: { letterDue: true, limit: 50 }, signal }),
  );
  const lane = urgent.state === 'ready' ? urgent.value.items : [];
  const take = officer && (
    <a class="button primary" href="/privacy/new">
      <Icon name="plus" />
      {t('privacy.take')}
    </a>
  );
  const columns = (['due', 'left', 'reference', 'who', 'rights', 'state'] as const)
    .filter((name) => officer || name !== 'who')
    .map((name) => ({ name: t(`privacy.${name}`) }));
  return (
    <>
      <PageHead title={t('privacy.title')} lead={t('privacy.lead')}>
        <div class="segments" role="group" aria-label={t('privacy.filter')}>
          {[false, true].map((choice) => (
            <button
              key={String(choice)}
              type="button"
              aria-pressed={closed === choice}
              onClick={() => go(choice ? '/privacy?state=closed' : '/privacy', { replace: true })}
            >
              {t(choice ? 'privacy.closed' : 'privacy.open')}
            </button>
          ))}
        </div>
        <a class="button" href="/privacy/statistics">
          {t('statistics.title')}
        </a>
        {officer && (
          <a class="button" href="/privacy/letters">
            {t('templates.link')}
          </a>
        )}
        {take}
      </PageHead>
      {urgent.state === 'failed' && <Failure problem={urgent.problem} again={urgent.again} />}
      {lane.length > 0 && <UrgentLane lane={lane} />}
      {owed.state === 'failed' && <Failure problem={owed.problem} again={owed.again} />}
      {owed.state === 'ready' && owed.value.items.length > 0 && <LettersLane lane={owed.value.items} />}
      <div class="panel">
        {first.state === 'failed' && <Failure problem={first.problem} again={first.again} />}
        {first.state === 'ready' && items.length === 0 && (
          <State icon="mail" title={t(closed ? 'privacy.noneClosed' : 'privacy.none')} actions={!closed && take}>
            {!closed && <p>{t(officer ? 'privacy.noneWhy' : 'privacy.noneWhyReader')}</p>}
          </State>
        )}
        {(first.state === 'loading' || items.length > 0) && (
          <>
            <Table label={t('privacy.title')} columns={columns} busy={first.state === 'loading'}>
              {first.state === 'loading' ? (
                <BoneRows rows={5} columns={columns.map(() => 70)} />
              ) : (
                items.map((request) => <Row key={request.id} request={request} officer={officer} />)
              )}
            </Table>
            <More pages={pages} shown={plural('privacy.shown', items.length)} />
          </>
        )}
      </div>
    </>
  );
}

function UrgentLane({ lane }: { lane: RequestSummary[] }) {
  return (
    <section class="notice warn urgent-lane" aria-labelledby="urgent-title">
      <Icon name="warning" />
      <div>
        <h2 id="urgent-title">{t('privacy.urgent')}</h2>
        <ul>
          {lane.map((request) => (
            <li key={request.id}>
              <a href={`/privacy/${request.id}`}>{request.reference}</a>
              {request.nextExpiryAt && (
                <span>{t('privacy.urgentItem', { date: longDay(request.nextExpiryAt) })}</span>
              )}
              <span class="muted">{t(`step.${request.state}`)}</span>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

/** Whom a letter is owed about an erasure that was granted and had to wait. */
function LettersLane({ lane }: { lane: RequestSummary[] }) {
  return (
    <section class="notice warn urgent-lane" aria-labelledby="letters-due-title">
      <Icon name="mail" />
      <div>
        <h2 id="letters-due-title">{t('privacy.lettersDue')}</h2>
        <ul>
          {lane.map(({ id, reference, lettersDue }) => (
            <li key={id}>
              <a href={`/privacy/${id}`}>{reference}</a>
              <span>{lettersDue.map((due) => t(`notices.${due}`)).join(', ')}</span>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

function Row({ request, officer }: { request: RequestSummary; officer: boolean }) {
  const { id, reference, dueAt, requesterKind, subjectName, processes, state, extended, secret, outcome } = request;
  return (
    <tr role="row">
      <Cell wide className="nowrap">
        <strong>{longDay(dueAt)}</strong>
      </Cell>
      <Cell label={t('privacy.left')} className="nowrap">
        <Left request={request} plain />
      </Cell>
      <Cell label={t('privacy.reference')} className="nowrap">
        <a class="row-link" href={`/privacy/${id}`} id={`request-${id}`}>
          {reference}
        </a>
      </Cell>
      {officer && (
        <Cell label={t('privacy.who')}>
          {subjectName ?? t('privacy.nameless')}
          {requesterKind !== 'person' && <small class="line muted">{t(`asker.${requesterKind}`)}</small>}
        </Cell>
      )}
      <Cell label={t('privacy.rights')}>{inOrder(processes).map(({ right }) => t(`right.${right}`)).join(', ')}</Cell>
      <Cell label={t('privacy.state')}>
        <span class="marks">
          {state === 'draft' ? (
            <Badge icon="info" tone="warn" plain>
              {t('privacy.flagged')}
            </Badge>
          ) : (
            <span>{outcome === null ? t(`step.${state}`) : t(`closed.${outcome}`)}</span>
          )}
          {extended && (
            <Badge icon="later" plain>
              {t('privacy.extended')}
            </Badge>
          )}
          {secret && (
            <Badge icon="hidden" tone="hold" plain>
              {t('privacy.secret')}
            </Badge>
          )}
        </span>
      </Cell>
    </tr>
  );
}
