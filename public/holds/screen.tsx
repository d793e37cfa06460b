import { useState } from 'preact/hooks';
import { longDay, moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { useNames } from '../parts/people.js';
import { BoneRows, Failure, State } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { itemName } from '../retention/words.js';
import { go, place } from '../shell/router.js';
import { useUser } from '../shell/user.js';
import { ConfirmHold, ReleaseHold } from './decide.js';
import { HoldState, reasonOf } from './state.js';
import type { Hold } from './types.js';
import '../admin/admin.css';
import '../recordings/recordings.css';
import './holds.css';

/** What is kept past its date: why, by whom, until when it is looked at again, and who stands behind it. */
export function Holds() {
  const user = useUser();
  const nameOf = useNames();
  const all = place.value.query.get('all') === 'true';
  const pages = usePages<Hold>('/holds', { inForce: all ? undefined : true });
  const { first, items } = pages;
  const [deciding, setDeciding] = useState<{ act: 'confirm' | 'release'; hold: Hold } | undefined>();
  const officer = user.role === 'privacy_officer';
  const decided = () => {
    setDeciding(undefined);
    pages.again();
  };
  const columns = (['item', 'ground', 'owner', 'review', 'state', 'actions'] as const)
    .filter((name) => officer || name !== 'actions')
    .map((name) => ({ name: t(`holds.${name}`), unseen: name === 'actions' }));
  return (
    <>
      <PageHead title={t('holds.title')} lead={t('holds.lead')}>
        <div class="segments" role="group" aria-label={t('holds.filter')}>
          {[false, true].map((choice) => (
            <button
              key={String(choice)}
              type="button"
              aria-pressed={all === choice}
              onClick={() => go(choice ? '/holds?all=true' : '/holds', { replace: true })}
            >
              {t(choice ? 'holds.all' : 'holds.inForce')}
            </button>
          ))}
        </div>
      </PageHead>
      <div class="panel">
        {first.state === 'failed' && <Failure problem={first.problem} again={first.again} />}
        {first.state === 'ready' && items.length === 0 && (
          <State icon="hold" title={t('holds.none')}>
            <p>{t('holds.noneWhy')}</p>
          </State>
        )}
        {(first.state === 'loading' || items.length > 0) && (
          <>
            <Table label={t('holds.title')} columns={columns} busy={first.state === 'loading'}>
              {first.state === 'loading' ? (
                <BoneRows rows={4} columns={columns.map(() => 70)} />
              ) : (
                items.map((hold) => (
                  <Row
                    key={hold.id}
                    hold={hold}
                    officer={officer}
                    nameOf={nameOf}
                    decide={(act) => setDeciding({ act, hold })}
                  />
                ))
              )}
            </Table>
            <More pages={pages} shown={plural('holds.shown', items.length)} />
          </>
        )}
      </div>
      {deciding?.act === 'confirm' && (
        <ConfirmHold
          hold={deciding.hold}
          own={deciding.hold.placedBy === user.id}
          close={() => setDeciding(undefined)}
          done={decided}
        />
      )}
      {deciding?.act === 'release' && (
        <ReleaseHold hold={deciding.hold} close={() => setDeciding(undefined)} done={decided} />
      )}
    </>
  );
}

interface RowProps {
  hold: Hold;
  officer: boolean;
  nameOf: (id: string | null) => string;
  decide: (act: 'confirm' | 'release') => void;
}

function Row({ hold, officer, nameOf, decide }: RowProps) {
  const name = heldName(hold);
  const open = hold.state === 'unconfirmed' || hold.state === 'confirmed';
  return (
    <tr role="row">
      <Cell wide className="nowrap">
        {officer ? (
          <a href={hold.recordingId ? `/recordings/${hold.recordingId}` : `/tickets/${hold.ticketId ?? ''}`}>{name}</a>
        ) : (
          name
        )}
      </Cell>
      <Cell wide label={t('holds.ground')} className="hold-reason">
        <strong>{t(`ground.${hold.ground}`)}</strong>
        <span class="line">{reasonOf(hold)}</span>
        <small>{t('holds.placedBy', { name: nameOf(hold.placedBy), when: moment(hold.placedAt) })}</small>
        {hold.confirmedAt && (
          <small>
            {t('holds.confirmed')} {t('holds.confirmedBy', { name: nameOf(hold.confirmedBy), when: moment(hold.confirmedAt) })}
            {hold.confirmedBy === hold.placedBy && hold.confirmReason && ` ${t('holds.confirmedAlone', { reason: hold.confirmReason })}`}
          </small>
        )}
        {hold.secret && (
          <span class="line">
            <Badge icon="hidden" tone="warn" plain>
              {t('holds.secret')}
            </Badge>
          </span>
        )}
        {hold.releasedAt && (
          <small>
            {t('holds.releasedBecause', { name: nameOf(hold.releasedBy), reason: hold.releaseReason ?? '' })}
          </small>
        )}
      </Cell>
      <Cell label={t('holds.owner')}>{nameOf(hold.ownerId)}</Cell>
      <Cell label={t('holds.review')}>
        {longDay(hold.reviewAt)}
        {hold.reviewDue && (
          <span class="line">
            <Badge icon="warning" tone="error" plain>
              {t('holds.reviewLate')}
            </Badge>
          </span>
        )}
      </Cell>
      <Cell wide>
        <HoldState hold={hold} />
      </Cell>
      {officer && (
        <Cell className="row-actions">
          {hold.state === 'unconfirmed' && (
            <button
              type="button"
              class="button small"
              aria-label={t('holds.confirmOf', { item: name })}
              onClick={() => decide('confirm')}
            >
              {t('holds.confirm')}
            </button>
          )}
          {open && (
            <button
              type="button"
              class="button small danger"
              aria-label={t('holds.releaseOf', { item: name })}
              onClick={() => decide('release')}
            >
              {t('holds.release')}
            </button>
          )}
        </Cell>
      )}
    </tr>
  );
}

/** "Opname …4f21c0" */
function heldName({ recordingId, ticketId }: Hold): string {
  return recordingId === null ? itemName('ticket', ticketId ?? '') : itemName('recording', recordingId);
}
