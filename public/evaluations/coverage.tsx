import { ask } from '../api/client.js';
import { longDay } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { BoneRows, Failure, State, useLoaded } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { WithConsent } from './consent.js';
import { type Days, PeriodFields, readDays } from './period.js';
import type { Coverage as Covered } from './types.js';
import { Ways } from './ways.js';
import './evaluations.css';

/** Who has been listened to in a period: by name and without scores, to see who was passed over. */
export function Coverage() {
  return (
    <>
      <PageHead title={t('coverage.title')} lead={t('coverage.lead')} />
      <Ways here="/evaluations/coverage" />
      <WithConsent>
        <Overview days={readDays(30)} />
      </WithConsent>
    </>
  );
}

const columns = ['agent', 'calls', 'listened', 'last', 'shared', 'evaluated', 'next'] as const;

function Overview({ days }: { days: Days }) {
  const wrong = days.to < days.from;
  const loaded = useLoaded(`coverage ${days.from} ${days.to}`, async (signal) =>
    wrong ? [] : (await ask<{ items: Covered[] }>('/training-overview', { query: { ...days }, signal })).items,
  );
  const items = loaded.state === 'ready' ? loaded.value : [];
  const none = items.filter(({ calls, listened }) => calls > 0 && listened === 0).length;
  return (
    <>
      <div class="narrow" role="group" aria-label={t('coverage.period')}>
        <PeriodFields days={days} />
      </div>
      <div class="panel">
        {loaded.state === 'failed' && <Failure problem={loaded.problem} again={loaded.again} />}
        {wrong && <State icon="clock" title={t('sample.periodWrong')} />}
        {!wrong && loaded.state === 'ready' && items.length === 0 && (
          <State icon="users" title={t('coverage.none')}>
            <p>{t('coverage.noneWhy')}</p>
          </State>
        )}
        {!wrong && (loaded.state === 'loading' || items.length > 0) && (
          <>
            <Table
              label={t('coverage.title')}
              columns={columns.map((name) => ({ name: t(`coverage.${name}`), unseen: name === 'next' }))}
              busy={loaded.state === 'loading'}
            >
              {loaded.state === 'loading' ? (
                <BoneRows rows={4} columns={columns.map(() => 60)} />
              ) : (
                items.map((each) => <Row key={each.agent.id} covered={each} days={days} />)
              )}
            </Table>
            <div class="more">
              <p class="muted" role="status">
                {loaded.state === 'loading'
                  ? t('state.loading')
                  : [
                      plural('coverage.shown', items.length),
                      none > 0 ? plural('coverage.passedOver', none) : t('coverage.nobodyPassedOver'),
                    ].join(' ')}
              </p>
            </div>
          </>
        )}
      </div>
    </>
  );
}

function Row({ covered, days }: { covered: Covered; days: Days }) {
  const { agent, extensions, calls, listened, lastListenedAt, shared, evaluated } = covered;
  const draw = new URLSearchParams({ agentId: agent.id, ...days });
  return (
    <tr role="row">
      <Cell wide>
        <strong>{agent.name}</strong>
        {extensions.length > 0 && <span class="muted"> {extensions.join(', ')}</span>}
      </Cell>
      <Cell label={t('coverage.calls')}>{calls}</Cell>
      <Cell label={t('coverage.listened')}>
        {calls > 0 && listened === 0 ? (
          <Badge icon="warning" tone="warn" plain>
            {t('coverage.notYet')}
          </Badge>
        ) : (
          listened
        )}
      </Cell>
      <Cell label={t('coverage.last')}>{lastListenedAt === null ? '–' : longDay(lastListenedAt)}</Cell>
      <Cell label={t('coverage.shared')}>{shared}</Cell>
      <Cell label={t('coverage.evaluated')}>{evaluated}</Cell>
      <Cell>
        {extensions.length === 0 ? (
          <span class="muted">{t('coverage.noExtension')}</span>
        ) : (
          calls > 0 && (
            <a
              class="button small"
              aria-label={t('coverage.drawFor', { name: agent.name })}
              href={`/evaluations/sample?${draw.toString()}`}
            >
              {t('coverage.draw')}
            </a>
          )
        )}
      </Cell>
    </tr>
  );
}
