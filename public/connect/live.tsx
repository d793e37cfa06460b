import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { clock, moment } from '../format.js';
import { t, textOf } from '../i18n.js';
import type { Source } from '../ingest/types.js';
import { Icon, type IconName } from '../parts/icon.js';
import { problemText } from '../parts/state.js';
import { useEvery } from './every.js';
import type { Vendor } from './lines.js';
import { adviceFor } from './self-test.js';
import type { Arrival, ArrivedRecording, Arrivals, RefusedKey } from './types.js';

/** What arrives from a PBX while one looks, and what was refused and why. */
export function Live({ source, vendor }: { source: Source; vendor: Vendor | undefined }) {
  const [seen, setSeen] = useState<Arrivals | undefined>();
  const problem = useEvery(2000, async (signal) => {
    setSeen(await ask<Arrivals>(`/sources/${source.id}/arrivals`, { signal }));
  });
  const arrived = seen?.arrivals ?? [];
  const kept = arrived.find(({ recording }) => recording !== null)?.recording;
  return (
    <section class="panel" aria-labelledby="live">
      <h2 id="live" class="panel-title">
        {t('connect.live')}
      </h2>
      <div class="panel-body connect-step">
        <p class="muted">{t(vendor === '3cx' ? 'connect.livePull' : 'connect.liveWhy')}</p>
        {problem && (
          <p class="notice error" role="alert">
            <Icon name="offline" />
            <span>{problemText(problem)}</span>
          </p>
        )}
        <div role="log" aria-label={t('connect.live')} class="arrivals">
          {seen && <Standing seen={seen} kept={kept} vendor={vendor} />}
          {seen?.refusedKeys.map((key) => <WrongKey key={`${key.prefix} ${key.reason}`} refused={key} />)}
          {arrived.map((arrival) => (
            <Arrived key={arrival.id} arrival={arrival} />
          ))}
        </div>
      </div>
    </section>
  );
}

interface StandingProps {
  seen: Arrivals;
  kept: ArrivedRecording | null | undefined;
  vendor: Vendor | undefined;
}

/** How it stands, in one sentence. */
function Standing({ seen, kept, vendor }: StandingProps) {
  const { arrivals, refusedKeys, pull } = seen;
  if (kept?.state === 'ready') {
    const well = kept.remarks.length === 0;
    return (
      <Notice tone="ok" icon="ok" title={t('connect.connected')}>
        {t(well ? 'connect.connectedWell' : 'connect.connectedBut')}
      </Notice>
    );
  }
  if (kept) return <Notice icon="clock" title={t('connect.processing')} />;
  if (pull !== null && pull.fault !== null) {
    return (
      <Notice tone="error" icon="error" title={t('connect.pullFault')}>
        <code>{pull.fault}</code> {t('connect.pullAdvice')}
      </Notice>
    );
  }
  if (arrivals.length > 0 || refusedKeys.length > 0) return null;
  return (
    <Notice icon="clock" title={t('connect.nothing')}>
      {sinceWhen(seen, vendor)} {t(`connect.look.${vendor ?? (pull === null ? 'unknown' : '3cx')}`)}
    </Notice>
  );
}

/** How long nothing came: a PBX that is asked has no key of ours. */
function sinceWhen({ pull, keySeenAt }: Arrivals, vendor: Vendor | undefined): string {
  if (pull !== null || vendor === '3cx') {
    const at = pull?.lastPullAt ?? null;
    return at === null ? t('connect.notAskedYet') : t('connect.nothingAsked', { when: moment(at) });
  }
  return keySeenAt === null ? t('connect.nothingYet') : t('connect.nothingNow', { when: moment(keySeenAt) });
}

interface NoticeProps {
  tone?: 'ok' | 'warn' | 'error';
  icon: IconName;
  title: string;
  at?: string;
  children?: ComponentChildren;
}

function Notice({ tone, icon, title, at, children }: NoticeProps) {
  return (
    <div class={tone ? `notice ${tone}` : 'notice'}>
      <Icon name={icon} />
      <div>
        <strong>{title}</strong> {at !== undefined && <span class="muted nowrap">{moment(at)}</span>}
        {children !== undefined && <div>{children}</div>}
      </div>
    </div>
  );
}

function WrongKey({ refused: { prefix, reason, count, lastAt } }: { refused: RefusedKey }) {
  return (
    <Notice tone="error" icon="key" title={t(`refusedKey.${reason}`)} at={lastAt}>
      {prefix !== '' && (
        <p>
          {t('refusedKey.begins')} <code>{prefix}…</code>
        </p>
      )}
      <p>
        {t(`refusedKey.do.${reason}`)} {count > 1 && t('refusedKey.times', { count })}
      </p>
    </Notice>
  );
}

function Arrived({ arrival }: { arrival: Arrival }) {
  const { kind, outcome, at, faults, stored, recording } = arrival;
  if (outcome !== 'received' && outcome !== 'duplicate') {
    const title = t(`arrival.${kind}.refused`, { why: textOf(`refused.${outcome}`) ?? outcome });
    return (
      <Notice tone="error" icon="error" title={title} at={at}>
        <Faults faults={faults} />
        <p>
          {adviceFor(outcome)} <code class="muted">{outcome}</code>
        </p>
      </Notice>
    );
  }
  if (kind === 'test') return <Notice tone="ok" icon="ok" title={t('arrival.test.received')} at={at} />;
  if (kind === 'call_data') {
    return (
      <Notice tone={faults.length > 0 ? 'warn' : 'ok'} icon="ok" title={t('arrival.data.received', { count: stored ?? 0 })} at={at}>
        <Faults faults={faults} />
      </Notice>
    );
  }
  const title = t(outcome === 'duplicate' ? 'arrival.recording.duplicate' : 'arrival.recording.received');
  if (recording === null) return <Notice icon="bin" title={title} at={at} />;
  return <Kept title={title} at={at} recording={recording} />;
}

function Kept({ title, at, recording }: { title: string; at: string; recording: ArrivedRecording }) {
  const { callId, part, startedAt, durationMs, channels, codec, remarks, state, direction } = recording;
  return (
    <Notice tone={remarks.length > 0 ? 'warn' : 'ok'} icon={remarks.length > 0 ? 'warning' : 'ok'} title={title} at={at}>
      <p>
        {t('arrival.facts', {
          when: moment(startedAt),
          duration: clock(durationMs),
          direction: textOf(`direction.${direction}`) ?? direction,
          sound: `${codec}, ${channels === 1 ? t('arrival.oneChannel') : t('arrival.channels', { count: channels })}`,
        })}{' '}
        {t(`arrival.state.${state}`)}
      </p>
      <p class="muted">
        {t('ingest.callId')} <code>{callId}</code>
        {part !== '0' && (
          <>
            , {t('arrival.part')} <code>{part}</code>
          </>
        )}
      </p>
      {remarks.length > 0 && (
        <ul class="remarks-list">
          {remarks.map((remark) => (
            <li key={remark}>{t(`remark.${remark}`)}</li>
          ))}
        </ul>
      )}
    </Notice>
  );
}

const knownFaults: [RegExp, 'missing' | 'instant' | 'ahead' | 'file' | 'line' | 'uniqueId' | 'start'][] = [
  [/received undefined|is required/, 'missing'],
  [/is not an instant/, 'instant'],
  [/more than a day ahead/, 'ahead'],
  [/is a file that is not expected/, 'file'],
  [/^has \d+ columns/, 'line'],
  [/has no unique id/, 'uniqueId'],
  [/has no time of start/, 'start'],
];

function Faults({ faults }: { faults: Arrival['faults'] }) {
  if (faults.length === 0) return null;
  return (
    <ul class="remarks-list">
      {faults.map(({ path, message }) => {
        const known = knownFaults.find(([pattern]) => pattern.test(message))?.[1];
        return (
          <li key={path}>
            <code>{path}</code> {known === undefined ? message : t(`fault.${known}`)}
          </li>
        );
      })}
    </ul>
  );
}
