import { ask } from '../api/client.js';
import { day, moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { useForm } from '../parts/form.js';
import { PageHead } from '../parts/heading.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { BoneRows, Failure, State } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { go, place } from '../shell/router.js';
import { WithConsent } from './consent.js';
import { readDays } from './period.js';
import { useAgents } from './screen.js';
import type { OpenSample, Sample } from './types.js';
import { Ways } from './ways.js';
import './evaluations.css';

/** Draws calls by lot, on record, and shows what was drawn before. */
export function Samples() {
  return (
    <>
      <PageHead title={t('samples.title')} lead={t('sample.lead')} />
      <Ways here="/evaluations/sample" />
      <WithConsent>
        <Draw />
        <Earlier />
      </WithConsent>
    </>
  );
}

/** The days of a period whose end is exclusive. */
export const daysOf = ({ from, until }: Pick<Sample, 'from' | 'until'>) => ({
  from: day(from),
  to: day(Date.parse(until) - 1),
});

function Draw() {
  const agents = useAgents();
  const days = readDays(30);
  const wanted = place.value.query.get('agentId');
  const form = useForm({
    prefix: 'sample-',
    fields: ['agentId', 'from', 'to', 'size'],
    check: (read) => ({
      ...(read('agentId') === '' ? { agentId: t('sample.agentMissing') } : {}),
      ...(read('from') === '' ? { from: t('sample.periodMissing') } : {}),
      ...(read('to') === '' ? { to: t('sample.periodMissing') } : {}),
      ...(read('to') !== '' && read('to') < read('from') ? { to: t('sample.periodWrong') } : {}),
      ...(/^\d+$/.test(read('size')) && Number(read('size')) >= 1 && Number(read('size')) <= 50
        ? {}
        : { size: t('sample.sizeWrong') }),
    }),
    send: async (read) => {
      const body = { agentId: read('agentId'), from: read('from'), to: read('to'), size: Number(read('size')) };
      const { id } = await ask<OpenSample>('/samples', { method: 'POST', body });
      go(`/evaluations/sample/${id}`);
    },
  });
  return (
    <form
      class="panel form draw"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(event.currentTarget);
      }}
    >
      <h2>{t('sample.title')}</h2>
      {form.summary}
      <div class="pair">
        <Field {...form.of('agentId')} label={t('sample.agent')}>
          {(wiring) => (
            <select class="input" aria-required="true" {...wiring}>
              <option value="">{t('sample.chooseAgent')}</option>
              {agents.map((agent) => (
                <option key={agent.id} value={agent.id} selected={agent.id === wanted}>
                  {agent.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field {...form.of('from')} label={t('sample.from')}>
          {(wiring) => <input class="input" type="date" aria-required="true" defaultValue={days.from} {...wiring} />}
        </Field>
        <Field {...form.of('to')} label={t('sample.to')}>
          {(wiring) => <input class="input" type="date" aria-required="true" defaultValue={days.to} {...wiring} />}
        </Field>
        <Field {...form.of('size')} label={t('sample.size')}>
          {(wiring) => (
            <input
              class="input"
              inputMode="numeric"
              aria-required="true"
              defaultValue="5"
              autocomplete="off"
              {...wiring}
            />
          )}
        </Field>
      </div>
      <div class="actions">
        <button type="submit" class="button primary">
          {t('sample.draw')}
        </button>
      </div>
    </form>
  );
}

const columns = ['agent', 'period', 'size', 'by', 'when'] as const;

function Earlier() {
  const pages = usePages<Sample>('/samples', {});
  const { first, items } = pages;
  const loading = first.state === 'loading';
  return (
    <section class="panel" aria-labelledby="samples-title">
      <h2 class="panel-title" id="samples-title">
        {t('samples.earlier')}
      </h2>
      {first.state === 'failed' && <Failure problem={first.problem} again={first.again} />}
      {first.state === 'ready' && items.length === 0 && (
        <State icon="search" title={t('samples.none')}>
          <p>{t('samples.noneWhy')}</p>
        </State>
      )}
      {(loading || items.length > 0) && (
        <>
          <Table
            label={t('samples.earlier')}
            columns={columns.map((name) => ({ name: t(`samples.${name}`) }))}
            busy={loading}
          >
            {loading ? (
              <BoneRows rows={3} columns={columns.map(() => 60)} />
            ) : (
              items.map((sample) => (
                <tr role="row" key={sample.id}>
                  <Cell wide>
                    <a class="row-link" href={`/evaluations/sample/${sample.id}`}>
                      {sample.agent.name}
                    </a>
                  </Cell>
                  <Cell label={t('samples.period')}>{t('samples.days', daysOf(sample))}</Cell>
                  <Cell label={t('samples.size')}>
                    {t('samples.sizeOf', {
                      size: Math.min(sample.size, sample.population),
                      population: sample.population,
                    })}
                  </Cell>
                  <Cell label={t('samples.by')}>{sample.drawnBy.name}</Cell>
                  <Cell label={t('samples.when')}>{moment(sample.drawnAt)}</Cell>
                </tr>
              ))
            )}
          </Table>
          <More pages={pages} shown={plural('samples.shown', items.length)} />
        </>
      )}
    </section>
  );
}
