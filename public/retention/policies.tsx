import { useState } from 'preact/hooks';
import { longDay } from '../format.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Cell, Table } from '../parts/table.js';
import { ChangePeriod } from './change-period.js';
import type { Policy } from './types.js';
import { periodWords, stuff } from './words.js';

interface Props {
  policies: Policy[];
  mayChange: boolean;
  changed: () => void;
}

/** The periods in force. What is here already keeps the date it got when it came in, unless it is shortened too. */
export function Policies({ policies, mayChange, changed }: Props) {
  const [changing, setChanging] = useState<Policy | undefined>();
  const columns = (['category', 'period', 'since', 'actions'] as const)
    .filter((name) => mayChange || name !== 'actions')
    .map((name) => ({ name: t(`policy.${name}`), unseen: name === 'actions' }));
  return (
    <section class="panel" aria-labelledby="policies">
      <h2 id="policies" class="panel-title">
        {t('policy.title')}
      </h2>
      <Table label={t('policy.title')} className="compact" columns={columns}>
        {policies.map((policy) => (
          <tr key={policy.category} role="row">
            <Cell wide>{stuff(policy.category)}</Cell>
            <Cell label={t('policy.period')}>
              {periodWords(policy.amount, policy.unit)}
              {policy.shortening === 'under_way' && (
                <span class="line">
                  <Badge icon="clock" plain>
                    {t('policy.underWay')}
                  </Badge>
                </span>
              )}
            </Cell>
            <Cell label={t('policy.since')}>
              {Date.parse(policy.inForceFrom) === 0 ? t('policy.always') : longDay(policy.inForceFrom)}
            </Cell>
            {mayChange && (
              <Cell className="row-actions">
                <button
                  type="button"
                  class="button small"
                  aria-label={t('policy.changeOf', { what: stuff(policy.category) })}
                  onClick={() => setChanging(policy)}
                >
                  {t('policy.change')}
                </button>
              </Cell>
            )}
          </tr>
        ))}
      </Table>
      {changing !== undefined && (
        <ChangePeriod
          policy={changing}
          close={() => setChanging(undefined)}
          done={() => {
            setChanging(undefined);
            changed();
          }}
        />
      )}
    </section>
  );
}
