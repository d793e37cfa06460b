import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { useForm } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { asProblem, problemText } from '../parts/state.js';
import { say } from '../shell/toast.js';
import type { OpenEvaluation, Submitted } from './types.js';

interface Props {
  evaluation: OpenEvaluation;
  version: Submitted;
  answered: (evaluation: OpenEvaluation) => void;
}

/** For the agent: it was read, and what there is to say to it. Either will do; a response can be changed. */
export function AnswerForm({ evaluation, version, answered }: Props) {
  const path = `/evaluations/${evaluation.id}/answer`;
  const [writing, setWriting] = useState(version.response === null);
  const form = useForm({
    prefix: 'answer-',
    fields: ['response'],
    check: (read) => (read('response') === '' ? { response: t('evaluation.responseMissing') } : {}),
    send: async (read) => {
      const body = { version: version.version, response: read('response') };
      answered(await ask<OpenEvaluation>(path, { method: 'PUT', body }));
      setWriting(false);
      say(t('evaluation.answered'));
    },
  });
  async function acknowledge() {
    try {
      answered(await ask<OpenEvaluation>(path, { method: 'PUT', body: { version: version.version } }));
      say(t('evaluation.acknowledgedNow'));
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  }
  if (!writing) {
    return (
      <div class="actions">
        <button type="button" class="button" onClick={() => setWriting(true)}>
          {t('evaluation.respondAnew')}
        </button>
      </div>
    );
  }
  return (
    <form
      class="form answer-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(event.currentTarget);
      }}
    >
      {version.acknowledgedAt === null && (
        <div class="acknowledge">
          <p>{t('evaluation.acknowledgeWhy')}</p>
          <button type="button" class="button primary" onClick={() => void acknowledge()}>
            <Icon name="ok" />
            {t('evaluation.acknowledge')}
          </button>
        </div>
      )}
      {form.summary}
      <Field {...form.of('response')} label={t('evaluation.respond')} hint={t('evaluation.respondHint')}>
        {(wiring) => (
          <textarea class="input" rows={4} maxLength={5000} defaultValue={version.response ?? ''} {...wiring} />
        )}
      </Field>
      <div class="actions">
        <button type="submit" class="button">
          {t('evaluation.answer')}
        </button>
      </div>
    </form>
  );
}
