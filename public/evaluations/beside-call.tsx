import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Page, Recording } from '../api/types.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog, useForm } from '../parts/form.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import type { Playback } from '../player/playback.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
import { WithConsent } from './consent.js';
import { DraftForm } from './draft.js';
import { ReadVersion } from './read.js';
import type { Evaluation, OpenEvaluation, Scorecard } from './types.js';

interface Props {
  recording: Recording;
  playback: Playback;
}

/** The evaluation of this call by this trainer, beside the player. */
export function EvaluationTab(props: Props) {
  return (
    <div class="evaluation-tab">
      <WithConsent>
        <Own {...props} />
      </WithConsent>
    </div>
  );
}

function Own({ recording, playback }: Props) {
  const user = useUser();
  const [renewed, setRenewed] = useState<OpenEvaluation | undefined>();
  const [revising, setRevising] = useState(false);
  const loaded = useLoaded(recording.id, async (signal) => {
    const query = { recordingId: recording.id, limit: 50 };
    const { items } = await ask<Page<Evaluation>>('/evaluations', { query, signal });
    const own = items.find(({ evaluator }) => evaluator.id === user.id);
    return own ? await ask<OpenEvaluation>(`/evaluations/${own.id}`, { signal }) : undefined;
  });
  if (loaded.state === 'failed') return <Failure problem={loaded.problem} again={loaded.again} />;
  if (loaded.state === 'loading') return <Bones count={4} />;
  const evaluation = renewed ?? loaded.value;
  if (!evaluation) return <Begin recordingId={recording.id} begun={setRenewed} />;
  if (evaluation.draft) {
    return (
      <DraftForm
        key={`${evaluation.id} ${evaluation.version}`}
        evaluation={evaluation}
        draft={evaluation.draft}
        playback={playback}
        submitted={setRenewed}
      />
    );
  }
  const [newest] = evaluation.versions;
  return (
    <>
      {newest && <ReadVersion evaluation={evaluation} version={newest} />}
      <div class="actions">
        <button type="button" class="button small" onClick={() => setRevising(true)}>
          {t('evaluation.revise')}
        </button>
      </div>
      {revising && (
        <FormDialog
          title={t('evaluation.revise')}
          label={t('evaluation.revise')}
          prefix="revise-"
          fields={['reason']}
          check={(read) => (read('reason') === '' ? { reason: t('evaluation.reasonMissing') } : {})}
          send={async (read) => {
            const body = { reason: read('reason') };
            setRenewed(await ask<OpenEvaluation>(`/evaluations/${evaluation.id}/revise`, { method: 'POST', body }));
            setRevising(false);
            say(t('evaluation.revised'));
          }}
          close={() => setRevising(false)}
        >
          {(of) => (
            <Field {...of('reason')} label={t('evaluation.reviseReason')}>
              {(wiring) => <textarea class="input" rows={3} maxLength={5000} aria-required="true" {...wiring} />}
            </Field>
          )}
        </FormDialog>
      )}
    </>
  );
}

function Begin({ recordingId, begun }: { recordingId: string; begun: (evaluation: OpenEvaluation) => void }) {
  const cards = useLoaded('scorecards', (signal) => ask<{ items: Scorecard[] }>('/scorecards', { signal }));
  const agents = useLoaded(`agents ${recordingId}`, (signal) =>
    ask<{ agents: { id: string; name: string }[] }>(`/recordings/${recordingId}/shares`, { signal }),
  );
  const form = useForm({
    prefix: 'begin-',
    fields: ['scorecardId', 'agentId'],
    send: async (read) => {
      const body = { scorecardId: read('scorecardId'), agentId: read('agentId') || undefined };
      begun(await ask<OpenEvaluation>(`/recordings/${recordingId}/evaluations`, { method: 'POST', body }));
    },
  });
  if (cards.state === 'failed') return <Failure problem={cards.problem} again={cards.again} />;
  if (agents.state === 'failed') return <Failure problem={agents.problem} again={agents.again} />;
  if (cards.state === 'loading' || agents.state === 'loading') return <Bones count={2} />;
  const usable = cards.value.items.filter(({ archivedAt }) => archivedAt === null);
  if (agents.value.agents.length === 0) {
    return (
      <State icon="person" title={t('evaluations.none')}>
        <p>{t('share.nobody')}</p>
      </State>
    );
  }
  if (usable.length === 0) {
    return (
      <State
        icon="audit"
        title={t('evaluation.noCards')}
        actions={
          <a class="button" href="/evaluations/scorecards">
            {t('evaluation.makeCard')}
          </a>
        }
      />
    );
  }
  return (
    <form
      class="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(event.currentTarget);
      }}
    >
      {form.summary}
      <Field {...form.of('scorecardId')} label={t('evaluation.which')}>
        {(wiring) => (
          <select class="input" {...wiring}>
            {usable.map((card) => (
              <option key={card.id} value={card.id}>
                {card.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field {...form.of('agentId')} label={t('evaluations.agent')}>
        {(wiring) => (
          <select class="input" {...wiring}>
            {agents.value.agents.map((agent) => (
              <option key={agent.id} value={agent.id}>
                {agent.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div class="actions">
        <button type="submit" class="button primary">
          {t('evaluation.begin')}
        </button>
      </div>
    </form>
  );
}
