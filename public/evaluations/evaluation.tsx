import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { longDay, moment } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { useForm } from '../parts/form.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';
import type { ScreenProps } from '../shell/screens.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
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
  const [newest] = evaluation.versions;
  const waits = user.role === 'agent' && newest !== undefined && newest.response === null;
  return (
    <>
      <PageHead
        title={t('evaluation.of', { when: moment(evaluation.recording.startedAt) })}
        lead={`${evaluation.scorecard.name}, ${evaluation.evaluator.name} · ${evaluation.agent.name}`}
      >
        <EvaluationState state={evaluation.state} />
        <a class="button" href={`/recordings/${evaluation.recording.id}`}>
          <Icon name="play" />
          {t('evaluation.listen')}
        </a>
      </PageHead>
      <p class="muted">{t('evaluation.expires', { date: longDay(evaluation.recording.retainUntil) })}</p>
      {evaluation.versions.map((version) => (
        <div class="panel evaluation-panel" key={version.version}>
          <ReadVersion evaluation={evaluation} version={version} />
        </div>
      ))}
      {waits && (
        <AnswerForm
          path={path}
          version={newest.version}
          answered={(next) => {
            setRenewed(next);
            say(t('evaluation.answered'));
          }}
        />
      )}
    </>
  );
}

interface AnswerProps {
  path: string;
  version: number;
  answered: (evaluation: OpenEvaluation) => void;
}

function AnswerForm({ path, version, answered }: AnswerProps) {
  const form = useForm({
    prefix: 'answer-',
    fields: ['response'],
    send: async (read) => {
      const body = { version, response: read('response') || undefined };
      answered(await ask<OpenEvaluation>(`${path}/answer`, { method: 'PUT', body }));
    },
  });
  return (
    <form
      class="panel form evaluation-panel"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(event.currentTarget);
      }}
    >
      {form.summary}
      <Field {...form.of('response')} label={t('evaluation.respond')} hint={t('evaluation.respondHint')}>
        {(wiring) => <textarea class="input" rows={4} maxLength={5000} {...wiring} />}
      </Field>
      <div class="actions">
        <button type="submit" class="button primary">
          {t('evaluation.answer')}
        </button>
      </div>
    </form>
  );
}
