import { clock, day, moment } from '../format.js';
import { t, textOf } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Fact } from '../parts/fact.js';
import { Cell, Table } from '../parts/table.js';
import type { IngestSource } from './types.js';

const cause = (code: string) => textOf(`refused.${code}`) ?? code;
const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, count) => all + count, 0);

/** One PBX: what it delivered, what was refused and why, and what it should have delivered. */
export function SourcePanel({ source }: { source: IngestSource }) {
  const { id, name, received, duplicates, rejected, missingRecordings, withoutCallData, lastReceivedAt } = source;
  const refused = rejected.reduce((all, { count }) => all + count, 0);
  return (
    <section class="panel" aria-labelledby={`source-${id}`}>
      <div class="source-head">
        <h2 id={`source-${id}`}>{name}</h2>
        <SourceState source={source} />
        <a class="button small source-try" href={`/admin/connect/${id}`} aria-label={t('ingest.tryOf', { name })}>
          {t('ingest.try')}
        </a>
      </div>
      {source.silent && (
        <p class="panel-lead">{t('ingest.silentWhy', { count: Math.round(source.expectedSince ?? 0) })}</p>
      )}
      <dl class="details source-facts">
        <Fact name={t('ingest.received')}>{received}</Fact>
        <Fact name={t('ingest.duplicates')}>{duplicates}</Fact>
        <Fact name={t('ingest.rejected')}>{refused}</Fact>
        <Fact name={t('ingest.missing')}>{missingRecordings}</Fact>
        <Fact name={t('ingest.withoutCallData')}>{withoutCallData}</Fact>
        <Fact name={t('ingest.last')}>
          {lastReceivedAt === null ? t('ingest.nothingYet') : moment(lastReceivedAt)}
        </Fact>
        <Fact name={t('sources.timezone')}>{source.timezone}</Fact>
      </dl>
      {rejected.length > 0 && <Causes source={source} />}
      {missingRecordings > 0 && <Missing source={source} />}
      <Days source={source} />
    </section>
  );
}

function SourceState({ source: { silent, lastReceivedAt } }: { source: IngestSource }) {
  if (silent) {
    return (
      <Badge icon="warning" tone="error">
        {t('ingest.silent')}
      </Badge>
    );
  }
  return lastReceivedAt === null ? (
    <Badge icon="clock">{t('ingest.nothingYet')}</Badge>
  ) : (
    <Badge icon="ok" tone="ok">
      {t('ingest.well')}
    </Badge>
  );
}

function Causes({ source: { rejected } }: { source: IngestSource }) {
  return (
    <details class="source-more" open>
      <summary>{t('ingest.causes')}</summary>
      <Table
        label={t('ingest.causes')}
        className="compact"
        columns={[
          { name: t('ingest.cause') },
          { name: t('ingest.count'), number: true },
          { name: t('ingest.lastTime') },
        ]}
      >
        {rejected.map(({ code, count, lastAt }) => (
          <tr key={code} role="row">
            <Cell wide>
              {cause(code)} <code class="muted">{code}</code>
            </Cell>
            <Cell className="number" label={t('ingest.count')}>
              {count}
            </Cell>
            <Cell label={t('ingest.lastTime')}>{moment(lastAt)}</Cell>
          </tr>
        ))}
      </Table>
    </details>
  );
}

function Missing({ source: { missing, missingRecordings } }: { source: IngestSource }) {
  return (
    <details class="source-more">
      <summary>
        {t('ingest.missing')} ({missingRecordings})
      </summary>
      <p class="muted">
        {t('ingest.missingWhy')}{' '}
        {missing.length < missingRecordings &&
          t('ingest.missingFirst', { count: missing.length, all: missingRecordings })}
      </p>
      <Table
        label={t('ingest.missing')}
        className="compact"
        columns={[{ name: t('ingest.started') }, { name: t('ingest.billed') }, { name: t('ingest.callId') }]}
      >
        {missing.map(({ callId, startedAt, billedMs }) => (
          <tr key={callId} role="row">
            <Cell label={t('ingest.started')}>{moment(startedAt)}</Cell>
            <Cell label={t('ingest.billed')}>{billedMs === null ? t('value.unknown') : clock(billedMs)}</Cell>
            <Cell wide label={t('ingest.callId')}>
              <code>{callId}</code>
            </Cell>
          </tr>
        ))}
      </Table>
    </details>
  );
}

function Days({ source: { days, name } }: { source: IngestSource }) {
  if (days.length === 0) return <p class="panel-lead muted">{t('ingest.noDays')}</p>;
  return (
    <details class="source-more">
      <summary>
        {t('ingest.perDay')}
        <span class="unseen"> {name}</span>
      </summary>
      <Table
        label={t('ingest.perDay')}
        className="compact"
        columns={[
          { name: t('ingest.day') },
          { name: t('ingest.received'), number: true },
          { name: t('ingest.duplicates'), number: true },
          { name: t('ingest.rejected'), number: true },
          { name: t('ingest.causes') },
        ]}
      >
        {[...days]
          .sort((a, b) => (a.date < b.date ? 1 : -1))
          .map(({ date, received, duplicates, rejected }) => (
            <tr key={date} role="row">
              <Cell wide className="nowrap">
                {day(`${date}T12:00:00Z`)}
              </Cell>
              <Cell className="number" label={t('ingest.received')}>
                {received}
              </Cell>
              <Cell className="number" label={t('ingest.duplicates')}>
                {duplicates}
              </Cell>
              <Cell className="number" label={t('ingest.rejected')}>
                {sum(rejected)}
              </Cell>
              <Cell wide label={sum(rejected) > 0 ? t('ingest.causes') : undefined}>
                {Object.entries(rejected).map(([code, count]) => (
                  <span key={code} class="line">
                    {cause(code)}: {count}
                  </span>
                ))}
              </Cell>
            </tr>
          ))}
      </Table>
    </details>
  );
}
