import { ask } from '../api/client.js';
import { evaluateSample } from '../collections/queue.js';
import { Expires } from '../collections/screen.js';
import { clock, moment, phone } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Fact } from '../parts/fact.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import type { ScreenProps } from '../shell/screens.js';
import { WithConsent } from './consent.js';
import { daysOf } from './sample.js';
import type { OpenSample, SampledCall } from './types.js';
import './evaluations.css';

/** One sample: its calls, to be evaluated one after the other, and how it was drawn. */
export function SampleScreen({ id }: ScreenProps) {
  return (
    <>
      <div class="way">
        <a class="button quiet small" href="/evaluations/sample">
          <Icon name="back" />
          {t('samples.title')}
        </a>
      </div>
      <WithConsent head={<PageHead title={t('samples.single')} />}>
        <Loaded id={id} />
      </WithConsent>
    </>
  );
}

function Loaded({ id }: ScreenProps) {
  const path = `/samples/${encodeURIComponent(id)}`;
  const loaded = useLoaded(path, (signal) => ask<OpenSample>(path, { signal }));
  if (loaded.state !== 'ready') {
    return (
      <>
        <PageHead title={t('samples.single')} />
        {loaded.state === 'failed' ? <Failure problem={loaded.problem} again={loaded.again} /> : <Bones count={5} />}
      </>
    );
  }
  const sample = loaded.value;
  const name = t('samples.of', { agent: sample.agent.name });
  return (
    <>
      <PageHead title={name} tab={t('samples.single')} lead={t('samples.lead', daysOf(sample))} />
      <Calls sample={sample} name={name} />
      <HowDrawn sample={sample} />
    </>
  );
}

function Calls({ sample, name }: { sample: OpenSample; name: string }) {
  const { calls } = sample;
  const done = calls.filter(({ evaluated }) => evaluated).length;
  const next = calls.findIndex(({ evaluated }) => !evaluated);
  const gone = Math.min(sample.size, sample.population) - calls.length;
  const queue = { id: sample.id, name, recordingIds: calls.map(({ recording }) => recording.id) };
  if (calls.length === 0) {
    return (
      <div class="panel">
        <State icon="search" title={t(sample.population === 0 ? 'sample.none' : 'samples.allGone')}>
          <p>{t(sample.population === 0 ? 'sample.noneWhy' : 'samples.allGoneWhy')}</p>
        </State>
      </div>
    );
  }
  return (
    <section class="panel sample-calls" aria-labelledby="calls-title">
      <div class="sample-bar">
        <div>
          <h2 id="calls-title">{t('samples.done', { done, count: calls.length })}</h2>
          <meter min={0} max={calls.length} value={done} aria-labelledby="calls-title" />
        </div>
        {next >= 0 && (
          <button type="button" class="button primary" onClick={() => evaluateSample(queue, next)}>
            <Icon name="play" />
            {t(done === 0 ? 'samples.begin' : 'samples.goOn')}
          </button>
        )}
      </div>
      {gone > 0 && <p class="muted panel-lead">{plural('samples.gone', gone)}</p>}
      <ol class="cards">
        {calls.map((call, index) => (
          <li key={call.recording.id}>
            <span class="item-place" aria-hidden="true">
              {call.place}
            </span>
            <span class="sampled">
              <button type="button" class="button quiet" onClick={() => evaluateSample(queue, index)}>
                {t('collections.itemName', { when: moment(call.recording.startedAt) })}
              </button>
              <span class="muted">
                {[call.recording.caller && phone(call.recording.caller), clock(call.recording.durationMs)]
                  .filter(Boolean)
                  .join(' · ')}
              </span>
            </span>
            <span class="flags">
              <CallState call={call} />
              <Expires days={call.recording.expiresInDays} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function CallState({ call: { evaluated, begun } }: { call: SampledCall }) {
  return (
    <Badge icon={begun ? 'clock' : evaluated ? 'ok' : 'audit'} tone={evaluated && !begun ? 'ok' : 'neutral'} plain>
      {t(begun ? 'sample.begun' : evaluated ? 'sample.evaluated' : 'sample.toDo')}
    </Badge>
  );
}

const tones = { same: 'ok', different: 'error', other_calls: 'info' } as const;

/** Seed, criteria, who and when; and whether drawing again gives the same. */
function HowDrawn({ sample }: { sample: OpenSample }) {
  const { redrawn } = sample;
  const days = daysOf(sample);
  return (
    <section class="panel how-drawn" aria-labelledby="how-title">
      <h2 class="panel-title" id="how-title">
        {t('samples.how')}
      </h2>
      <p class={`notice ${redrawn.outcome === 'other_calls' ? '' : tones[redrawn.outcome]}`}>
        <Icon name={tones[redrawn.outcome]} />
        <span>{t(`samples.redrawn.${redrawn.outcome}`, { now: redrawn.population, then: sample.population })}</span>
      </p>
      <dl class="details">
        <Fact name={t('samples.drawnBy')}>
          {t('samples.drawnByAt', { name: sample.drawnBy.name, when: moment(sample.drawnAt) })}
        </Fact>
        <Fact name={t('samples.criteria')}>
          {t('samples.criteriaText', {
            agent: sample.agent.name,
            extensions: sample.extensions.join(', '),
            from: days.from,
            to: days.to,
            size: sample.size,
          })}
        </Fact>
        <Fact name={t('samples.population')}>{plural('samples.populationText', sample.population)}</Fact>
        <Fact name={t('samples.seed')}>
          <code>{sample.seed}</code>
        </Fact>
        <Fact name={t('samples.digest')}>
          <code>{sample.populationSha256}</code>
        </Fact>
        <Fact name={t('samples.rule')}>{t('samples.ruleText')}</Fact>
      </dl>
    </section>
  );
}
