import { longDay, moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Cell } from '../parts/table.js';
import { DecideCell, ReviewLate, Secret } from './row-parts.js';
import { lastDay, reasonOf } from './state.js';
import type { HoldGroup } from './types.js';

interface Props {
  group: HoldGroup;
  officer: boolean;
  nameOf: (id: string | null) => string;
  decide: (act: 'confirm' | 'release') => void;
}

/** How many of what: "12 opnamen, 3 tickets". */
export function itemsOf({ recordings, tickets, packages }: HoldGroup): string {
  return [
    recordings > 0 ? plural('holds.recordings', recordings) : '',
    tickets > 0 ? plural('holds.tickets', tickets) : '',
    packages > 0 ? plural('holds.packages', packages) : '',
  ]
    .filter((words) => words !== '')
    .join(', ');
}

/** All that one request, or one act, keeps: one line, one confirmation. */
export function GroupRow({ group, officer, nameOf, decide }: Props) {
  const name = group.reference ?? itemsOf(group);
  const open = !group.released;
  return (
    <tr role="row">
      <Cell wide>
        {group.requestId !== null && officer ? <a href={`/privacy/${group.requestId}`}>{name}</a> : <strong>{name}</strong>}
        {group.reference !== null && <span class="line">{itemsOf(group)}</span>}
        <a class="line" href={`/holds?group=${group.id}`} aria-label={t('holds.showAllOf', { name })}>
          {t('holds.showAll')}
        </a>
      </Cell>
      <Cell wide label={t('holds.ground')} className="hold-reason">
        <strong>{group.grounds.map((ground) => t(`ground.${ground}`)).join(', ')}</strong>
        <span class="line">{group.reasons.map((reason) => reasonOf({ reason })).join(' ')}</span>
        <small>
          {t('holds.placedBy', { name: group.placedBy.map((id) => nameOf(id)).join(', '), when: moment(group.placedAt) })}
        </small>
        <Secret secret={group.secret} />
      </Cell>
      <Cell label={t('holds.owner')}>{group.owners.map((id) => nameOf(id)).join(', ')}</Cell>
      <Cell label={t('holds.review')}>
        {longDay(group.reviewAt)}
        <ReviewLate due={group.reviewDue} />
      </Cell>
      <Cell wide>
        <span class="hold-state">
          {group.unconfirmed > 0 ? (
            <>
              <Badge icon="warning" tone={group.confirmationLate && !group.secret ? 'error' : 'warn'} plain>
                {plural('holds.unconfirmedOf', group.unconfirmed)}
              </Badge>
              {group.secret && <small>{t('holds.confirmSecret')}</small>}
              {group.confirmBy && !group.secret && (
                <small>
                  {t(group.confirmationLate ? 'holds.confirmLate' : 'holds.confirmBy', { date: lastDay(group.confirmBy) })}
                </small>
              )}
            </>
          ) : open ? (
            <Badge icon="hold" tone="hold" plain>
              {t('holds.confirmed')}
            </Badge>
          ) : (
            <Badge icon="clock" plain>
              {t('holds.released')}
            </Badge>
          )}
          {group.endsAt && <small>{t(open ? 'holds.endsItself' : 'holds.endsAt', { when: moment(group.endsAt) })}</small>}
        </span>
      </Cell>
      {officer && (
        <DecideCell
          name={name}
          confirm={group.unconfirmed > 0 && !group.secret}
          release={open && group.requestId === null}
          decide={decide}
        />
      )}
    </tr>
  );
}
