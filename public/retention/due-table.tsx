import { useState } from 'preact/hooks';
import { day, startOfDay } from '../format.js';
import { t } from '../i18n.js';
import { State } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { dueDays } from './due.js';
import type { DueCount } from './types.js';
import { stuff } from './words.js';

const first = 14;

/** What falls due on which day, by category. */
export function DueTable({ due }: { due: DueCount[] }) {
  const [all, setAll] = useState(false);
  const days = dueDays(due);
  const categories = [...new Set(due.map(({ category }) => category))].sort();
  const shown = all ? days : days.slice(0, first);
  return (
    <section class="panel" aria-labelledby="due">
      <h2 id="due" class="panel-title">
        {t('retentionScreen.due')}
      </h2>
      {days.length === 0 ? (
        <State icon="clock" title={t('retentionScreen.nothingDue')}>
          <p>{t('retentionScreen.nothingDueWhy')}</p>
        </State>
      ) : (
        <>
          <Table
            label={t('retentionScreen.due')}
            className="compact"
            columns={[
              { name: t('retentionScreen.date') },
              ...categories.map((category) => ({ name: stuff(category), number: true })),
              { name: t('retentionScreen.total'), number: true },
            ]}
          >
            {shown.map(({ date, counts, total }) => (
              <tr key={date} role="row">
                <Cell wide className="nowrap">
                  {day(startOfDay(date))}
                </Cell>
                {categories.map((category) => (
                  <Cell key={category} className="number" label={counts.has(category) ? stuff(category) : undefined}>
                    {counts.get(category)}
                  </Cell>
                ))}
                <Cell className="number" label={t('retentionScreen.total')}>
                  <strong>{total}</strong>
                </Cell>
              </tr>
            ))}
          </Table>
          {days.length > shown.length && (
            <div class="more">
              <button type="button" class="button" onClick={() => setAll(true)}>
                {t('retentionScreen.allDays', { count: days.length })}
              </button>
            </div>
          )}
        </>
      )}
    </section>
  );
}
