import { dateBefore, longDay } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import type { RequestSummary } from './types.js';

const dayMs = 86_400_000;

/** Days on the calendar until an answer is due: 0 today, negative once it is late. */
export function daysLeftOf(dueAt: string, now: number = Date.now()): number {
  return Math.round((Date.parse(dateBefore(0, Date.parse(dueAt))) - Date.parse(dateBefore(0, now))) / dayMs);
}

/** How long there is left, in words with an icon; a closed request has nothing left. */
export function Left({ request, plain = false }: { request: RequestSummary; plain?: boolean }) {
  if (request.closedAt !== null) {
    return (
      <Badge icon="ok" plain={plain}>
        {t('close.closed', { when: longDay(request.closedAt) })}
      </Badge>
    );
  }
  if (request.paused) {
    return (
      <Badge icon="pause" tone="hold" plain={plain}>
        {t('privacy.paused')}
      </Badge>
    );
  }
  const days = daysLeftOf(request.dueAt);
  const late = request.overdue || days < 0;
  return (
    <Badge
      icon={late ? 'error' : days <= 7 ? 'warning' : 'clock'}
      tone={late ? 'error' : days <= 7 ? 'warn' : 'neutral'}
      plain={plain}
    >
      {days === 0
        ? t('privacy.today')
        : days < 0
          ? plural('privacy.daysLate', -days)
          : plural('privacy.daysLeft', days)}
    </Badge>
  );
}
