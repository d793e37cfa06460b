import type { Page } from '../api/types.js';
import { ask } from '../api/client.js';
import { decimal, moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import type { Colleague } from '../parts/people.js';
import { BoneRows, Failure, State, useLoaded } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { go, place } from '../shell/router.js';
import { useUser } from '../shell/user.js';
import { WithConsent } from './consent.js';
import type { Evaluation } from './types.js';
import { Ways } from './ways.js';
import '../recordings/recordings.css';

/** Evaluations by call, newest first; who is better than whom is not told. */
export function Evaluations() {
  const user = useUser();
  return (
    <>
      <PageHead
        title={t('evaluations.title')}
        lead={t(user.role === 'agent' ? 'evaluations.leadAgent' : 'evaluations.lead')}
      />
      <Ways here="/evaluations" />
      <WithConsent>{user.role !== 'administrator' && <List />}</WithConsent>
    </>
  );
}

const states = ['draft', 'submitted', 'acknowledged'] as const;

function List() {
  const user = useUser();
  const agent = user.role === 'agent';
  const { query } = place.value;
  const agentId = agent ? '' : (query.get('agentId') ?? '');
  const state = agent ? '' : (query.get('state') ?? '');
  const pages = usePages<Evaluation>('/evaluations', { agentId: agentId || undefined, state: state || undefined });
  const { first, items } = pages;
  const loading = first.state === 'loading';
  // Scores of several people are not set side by side.
  const scores = agent || agentId !== '';
  const columns = [
    'call',
    ...(agent ? [] : (['agent'] as const)),
    'card',
    'by',
    'state',
    ...(scores ? (['score'] as const) : []),
  ] as const;
  return (
    <>
      {!agent && <Narrow agentId={agentId} state={state} />}
      <div class="panel">
        {first.state === 'failed' && <Failure problem={first.problem} again={first.again} />}
        {first.state === 'ready' && items.length === 0 && (
          <State icon="audit" title={t(agentId || state ? 'evaluations.noneFound' : 'evaluations.none')}>
            <p>{t(agent ? 'evaluations.noneAgent' : 'evaluations.noneWhy')}</p>
          </State>
        )}
        {(loading || items.length > 0) && (
          <>
            <Table
              label={t('evaluations.title')}
              columns={columns.map((name) => ({ name: t(`evaluations.${name}`) }))}
              busy={loading}
            >
              {loading ? (
                <BoneRows rows={4} columns={columns.map(() => 70)} />
              ) : (
                items.map((evaluation) => (
                  <Row key={evaluation.id} evaluation={evaluation} agent={agent} scores={scores} />
                ))
              )}
            </Table>
            <More pages={pages} shown={plural('evaluations.shown', items.length)} />
          </>
        )}
      </div>
    </>
  );
}

function Row({ evaluation, agent, scores }: { evaluation: Evaluation; agent: boolean; scores: boolean }) {
  const { id, recording, score } = evaluation;
  const unread = agent && evaluation.state === 'submitted';
  // What is not finished is gone on with beside the call.
  const to = evaluation.state === 'draft' ? `/recordings/${recording.id}?tab=evaluation` : `/evaluations/${id}`;
  return (
    <tr role="row" class={unread ? 'unread' : undefined}>
      <Cell wide className="nowrap">
        <a class="row-link" href={to}>
          {moment(recording.startedAt)}
        </a>
      </Cell>
      {!agent && <Cell label={t('evaluations.agent')}>{evaluation.agent.name}</Cell>}
      <Cell label={t('evaluations.card')}>{evaluation.scorecard.name}</Cell>
      <Cell label={t('evaluations.by')}>{evaluation.evaluator.name}</Cell>
      <Cell label={t('evaluations.state')}>
        <EvaluationState evaluation={evaluation} />
      </Cell>
      {scores && <Cell label={t('evaluations.score')}>{score === null ? '–' : `${decimal(score)}%`}</Cell>}
    </tr>
  );
}

function Narrow({ agentId, state }: { agentId: string; state: string }) {
  const agents = useAgents();
  const narrow = (change: Record<string, string>) => {
    const told = new URLSearchParams(Object.entries({ agentId, state, ...change }).filter(([, value]) => value !== ''));
    go(`/evaluations${told.size > 0 ? `?${told.toString()}` : ''}`, { replace: true });
  };
  return (
    <div class="narrow" role="group" aria-label={t('evaluations.narrow')}>
      <label class="field">
        <span class="label">{t('evaluations.agent')}</span>
        <AgentSelect
          agents={agents}
          value={agentId}
          none={t('evaluations.everyone')}
          choose={(id) => narrow({ agentId: id })}
        />
      </label>
      <label class="field">
        <span class="label">{t('evaluations.state')}</span>
        <select class="input" onChange={(event) => narrow({ state: event.currentTarget.value })}>
          <option value="">{t('evaluations.anyState')}</option>
          {states.map((each) => (
            <option key={each} value={each} selected={each === state}>
              {t(`evaluations.only.${each}`)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

async function loadAgents(signal: AbortSignal): Promise<Colleague[]> {
  const found: Colleague[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<Colleague> = await ask('/people', { query: { limit: 200, cursor }, signal });
    found.push(...page.items.filter(({ role }) => role === 'agent'));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return found.sort((one, other) => one.name.localeCompare(other.name));
}

/** The agents, by name; none while they are loaded or cannot be. */
export function useAgents(): Colleague[] {
  const agents = useLoaded('agents', loadAgents);
  return agents.state === 'ready' ? agents.value : [];
}

interface SelectProps {
  agents: Colleague[];
  value: string;
  /** What choosing nobody is called. */
  none: string;
  choose: (id: string) => void;
}

/** Chooses one agent. */
export function AgentSelect({ agents, value, none, choose }: SelectProps) {
  return (
    <select class="input" onChange={(event) => choose(event.currentTarget.value)}>
      <option value="">{none}</option>
      {agents.map(({ id, name }) => (
        <option key={id} value={id} selected={id === value}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Where an evaluation stands; to its agent, whether there is something to read. */
export function EvaluationState({ evaluation: { state, open } }: { evaluation: Pick<Evaluation, 'state' | 'open'> }) {
  const user = useUser();
  const icon = { draft: 'clock', submitted: 'mail', acknowledged: 'ok', responded: 'person' } as const;
  const tone = state === 'acknowledged' || state === 'responded' ? 'ok' : 'neutral';
  const unread = user.role === 'agent' && state === 'submitted';
  return (
    <span class="flags">
      <Badge icon={icon[state]} tone={unread ? 'accent' : tone} plain>
        {t(unread ? 'evaluation.unread' : `evaluation.${state}`)}
      </Badge>
      {open && state !== 'draft' && (
        <Badge icon="clock" plain>
          {t('evaluation.reopened')}
        </Badge>
      )}
    </span>
  );
}
