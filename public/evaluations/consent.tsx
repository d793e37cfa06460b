import type { ComponentChildren } from 'preact';
import { ask } from '../api/client.js';
import type { FurtherUse } from '../further-uses/types.js';
import { t } from '../i18n.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import { useUser } from '../shell/user.js';
import './evaluations.css';

/**
 * Shows what is inside once the works council's consent is on record; until then says why not, and what next. `head`
 * stands above that where what is inside brings its own.
 */
export function WithConsent({ head, children }: { head?: ComponentChildren; children: ComponentChildren }) {
  const user = useUser();
  const uses = useLoaded('further-uses', (signal) => ask<{ items: FurtherUse[] }>('/further-uses', { signal }));
  if (uses.state !== 'ready') {
    return (
      <>
        {head}
        {uses.state === 'failed' ? <Failure problem={uses.problem} again={uses.again} /> : <Bones count={4} />}
      </>
    );
  }
  if (uses.value.items.some((each) => each.use === 'evaluation' && each.on)) return <>{children}</>;
  const administrator = user.role === 'administrator';
  return (
    <>
      {head}
      <div class="panel">
        <State
          icon="hold"
          title={t('evaluations.off')}
          actions={
            administrator && (
              <a class="button primary" href="/further-uses">
                {t('evaluations.toUses')}
              </a>
            )
          }
        >
          <p>{t('evaluations.offWhy')}</p>
          {!administrator && <p>{t('evaluations.offNext')}</p>}
        </State>
      </div>
    </>
  );
}
