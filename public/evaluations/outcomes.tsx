import type { ComponentChildren } from 'preact';
import { day, decimal, longDay } from '../format.js';
import { plural, t } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { BoneRows, Failure, State } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { place } from '../shell/router.js';
import { useUser } from '../shell/user.js';
import { WithConsent } from './consent.js';
import { type Days, PeriodFields, readDays, readdress } from './period.js';
import { AgentSelect, useAgents } from './screen.js';
import type { Outcome } from './types.js';
import { Ways } from './ways.js';
import './evaluations.css';

/** What outlives the recordings, for a year: the scores of one agent, never of several side by side. */
export function Outcomes() {
  const { role } = useUser();
  return (
    <>
      <PageHead title={t('outcomes.title')} lead={t(role === 'agent' ? 'outcomes.leadAgent' : 'outcomes.lead')} />
      <Ways here="/evaluations/outcomes" />
      <WithConsent>{role === 'agent' ? <List days={readDays(365)} /> : <OfAgent days={readDays(365)} />}</WithConsent>
    </>
  );
}

function OfAgent({ days }: { days: Days }) {
  const agents = useAgents();
  const agentId = place.value.query.get('agentId') ?? '';
  return (
    <List
      days={days}
      agentId={agentId}
      choice={
        <label class="field">
          <span class="label">{t('evaluations.agent')}</span>
          <AgentSelect
            agents={agents}
            value={agentId}
            none={t('outcomes.choose')}
            choose={(id) => readdress({ agentId: id })}
          />
        </label>
      }
    />
  );
}

interface ListProps {
  days: Days;
  /** Undefined: one's own. Empty: nobody was chosen yet. */
  agentId?: string;
  choice?: ComponentChildren;
}

function List({ days, agentId, choice }: ListProps) {
  return (
    <>
      <div class="narrow" role="group" aria-label={t('evaluations.narrow')}>
        {choice}
        <PeriodFields days={days} />
      </div>
      <div class="panel">
        {days.to < days.from ? (
          <State icon="clock" title={t('sample.periodWrong')} />
        ) : agentId === '' ? (
          <State icon="person" title={t('outcomes.choose')}>
            <p>{t('outcomes.chooseWhy')}</p>
          </State>
        ) : (
          <Found days={days} agentId={agentId} />
        )}
      </div>
    </>
  );
}

const columns = ['when', 'card', 'score', 'sections', 'kept'] as const;

function Found({ days, agentId }: { days: Days; agentId: string | undefined }) {
  const pages = usePages<Outcome>('/evaluation-outcomes', { agentId, ...days });
  const { first, items } = pages;
  const loading = first.state === 'loading';
  if (first.state === 'failed') return <Failure problem={first.problem} again={first.again} />;
  if (!loading && items.length === 0) {
    return (
      <State icon="audit" title={t('outcomes.none')}>
        <p>{t('outcomes.noneWhy')}</p>
      </State>
    );
  }
  return (
    <>
      <Table
        label={t('outcomes.title')}
        columns={columns.map((name) => ({ name: t(`outcomes.${name}`) }))}
        busy={loading}
      >
        {loading ? (
          <BoneRows rows={4} columns={columns.map(() => 60)} />
        ) : (
          items.map((outcome) => <Row key={outcome.evaluationId} outcome={outcome} />)
        )}
      </Table>
      <More pages={pages} shown={plural('outcomes.shown', items.length)} />
    </>
  );
}

const percent = (score: number | null) => (score === null ? t('evaluation.noScore') : `${decimal(score)}%`);

function Row({ outcome }: { outcome: Outcome }) {
  const { evaluationId, scorecard, score, sections, evaluatedAt, retainUntil, open } = outcome;
  return (
    <tr role="row">
      <Cell wide className="nowrap">
        {open ? (
          <a class="row-link" href={`/evaluations/${evaluationId}`}>
            {day(evaluatedAt)}
          </a>
        ) : (
          <span>
            {day(evaluatedAt)} <span class="muted">· {t('outcomes.callGone')}</span>
          </span>
        )}
      </Cell>
      <Cell label={t('outcomes.card')}>{scorecard.name}</Cell>
      <Cell label={t('outcomes.score')}>
        <strong>{percent(score)}</strong>
      </Cell>
      <Cell label={t('outcomes.sections')}>
        {sections.map((section) => (
          <span key={section.id} class="line">
            {section.title}: {percent(section.score)}
          </span>
        ))}
      </Cell>
      <Cell label={t('outcomes.kept')}>{longDay(retainUntil)}</Cell>
    </tr>
  );
}
