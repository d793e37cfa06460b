import { useRef, useState } from 'preact/hooks';
import { ask, type ApiProblem } from '../api/client.js';
import { moment } from '../format.js';
import { t, textOf } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { asProblem, problemText } from '../parts/state.js';
import type { TestOutcome } from './types.js';

const longWaitMs = 10 * 60_000;

/** Opname's own half of the way, tried with a tone that is deleted again at once. */
export function SelfTest() {
  const [outcome, setOutcome] = useState<TestOutcome | ApiProblem | 'busy' | undefined>();
  const busy = useRef(false);
  async function run() {
    if (busy.current) return;
    busy.current = true;
    setOutcome('busy');
    try {
      setOutcome(await ask<TestOutcome>('/ingest/test', { method: 'POST' }));
    } catch (error) {
      setOutcome(asProblem(error));
    } finally {
      busy.current = false;
    }
  }
  return (
    <section class="panel" aria-labelledby="self-test">
      <h2 id="self-test" class="panel-title">
        {t('connect.self')}
      </h2>
      <div class="panel-body connect-step">
        <p class="muted">{t('connect.selfWhy')}</p>
        <div class="actions">
          <button type="button" class="button" onClick={() => void run()}>
            <Icon name="play" />
            {t('connect.selfRun')}
          </button>
        </div>
        <div role="status">
          {outcome === 'busy' && <p class="muted">{t('connect.selfBusy')}</p>}
          {outcome instanceof Error && (
            <p class="notice error">
              <Icon name="error" />
              <span>{problemText(outcome)}</span>
            </p>
          )}
          {outcome !== undefined && outcome !== 'busy' && !(outcome instanceof Error) && <Outcome outcome={outcome} />}
        </div>
      </div>
    </section>
  );
}

function Outcome({ outcome }: { outcome: TestOutcome }) {
  const failed = outcome.steps.find(({ ok }) => !ok);
  const waits = outcome.waitingSince !== null && Date.now() - Date.parse(outcome.waitingSince) > longWaitMs;
  return (
    <>
      <ul class="test-steps">
        {outcome.steps.map(({ step, ok, ms }) => (
          <li key={step} class={ok ? 'ok' : 'error'}>
            <Icon name={ok ? 'ok' : 'error'} />
            <span>{t(`connect.did.${step}`)}</span>
            <span class="muted">{ok ? t('connect.took', { ms }) : t('connect.didNot')}</span>
          </li>
        ))}
      </ul>
      {failed ? (
        <p class="notice error">
          <Icon name="error" />
          <span>{adviceFor(failed.code ?? 'internal-error')}</span>
        </p>
      ) : (
        <p class="notice ok">
          <Icon name="ok" />
          <span>{t('connect.selfWell')}</span>
        </p>
      )}
      {waits && outcome.waitingSince !== null && (
        <p class="notice warn">
          <Icon name="warning" />
          <span>{t('connect.workerLate', { count: outcome.waiting, when: moment(outcome.waitingSince) })}</span>
        </p>
      )}
    </>
  );
}

/** What to do about a refusal, in words. */
export const adviceFor = (code: string) => textOf(`advice.${code}`) ?? t('advice.internal-error');
