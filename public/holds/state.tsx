import { longDay, moment } from '../format.js';
import { t, textOf } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import type { Hold } from './types.js';

/** The day that ends at an instant: "uiterlijk" that day is before its midnight. */
export const lastDay = (end: string) => longDay(Date.parse(end) - 1);

/** Why it was placed: what the service wrote in the reader's language, what a person wrote as it is. */
export const reasonOf = ({ reason }: Pick<Hold, 'reason'>) => textOf(`holdReason.${reason}`) ?? reason;

/** Where a hold stands; one that nobody confirmed says until when somebody must. */
export function HoldState({ hold }: { hold: Hold }) {
  const { state, confirmationLate, confirmBy, endsAt } = hold;
  if (state === 'unconfirmed') {
    return (
      <span class="hold-state">
        <Badge icon="warning" tone={confirmationLate ? 'error' : 'warn'} plain>
          {t('holds.unconfirmed')}
        </Badge>
        <small>{t(confirmationLate ? 'holds.confirmLate' : 'holds.confirmBy', { date: lastDay(confirmBy) })}</small>
        {endsAt && <small>{t('holds.endsItself', { when: moment(endsAt) })}</small>}
      </span>
    );
  }
  if (state === 'confirmed') {
    return (
      <span class="hold-state">
        <Badge icon="hold" tone="hold" plain>
          {t('holds.confirmed')}
        </Badge>
        {endsAt && <small>{t('holds.endsItself', { when: moment(endsAt) })}</small>}
      </span>
    );
  }
  return (
    <span class="hold-state">
      <Badge icon={state === 'released' ? 'clock' : 'ok'} plain>
        {t(`holds.${state}`)}
      </Badge>
      {endsAt && (
        <small>{t(state === 'released' ? 'holds.endsAt' : 'holds.endedAt', { when: moment(endsAt) })}</small>
      )}
    </span>
  );
}
