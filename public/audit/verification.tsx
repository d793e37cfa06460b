import { ask } from '../api/client.js';
import type { AuditVerification } from '../api/types.js';
import { moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { problemText, useLoaded } from '../parts/state.js';

/** Whether the trail is whole: as text, icon and shape. */
export function Verification() {
  const found = useLoaded('verification', (signal) => ask<AuditVerification>('/audit/verification', { signal }));
  if (found.state === 'loading') {
    return (
      <p class="notice verification" role="status">
        <Icon name="clock" />
        <span>{t('audit.checking')}</span>
      </p>
    );
  }
  if (found.state === 'failed') {
    return (
      <div class="notice warn verification" role="status">
        <Icon name="warning" />
        <div>
          {t('audit.unchecked')} {problemText(found.problem)}
        </div>
      </div>
    );
  }
  const { ok, count, head, signedAt } = found.value;
  return (
    <div class={`notice ${ok ? 'ok' : 'error'} verification`} role="status">
      <Icon name={ok ? 'ok' : 'error'} />
      <div>
        <strong>{t(ok ? 'audit.whole' : 'audit.broken')}</strong> {plural('audit.count', count)}
        {signedAt && ` ${t('audit.signed', { when: moment(signedAt) })}`}
        {head && (
          <>
            {' '}
            <span class="muted">{t('audit.head')}</span> <code title={head}>{head.slice(0, 16)}…</code>
          </>
        )}
      </div>
    </div>
  );
}
