import { ask } from '../api/client.js';
import { t } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';
import { useUser } from '../shell/user.js';
import { DueTable } from './due-table.js';
import { FailingTable } from './failing.js';
import { LifecyclePanel } from './lifecycle.js';
import { Policies } from './policies.js';
import { ReportPanel } from './report.js';
import { SweepPanel } from './sweep.js';
import { Tiles } from './tiles.js';
import type { Overview } from './types.js';
import './retention.css';

/** How retention stands: what is due, what went, whether both guards are awake, and the proof of it. */
export function Retention() {
  const user = useUser();
  const found = useLoaded('retention', (signal) => ask<Overview>('/retention', { signal }));
  const administers = user.role === 'administrator';
  return (
    <>
      <PageHead title={t('retentionScreen.title')} lead={t('retentionScreen.lead')}>
        <a class="button" href="/retention/register">
          <Icon name="organisation" />
          {t('register.title')}
        </a>
        <a class="button" href="/retention/tombstones">
          <Icon name="bin" />
          {t('tombstones.title')}
        </a>
      </PageHead>
      {found.state === 'loading' && <Bones count={8} />}
      {found.state === 'failed' && <Failure problem={found.problem} again={found.again} />}
      {found.state === 'ready' && (
        <div class="retention">
          <Tiles overview={found.value} />
          {found.value.failing.length > 0 && <FailingTable failing={found.value.failing} />}
          <div class="retention-columns">
            <DueTable due={found.value.due} />
            <div class="retention-side">
              <SweepPanel last={found.value.lastSweep} mayStart={administers} done={found.again} />
              <ReportPanel />
            </div>
          </div>
          <LifecyclePanel known={found.value.lifecycle} mayChange={administers} />
          <Policies policies={found.value.policies} mayChange={administers} changed={found.again} />
        </div>
      )}
    </>
  );
}
