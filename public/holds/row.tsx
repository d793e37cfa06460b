import { longDay, moment } from '../format.js';
import { t } from '../i18n.js';
import { Cell } from '../parts/table.js';
import { itemName } from '../retention/words.js';
import { DecideCell, ReviewLate, Secret } from './row-parts.js';
import { HoldState, reasonOf } from './state.js';
import type { Hold } from './types.js';

export interface RowProps {
  hold: Hold;
  officer: boolean;
  nameOf: (id: string | null) => string;
  decide: (act: 'confirm' | 'release') => void;
}

/** One hold. */
export function Row({ hold, officer, nameOf, decide }: RowProps) {
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
        <Secret secret={hold.secret} />
        {hold.releasedAt && (
          <small>
            {t('holds.releasedBecause', { name: nameOf(hold.releasedBy), reason: hold.releaseReason ?? '' })}
          </small>
        )}
      </Cell>
      <Cell label={t('holds.owner')}>{nameOf(hold.ownerId)}</Cell>
      <Cell label={t('holds.review')}>
        {longDay(hold.reviewAt)}
        <ReviewLate due={hold.reviewDue} />
      </Cell>
      <Cell wide>
        <HoldState hold={hold} />
      </Cell>
      {officer && (
        <DecideCell name={name} confirm={hold.state === 'unconfirmed' && !hold.secret} release={open} decide={decide} />
      )}
    </tr>
  );
}

/** "Opname …4f21c0" */
function heldName({ recordingId, ticketId }: Hold): string {
  return recordingId === null ? itemName('ticket', ticketId ?? '') : itemName('recording', recordingId);
}
