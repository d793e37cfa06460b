import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { moment } from '../format.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Icon } from '../parts/icon.js';
import { asProblem, problemText } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { say } from '../shell/toast.js';
import { type ComparedRule, compareRules } from './due.js';
import type { Lifecycle, Rule } from './types.js';

const marks = {
  same: { icon: 'ok', tone: 'ok' },
  different: { icon: 'warning', tone: 'warn' },
  missing: { icon: 'error', tone: 'error' },
  foreign: { icon: 'person', tone: 'neutral' },
} as const;

/** The rules of the bucket beside what they should be; a drift is told apart from a storage that knows no rules. */
export function LifecyclePanel(props: { known: Lifecycle | null; mayChange: boolean }) {
  const [lifecycle, setLifecycle] = useState(props.known);
  const act = async (what: 'check' | 'apply') => {
    try {
      setLifecycle(await ask<Lifecycle>(`/retention/lifecycle/${what}`, { method: 'POST' }));
      say(t(what === 'check' ? 'lifecycle.checkedNow' : 'lifecycle.appliedNow'));
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  };
  return (
    <section class="panel" aria-labelledby="lifecycle">
      <h2 id="lifecycle" class="panel-title">
        {t('lifecycle.title')}
      </h2>
      <p class="panel-lead muted">{t('lifecycle.why')}</p>
      <div class="panel-lead">
        <Stand lifecycle={lifecycle} />
      </div>
      {lifecycle !== null && lifecycle.state !== 'unsupported' && (
        <Table
          label={t('lifecycle.title')}
          columns={[
            { name: t('lifecycle.rule') },
            { name: t('lifecycle.expected') },
            { name: t('lifecycle.actual') },
            { name: t('lifecycle.state') },
          ]}
        >
          {compareRules(lifecycle.expected, lifecycle.actual).map((rule) => (
            <Row key={rule.id} rule={rule} />
          ))}
        </Table>
      )}
      {props.mayChange && (
        <div class="panel-foot actions">
          <button type="button" class="button" onClick={() => void act('check')}>
            <Icon name="rotate" />
            {t('lifecycle.check')}
          </button>
          {lifecycle?.state === 'drifted' && (
            <button type="button" class="button primary" onClick={() => void act('apply')}>
              {t('lifecycle.apply')}
            </button>
          )}
        </div>
      )}
    </section>
  );
}

function Stand({ lifecycle }: { lifecycle: Lifecycle | null }) {
  if (lifecycle === null) {
    return (
      <p class="notice" role="status">
        <Icon name="clock" />
        <span>{t('lifecycle.unchecked')}</span>
      </p>
    );
  }
  const { state, checkedAt } = lifecycle;
  const good = state === 'in_sync';
  return (
    <div class={`notice ${good ? 'ok' : 'warn'}`} role="status">
      <Icon name={good ? 'ok' : 'warning'} />
      <div>
        <strong>{t(`lifecycle.${state}`)}</strong> {t('lifecycle.checkedAt', { when: moment(checkedAt) })}
        {!good && <p>{t(state === 'drifted' ? 'lifecycle.driftedWhy' : 'lifecycle.unsupportedWhy')}</p>}
      </div>
    </div>
  );
}

function Row({ rule: { id, state, expected, actual } }: { rule: ComparedRule }) {
  const { icon, tone } = marks[state];
  return (
    <tr role="row">
      <Cell wide>
        <code>{id}</code>
      </Cell>
      <Cell wide label={t('lifecycle.expected')}>
        {expected ? words(expected) : t('lifecycle.nothing')}
      </Cell>
      <Cell wide label={t('lifecycle.actual')}>
        {actual ? words(actual) : t('lifecycle.nothing')}
      </Cell>
      <Cell label={t('lifecycle.state')}>
        <Badge icon={icon} tone={tone} plain>
          {t(`lifecycle.${state}`)}
        </Badge>
      </Cell>
    </tr>
  );
}

/** A rule as a person would say it: "recordings/, alleen met hold=0: weg na 90 dagen". */
function words(rule: Rule): string {
  const tags = Object.entries(rule.tags ?? {}).map(([name, value]) => `${name}=${value}`);
  const of = [rule.prefix || t('lifecycle.everywhere'), tags.length > 0 && t('lifecycle.tagged', { tags: tags.join(', ') })];
  const what = [
    rule.enabled === false && t('lifecycle.off'),
    rule.expireAfterDays !== undefined && t('lifecycle.expire', { days: rule.expireAfterDays }),
    rule.abortUploadsAfterDays !== undefined && t('lifecycle.abort', { days: rule.abortUploadsAfterDays }),
    rule.expireNoncurrentAfterDays !== undefined && t('lifecycle.noncurrent', { days: rule.expireNoncurrentAfterDays }),
    rule.removeExpiredDeleteMarkers && t('lifecycle.markers'),
  ];
  return `${of.filter(Boolean).join(', ')}: ${what.filter(Boolean).join('; ')}`;
}
