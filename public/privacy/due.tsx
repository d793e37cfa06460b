import { longDay } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import type { RequestSummary } from './types.js';

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
  const days = request.daysLeft;
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
