import { address } from '../api/client.js';
import { clock, longDay, moment, phone } from '../format.js';
import { language, plural, t, textOf } from '../i18n.js';
import { Badge, RetentionBadge } from '../parts/badge.js';
import { Icon } from '../parts/icon.js';
import { inOrder, type Decision, type Item, type RequestFile, type Right, type Verdict } from './types.js';

/** How a thing that was found is called. */
export function itemTitle(item: Item): string {
  return item.kind === 'recording'
    ? item.startedAt ? t('item.recording', { when: moment(item.startedAt) }) : t('item.recordingGone')
    : item.number === null && !item.available ? t('item.ticketGone') : t('item.ticket', { number: item.number ?? t('value.unknown') });
}

/** The same within a sentence: "gesprek van 4 september". */
export function itemWithin(item: Item): string {
  const title = itemTitle(item);
  return title.charAt(0).toLocaleLowerCase(language.value) + title.slice(1);
}

/** "3 opnames", "1 ticket": how much was found, to be put into a sentence. */
export const countsOf = (found: { recordings: number; tickets: number }) => ({
  recordings: plural('find.recordings', found.recordings),
  tickets: plural('find.ticketsFound', found.tickets),
});

/** A decision in the words of its right: erasure is not disclosed but carried out. */
export function verdictText(right: Right, verdict: Verdict): string {
  return textOf(`decide.${verdict}.${right}`) ?? t(`decide.${verdict}`);
}

interface Props {
  file: RequestFile;
  item: Item;
  officer: boolean;
  nameOf: (id: string | null) => string;
  judge: (() => void) | undefined;
  /** Whether it is among those that are judged together; none where it cannot be. */
  chosen: { is: boolean; set: (on: boolean) => void } | undefined;
}

/** One thing that was found: what it is, why it was found, how long it is there, and what was decided. */
export function ItemCard({ file, item, officer, nameOf, judge, chosen }: Props) {
  const title = itemTitle(item);
  const who = item.kind === 'recording' ? [item.callerName, item.caller && phone(item.caller)] : [item.requesterName];
  const to = item.recordingId ? `/recordings/${item.recordingId}` : `/tickets/${item.ticketId ?? ''}`;
  const decided = item.decisions.length > 0 || item.confirmed === false;
  const preview = item.decisions.some(({ right, decision }) => right === 'access' && decision !== 'refuse');
  return (
    <li class={`item${item.confirmed === false ? ' not-theirs' : ''}`}>
      <div class="item-head">
        {chosen && (
          <input
            type="checkbox"
            class="item-choice"
            aria-label={t('bulk.chooseOf', { item: title })}
            checked={chosen.is}
            onChange={(event) => chosen.set(event.currentTarget.checked)}
          />
        )}
        <Icon name={item.kind === 'recording' ? 'recordings' : 'ticket'} />
        <h3>{title}</h3>
        {item.durationMs !== null && item.kind === 'recording' && <span class="muted">{clock(item.durationMs)}</span>}
        <Confirmation item={item} />
      </div>
      <p class="item-facts">
        {[
          who.filter(Boolean).join(', '),
          item.agent && t('item.with', { agent: item.agent }),
          item.subject,
          item.createdAt && longDay(item.createdAt),
          t('item.ground', { article: item.legalGround }),
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
      <p class="marks">
        <span class="muted">{t('item.basis')}:</span>{' '}
        {item.basis.map((basis) => textOf(`foundBy.${basis}`) ?? basis).join(', ')}
        {item.retainUntil && <RetentionBadge retainUntil={item.retainUntil} held={item.held} />}
        {item.hasAgreement && <Badge icon="agreement">{t('item.agreement')}</Badge>}
        {item.restricted && (
          <Badge icon="restricted" tone="warn">
            {t('item.restricted')}
          </Badge>
        )}
      </p>
      {item.sharedNumber && item.confirmed !== false && (
        <p class={item.confirmed === null ? 'shared-number' : 'shared-number known'}>
          <Icon name={item.confirmed === null ? 'warning' : 'info'} />
          {item.confirmed === null ? <strong>{t('find.shared')}</strong> : <span>{t('find.sharedKnown')}</span>}
        </p>
      )}
      {item.decisions.length > 0 && (
        <ul class="decisions">
          {inOrder(item.decisions).map((decision) => (
            <DecisionLine key={decision.id} decision={decision} nameOf={nameOf} />
          ))}
        </ul>
      )}
      {officer && preview && item.kind === 'recording' && item.available && (
        <details>
          <summary>{t('decide.preview')}</summary>
          <audio
            controls
            preload="none"
            src={address(`/privacy-requests/${file.id}/items/${item.itemId}/preview`)}
            aria-label={t('decide.preview')}
          />
        </details>
      )}
      {officer && (
        <div class="actions">
          {judge && (
            <button
              type="button"
              class={`button small${decided ? '' : ' primary'}`}
              aria-label={decided ? t('item.changeOf', { item: itemWithin(item) }) : t('item.judgeOf', { item: title })}
              onClick={judge}
            >
              {t(decided ? 'item.change' : 'item.judge')}
            </button>
          )}
          {item.available && (
            <a class="button small" href={to} aria-label={t('item.openOf', { item: title })}>
              {t('item.open')}
            </a>
          )}
        </div>
      )}
    </li>
  );
}

function Confirmation({ item }: { item: Item }) {
  if (!item.available) return <Badge icon="bin">{t('item.gone')}</Badge>;
  if (item.confirmed === null) {
    return (
      <Badge icon="help" tone="warn">
        {t('item.unconfirmed')}
      </Badge>
    );
  }
  return (
    <Badge icon={item.confirmed ? 'ok' : 'close'} tone={item.confirmed ? 'ok' : 'neutral'}>
      {t(item.confirmed ? 'item.confirmed' : 'item.notTheirs')}
    </Badge>
  );
}

function DecisionLine({ decision, nameOf }: { decision: Decision; nameOf: (id: string | null) => string }) {
  const { right, decision: verdict, article, reason, decidedBy, decidedAt, carriedOutAt } = decision;
  return (
    <li>
      <Badge
        icon={verdict === 'grant' ? 'ok' : verdict === 'partly' ? 'filter' : 'restricted'}
        tone={verdict === 'grant' ? 'ok' : verdict === 'partly' ? 'warn' : 'error'}
        plain
      >
        {t('decide.made', { right: t(`right.${right}`), verdict: verdictText(right, verdict) })}
      </Badge>
      <span class="muted">
        art. {article}
        {decidedBy && ` · ${t('decide.madeBy', { name: nameOf(decidedBy), when: longDay(decidedAt) })}`}
        {carriedOutAt && ` · ${t('decide.carriedOut')}`}
      </span>
      {reason && <span class="reason">{reason}</span>}
    </li>
  );
}
