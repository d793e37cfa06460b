import { ask } from '../api/client.js';
import type { Page } from '../api/types.js';
import { decimal, moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { BoneRows, Failure, State, useLoaded } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { useUser } from '../shell/user.js';
import { WithConsent } from './consent.js';
import type { Evaluation } from './types.js';
import '../recordings/recordings.css';

/** Evaluations by name and call, newest first; who is better than whom is not told. */
export function Evaluations() {
  const user = useUser();
  return (
    <>
      <PageHead title={t('evaluations.title')} lead={t('evaluations.lead')}>
        {user.role === 'trainer' && (
          <>
            <a class="button" href="/evaluations/sample">
              {t('sample.title')}
            </a>
            <a class="button" href="/evaluations/scorecards">
              {t('cards.title')}
            </a>
          </>
        )}
      </PageHead>
      <WithConsent>{user.role !== 'administrator' && <List />}</WithConsent>
    </>
  );
}

const columns = ['call', 'agent', 'card', 'by', 'state', 'score'] as const;

function List() {
  const user = useUser();
  const loaded = useLoaded('evaluations', (signal) =>
    ask<Page<Evaluation>>('/evaluations', { query: { limit: 200 }, signal }),
  );
  const items = loaded.state === 'ready' ? loaded.value.items : [];
  return (
    <div class="panel">
      {loaded.state === 'failed' && <Failure problem={loaded.problem} again={loaded.again} />}
      {loaded.state === 'ready' && items.length === 0 && (
        <State icon="audit" title={t('evaluations.none')}>
          <p>{t(user.role === 'agent' ? 'evaluations.noneAgent' : 'evaluations.noneWhy')}</p>
        </State>
      )}
      {(loaded.state === 'loading' || items.length > 0) && (
        <>
          <Table
            label={t('evaluations.title')}
            columns={columns.map((name) => ({ name: t(`evaluations.${name}`) }))}
            busy={loaded.state === 'loading'}
          >
            {loaded.state === 'loading' ? (
              <BoneRows rows={4} columns={columns.map(() => 70)} />
            ) : (
              items.map((evaluation) => (
                <tr role="row" key={evaluation.id}>
                  <Cell wide className="nowrap">
                    <a class="row-link" href={`/evaluations/${evaluation.id}`}>
                      {moment(evaluation.recording.startedAt)}
                    </a>
                  </Cell>
                  <Cell label={t('evaluations.agent')}>{evaluation.agent.name}</Cell>
                  <Cell label={t('evaluations.card')}>{evaluation.scorecard.name}</Cell>
                  <Cell label={t('evaluations.by')}>{evaluation.evaluator.name}</Cell>
                  <Cell label={t('evaluations.state')}>
                    <EvaluationState state={evaluation.state} />
                  </Cell>
                  <Cell label={t('evaluations.score')}>
                    {evaluation.score === null ? '–' : `${decimal(evaluation.score)}%`}
                  </Cell>
                </tr>
              ))
            )}
          </Table>
          <div class="more">
            <p class="muted" role="status">
              {loaded.state === 'loading' ? t('state.loading') : plural('evaluations.shown', items.length)}
            </p>
          </div>
        </>
      )}
    </div>
  );
}

/** Where an evaluation stands. */
export function EvaluationState({ state }: { state: Evaluation['state'] }) {
  const icon = { draft: 'clock', submitted: 'mail', acknowledged: 'ok', responded: 'person' } as const;
  return (
    <Badge icon={icon[state]} tone={state === 'acknowledged' || state === 'responded' ? 'ok' : 'neutral'} plain>
      {t(`evaluation.${state}`)}
    </Badge>
  );
}
