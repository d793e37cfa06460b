import { longDay } from '../format.js';
import { t } from '../i18n.js';
import { Cell, Table } from '../parts/table.js';
import type { Policy } from './types.js';
import { periodWords, stuff } from './words.js';

/** The periods in force. What is here already keeps the date it got when it came in. */
export function Policies({ policies }: { policies: Policy[] }) {
  return (
    <section class="panel" aria-labelledby="policies">
      <h2 id="policies" class="panel-title">
        {t('policy.title')}
      </h2>
      <Table
        label={t('policy.title')}
        className="compact"
        columns={[{ name: t('policy.category') }, { name: t('policy.period') }, { name: t('policy.since') }]}
      >
        {policies.map(({ category, amount, unit, inForceFrom }) => (
          <tr key={category} role="row">
            <Cell wide>{stuff(category)}</Cell>
            <Cell label={t('policy.period')}>{periodWords(amount, unit)}</Cell>
            <Cell label={t('policy.since')}>
              {Date.parse(inForceFrom) === 0 ? t('policy.always') : longDay(inForceFrom)}
            </Cell>
          </tr>
        ))}
      </Table>
    </section>
  );
}
