import { useEffect, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Page } from '../api/types.js';
import { t } from '../i18n.js';
import type { Source } from '../ingest/types.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { go } from '../shell/router.js';
import { Lines } from './copy.js';
import { linesFor } from './lines.js';
import { useEvery } from './every.js';

/** A PBX that is asked: its settings stand with the service, and its source appears when it was asked for the first time. */
export function Pulled({ name }: { name: string }) {
  const [source, setSource] = useState<Source | undefined>();
  useEvery(3000, async (signal) => {
    const page = await ask<Page<Source>>('/sources', { query: { limit: 200 }, signal });
    setSource(page.items.find((each) => each.kind === 'pbx' && each.name.toLowerCase() === name.toLowerCase()));
  });
  useEffect(() => {
    if (source) go(`/admin/connect/${source.id}?pbx=3cx`, { replace: true });
  }, [source]);
  return (
    <>
      <PageHead title={t('connect.titleOf', { name })} lead={t('connect.pullLead')} />
      <div class="connect">
        <section class="panel">
          <h2 class="panel-title">{t('connect.step.pull')}</h2>
          <div class="panel-body connect-step">
            <p>{t('connect.how.pull')}</p>
            {linesFor('3cx', { address: '', key: '', source: name }).map(({ lines }) => (
              <Lines key={lines} lines={lines} label={t('connect.step.pull')} />
            ))}
          </div>
        </section>
        <p class="notice" role="status">
          <Icon name="clock" />
          <span>{t('connect.pullWaiting')}</span>
        </p>
      </div>
    </>
  );
}
