import { moment } from '../format.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { Cell, Table } from '../parts/table.js';
import type { Failing } from './types.js';
import { itemName } from './words.js';

/** Deletions that the storage refuses, each with its own count of attempts. */
export function FailingTable({ failing }: { failing: Failing[] }) {
  return (
    <section class="panel" aria-labelledby="failing">
      <h2 id="failing" class="panel-title">
        {t('retentionScreen.failing')}
      </h2>
      <p class="panel-lead">
        <Icon name="warning" /> {t('retentionScreen.failingWhy')}
      </p>
      <Table
        label={t('retentionScreen.failing')}
        columns={[
          { name: t('retentionScreen.item') },
          { name: t('retentionScreen.since') },
          { name: t('retentionScreen.attempts'), number: true },
          { name: t('retentionScreen.fault') },
        ]}
      >
        {failing.map(({ category, id, attempts, fault, begunAt }) => (
          <tr key={category + id} role="row">
            <Cell wide>{itemName(category, id)}</Cell>
            <Cell label={t('retentionScreen.since')}>{moment(begunAt)}</Cell>
            <Cell className="number" label={t('retentionScreen.attempts')}>
              {attempts}
            </Cell>
            <Cell wide label={t('retentionScreen.fault')}>
              <code>{fault ?? t('value.unknown')}</code>
            </Cell>
          </tr>
        ))}
      </Table>
    </section>
  );
}
