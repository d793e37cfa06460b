import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { dateBefore, decimal, startOfDay } from '../format.js';
import { t, textOf } from '../i18n.js';
import { Field } from '../parts/field.js';
import { PageHead } from '../parts/heading.js';
import { BoneRows, Failure, State, useLoaded } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { BackToQueue } from './back.js';
import { inOrder, type Statistics } from './types.js';
import './privacy.css';

/** How many were asked for, how they ended and how long it took: figures in which nobody can be recognised. */
export function StatisticsScreen() {
  const [from, setFrom] = useState(dateBefore(365));
  const [to, setTo] = useState(dateBefore(0));
  const wrong = from === '' || to === '' ? t('report.missing') : from > to ? t('report.backward') : undefined;
  return (
    <>
      <BackToQueue />
      <PageHead title={t('statistics.title')} lead={t('statistics.lead')} />
      <div class="panel">
        <div class="panel-body form">
          <div class="pair">
            {(
              [
                ['from', from, setFrom, undefined],
                ['to', to, setTo, wrong],
              ] as const
            ).map(([name, value, set, fault]) => (
              <Field key={name} name={`statistics-${name}`} label={t(`statistics.${name}`)} fault={fault}>
                {(wiring) => (
                  <input
                    class="input"
                    type="date"
                    value={value}
                    onChange={(event) => set(event.currentTarget.value)}
                    {...wiring}
                  />
                )}
              </Field>
            ))}
          </div>
        </div>
        {wrong === undefined && <Figures key={`${from} ${to}`} from={from} to={to} />}
      </div>
    </>
  );
}

function Figures({ from, to }: { from: string; to: string }) {
  const query = { from: startOfDay(from), to: startOfDay(to, 1) };
  const loaded = useLoaded(`${from} ${to}`, (signal) =>
    ask<Statistics>('/privacy-requests/statistics', { query, signal }),
  );
  if (loaded.state === 'failed') return <Failure problem={loaded.problem} again={loaded.again} />;
  const columns = (['right', 'outcome', 'count', 'days'] as const).map((name, index) => ({
    name: t(`statistics.${name}`),
    number: index > 1,
  }));
  if (loaded.state === 'ready' && loaded.value.received === 0)
    return (
      <State icon="mail" title={t('statistics.none')}>
        <p>{t('statistics.noneWhy')}</p>
      </State>
    );
  return (
    <>
      {loaded.state === 'ready' && (
        <p class="panel-body" role="status">
          {t('statistics.counts', {
            received: loaded.value.received,
            open: loaded.value.open,
            overdue: loaded.value.overdue,
          })}
        </p>
      )}
      <Table label={t('statistics.title')} columns={columns} busy={loaded.state === 'loading'}>
        {loaded.state === 'loading' ? (
          <BoneRows rows={4} columns={[60, 60, 30, 30]} />
        ) : (
          inOrder(loaded.value.byRight).map(({ right, outcome, count, medianDays }) => (
            <tr key={`${right} ${outcome}`} role="row">
              <Cell wide>{t(`right.${right}`)}</Cell>
              <Cell label={t('statistics.outcome')}>{textOf(`outcome.${outcome}`) ?? t('statistics.openYet')}</Cell>
              <Cell label={t('statistics.count')} className="number">
                {count}
              </Cell>
              <Cell label={t('statistics.days')} className="number">
                {medianDays === null ? '–' : decimal(medianDays)}
              </Cell>
            </tr>
          ))
        )}
      </Table>
    </>
  );
}
