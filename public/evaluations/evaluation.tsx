import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { longDay, moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';
import type { ScreenProps } from '../shell/screens.js';
import { useUser } from '../shell/user.js';
import { AnswerForm } from './answer.js';
import { WithConsent } from './consent.js';
import { ReadVersion } from './read.js';
import { EvaluationState } from './screen.js';
import type { OpenEvaluation } from './types.js';
import './evaluations.css';

/** One evaluation as it was submitted; its agent says that it was read, and what there is to say to it. */
export function EvaluationScreen({ id }: ScreenProps) {
  return (
    <>
      <div class="way">
        <a class="button quiet small" href="/evaluations">
          <Icon name="back" />
          {t('evaluations.title')}
        </a>
      </div>
      <WithConsent head={<PageHead title={t('evaluations.title')} />}>
        <Loaded id={id} />
      </WithConsent>
    </>
  );
}

function Loaded({ id }: ScreenProps) {
  const user = useUser();
  const path = `/evaluations/${encodeURIComponent(id)}`;
  const loaded = useLoaded(path, (signal) => ask<OpenEvaluation>(path, { signal }));
  const [renewed, setRenewed] = useState<OpenEvaluation | undefined>();
  if (loaded.state !== 'ready') {
    return (
      <>
        <PageHead title={t('evaluations.title')} />
        {loaded.state === 'failed' ? <Failure problem={loaded.problem} again={loaded.again} /> : <Bones count={5} />}
      </>
    );
  }
  const evaluation = renewed ?? loaded.value;
  const agent = user.role === 'agent';
  const { recording, scorecard, evaluator } = evaluation;
  const listen = `/recordings/${recording.id}?tab=evaluation`;
  return (
    <>
      <PageHead
        title={t(agent ? 'evaluation.ofYours' : 'evaluation.of', { when: moment(recording.startedAt) })}
        lead={
          agent
            ? t('evaluation.byFor', { card: scorecard.name, trainer: evaluator.name })
            : t('evaluation.byOf', { card: scorecard.name, trainer: evaluator.name, agent: evaluation.agent.name })
        }
      >
        <EvaluationState evaluation={evaluation} />
        {evaluation.audible && (
          <a class="button" href={listen}>
            <Icon name="play" />
            {t(evaluation.open ? 'evaluation.goOn' : 'evaluation.listen')}
          </a>
        )}
      </PageHead>
      <p class="muted evaluation-kept">
        {t(agent ? 'evaluation.whoReads' : 'evaluation.whoReadsTrainer')}{' '}
        {t('evaluation.expires', { date: longDay(recording.retainUntil) })}
        {!evaluation.audible && ` ${t('evaluation.notAudible')}`}
      </p>
      <EvaluationText evaluation={evaluation} renewed={setRenewed} />
    </>
  );
}

interface TextProps {
  evaluation: OpenEvaluation;
  renewed: (evaluation: OpenEvaluation) => void;
}

/** What was submitted, newest first, older versions folded; below it the agent's answer. */
function EvaluationText({ evaluation, renewed }: TextProps) {
  const user = useUser();
  const [newest, ...older] = evaluation.versions;
  if (!newest)
    return (
      <p>
        {t('evaluation.draftBeside')}{' '}
        {evaluation.audible && <a href={`/recordings/${evaluation.recording.id}?tab=evaluation`}>{t('evaluation.goOn')}</a>}
      </p>
    );
  return (
    <>
      <div class="panel evaluation-panel">
        <ReadVersion evaluation={evaluation} version={newest} />
        {user.role === 'agent' && (
          <AnswerForm key={newest.version} evaluation={evaluation} version={newest} answered={renewed} />
        )}
      </div>
      {older.length > 0 && (
        <details class="panel evaluation-panel">
          <summary>{plural('evaluation.older', older.length)}</summary>
          {older.map((version) => (
            <ReadVersion key={version.version} evaluation={evaluation} version={version} />
          ))}
        </details>
      )}
    </>
  );
}
