import { useEffect, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { moment } from '../format.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Fact } from '../parts/fact.js';
import { Icon } from '../parts/icon.js';
import { asProblem, problemText } from '../parts/state.js';
import { say } from '../shell/toast.js';
import type { Sweep } from './types.js';

/** The last sweep, and the start of another one, which is followed until it is done. */
export function SweepPanel(props: { last: Sweep | null; mayStart: boolean; done: () => void }) {
  const [sweep, setSweep] = useState(props.last);
  const running = sweep?.state === 'running';
  useEffect(() => {
    if (!running) return undefined;
    const every = setInterval(() => {
      ask<Sweep>(`/retention/sweeps/${sweep.id}`).then(
        (now) => {
          setSweep(now);
          if (now.state === 'done') props.done();
        },
        () => undefined,
      );
    }, 1500);
    return () => clearInterval(every);
  }, [running, sweep?.id]);
  const start = async () => {
    try {
      setSweep(await ask<Sweep>('/retention/sweeps', { method: 'POST' }));
      say(t('sweep.started'));
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  };
  return (
    <section class="panel" aria-labelledby="sweep">
      <h2 id="sweep" class="panel-title">
        {t('sweep.title')}
      </h2>
      {sweep === null ? (
        <p class="panel-lead muted">{t('sweep.none')}</p>
      ) : (
        <dl class="details" aria-live="polite">
          <Fact name={t('lifecycle.state')}>
            <SweepState sweep={sweep} />
          </Fact>
          <Fact name={t('sweep.purged')}>{sweep.purged}</Fact>
          <Fact name={t('sweep.failed')}>{sweep.failed}</Fact>
          <Fact name={t('sweep.begun')}>{moment(sweep.requestedAt)}</Fact>
          {sweep.finishedAt && <Fact name={t('sweep.finished')}>{moment(sweep.finishedAt)}</Fact>}
          <Fact name={t('sweep.trigger')}>{t(`sweep.by.${sweep.trigger}`)}</Fact>
        </dl>
      )}
      {props.mayStart && (
        <div class="panel-foot">
          <button type="button" class="button" onClick={() => void start()}>
            <Icon name="bin" />
            {t('sweep.start')}
          </button>
        </div>
      )}
    </section>
  );
}

function SweepState({ sweep: { state, failed } }: { sweep: Sweep }) {
  if (state === 'running') {
    return (
      <Badge icon="clock" plain>
        {t('sweep.running')}
      </Badge>
    );
  }
  return (
    <Badge icon={failed > 0 ? 'warning' : 'ok'} tone={failed > 0 ? 'warn' : 'ok'} plain>
      {t(failed > 0 ? 'sweep.failedState' : 'sweep.done')}
    </Badge>
  );
}
