import { ask } from '../api/client.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { useForm } from '../parts/form.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import type { OpenEvaluation, Scorecard } from './types.js';

const lastCardKey = 'opname.evaluation.card';

interface Props {
  recordingId: string;
  begun: (evaluation: OpenEvaluation) => void;
}

/** Begins an evaluation of this call; offers the scorecard used last, since calls are evaluated by the dozen. */
export function Begin({ recordingId, begun }: Props) {
  const cards = useLoaded('scorecards', (signal) => ask<{ items: Scorecard[] }>('/scorecards', { signal }));
  const agents = useLoaded(`agents ${recordingId}`, (signal) =>
    ask<{ agents: { id: string; name: string }[] }>(`/recordings/${recordingId}/shares`, { signal }),
  );
  const form = useForm({
    prefix: 'begin-',
    fields: ['scorecardId', 'agentId'],
    send: async (read) => {
      const scorecardId = read('scorecardId');
      const body = { scorecardId, agentId: read('agentId') || undefined };
      const evaluation = await ask<OpenEvaluation>(`/recordings/${recordingId}/evaluations`, { method: 'POST', body });
      sessionStorage.setItem(lastCardKey, scorecardId);
      begun(evaluation);
    },
  });
  if (cards.state === 'failed') return <Failure problem={cards.problem} again={cards.again} />;
  if (agents.state === 'failed') return <Failure problem={agents.problem} again={agents.again} />;
  if (cards.state === 'loading' || agents.state === 'loading') return <Bones count={2} />;
  const usable = cards.value.items.filter(({ archivedAt }) => archivedAt === null);
  const people = agents.value.agents;
  const last = sessionStorage.getItem(lastCardKey);
  if (people.length === 0) {
    return (
      <State icon="person" title={t('evaluation.nobody')}>
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
          <a class="button" href="/evaluations/scorecards/new">
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
      <p class="muted">{t('evaluation.beginWhy')}</p>
      <Field {...form.of('scorecardId')} label={t('evaluation.which')}>
        {(wiring) => (
          <select class="input" {...wiring}>
            {usable.map((card) => (
              <option key={card.id} value={card.id} selected={card.id === last}>
                {card.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {people.length === 1 ? (
        <p>{t('evaluation.ofWhom', { agent: people[0]?.name ?? '' })}</p>
      ) : (
        <Field {...form.of('agentId')} label={t('evaluations.agent')}>
          {(wiring) => (
            <select class="input" {...wiring}>
              {people.map((agent) => (
                <option key={agent.id} value={agent.id}>
                  {agent.name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <div class="actions">
        <button type="submit" class="button primary">
          {t('evaluation.begin')}
        </button>
      </div>
    </form>
  );
}
