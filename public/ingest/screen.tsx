import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { moment, size } from '../format.js';
import { t } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import { SourcePanel } from './source.js';
import { Sources } from './sources.js';
import type { Ingest } from './types.js';
import '../retention/retention.css';
import './ingest.css';

const periods = [7, 14, 90] as const;

/** What came in, by source: what was refused and why, what is missing, and who fell silent. */
export function IngestScreen() {
  const [days, setDays] = useState<number>(14);
  const found = useLoaded(String(days), (signal) => ask<Ingest>('/ingest', { query: { days }, signal }));
  return (
    <>
      <PageHead title={t('ingest.title')} lead={t('ingest.lead')}>
        <a class="button primary" href="/admin/connect">
          <Icon name="plus" />
          {t('ingest.connect')}
        </a>
        <div class="segments" role="group" aria-label={t('ingest.period')}>
          {periods.map((choice) => (
            <button key={choice} type="button" aria-pressed={days === choice} onClick={() => setDays(choice)}>
              {t('ingest.days', { days: choice })}
            </button>
          ))}
        </div>
      </PageHead>
      <div class="retention">
        {found.state === 'loading' && <Bones count={8} />}
        {found.state === 'failed' && <Failure problem={found.problem} again={found.again} />}
        {found.state === 'ready' && <Stand ingest={found.value} />}
        <Sources />
      </div>
    </>
  );
}

function Stand({ ingest }: { ingest: Ingest }) {
  const { sources, queue, disk } = ingest;
  return (
    <>
      <Alarms ingest={ingest} />
      <dl class="tiles">
        <div class="tile">
          <dt>
            <Icon name="clock" />
            {t('ingest.waiting')}
          </dt>
          <dd class="tile-value">{queue.waiting}</dd>
          {queue.oldestAt && <dd class="tile-note">{t('ingest.waitingSince', { when: moment(queue.oldestAt) })}</dd>}
        </div>
        <div class={queue.failed > 0 ? 'tile warn' : 'tile'}>
          <dt>
            <Icon name={queue.failed > 0 ? 'warning' : 'ok'} />
            {t('ingest.failed')}
          </dt>
          <dd class="tile-value">{queue.failed}</dd>
          {queue.failed > 0 && <dd class="tile-note">{t('ingest.failedWhy')}</dd>}
        </div>
        <div class="tile">
          <dt>
            <Icon name="recordings" />
            {t('ingest.disk')}
          </dt>
          <dd class="tile-value">{size(disk.freeBytes)}</dd>
          <dd class="tile-note">{t('ingest.diskOf', { total: size(disk.totalBytes) })}</dd>
        </div>
      </dl>
      {sources.length === 0 && (
        <div class="panel">
          <State
            icon="recordings"
            title={t('ingest.none')}
            actions={
              <a class="button primary" href="/admin/connect">
                {t('ingest.connect')}
              </a>
            }
          >
            <p>{t('ingest.noneWhy')}</p>
          </State>
        </div>
      )}
      {sources.map((source) => (
        <SourcePanel key={source.id} source={source} />
      ))}
    </>
  );
}

function Alarms({ ingest: { alarms, sources } }: { ingest: Ingest }) {
  if (alarms.length === 0) {
    return (
      <p class="notice ok">
        <Icon name="ok" />
        <span>{t('ingest.noAlarms')}</span>
      </p>
    );
  }
  const nameOf = (id: string) => sources.find((source) => source.id === id)?.name ?? t('value.unknown');
  return (
    <section class="notice error" aria-label={t('ingest.alarms')}>
      <Icon name="warning" />
      <ul>
        {alarms.map(({ id, sourceId, kind, count, raisedAt }) => (
          <li key={id}>
            <strong>{t(`ingest.alarm.${kind}`, { source: nameOf(sourceId), count })}</strong>{' '}
            {t('ingest.alarmSince', { when: moment(raisedAt) })}
          </li>
        ))}
      </ul>
    </section>
  );
}
