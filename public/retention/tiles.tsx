import type { ComponentChildren } from 'preact';
import { plural, t } from '../i18n.js';
import { Icon, type IconName } from '../parts/icon.js';
import { dueWithinWeek } from './due.js';
import type { Overview } from './types.js';

/** The four numbers that tell whether all is well. */
export function Tiles({ overview }: { overview: Overview }) {
  const { overdue, held, unconfirmedHolds, reviewsDue } = overview;
  const late = overdue > 0;
  return (
    <dl class="tiles">
      <Tile name={t('retentionScreen.deletedToday')} value={overview.deletedToday} icon="bin" />
      <Tile name={t('retentionScreen.within7')} value={dueWithinWeek(overview.due)} icon="clock" />
      <Tile
        name={t('retentionScreen.overdue')}
        value={overdue}
        icon={late ? 'error' : 'ok'}
        tone={late ? 'error' : 'ok'}
      >
        <strong>{t(late ? 'retentionScreen.overdueBad' : 'retentionScreen.overdueOk')}</strong>
        {late && ` ${t('retentionScreen.overdueWhy')}`}
      </Tile>
      <Tile name={t('retentionScreen.held')} value={held} icon="hold" tone={held > 0 ? 'hold' : undefined}>
        {unconfirmedHolds > 0 && <span class="line">{plural('retentionScreen.unconfirmed', unconfirmedHolds)}</span>}
        {reviewsDue > 0 && <span class="line">{plural('retentionScreen.reviewsDue', reviewsDue)}</span>}
        <a href="/holds">{t('holds.open')}</a>
      </Tile>
    </dl>
  );
}

function Tile(props: {
  name: string;
  value: number;
  icon: IconName;
  tone?: 'ok' | 'error' | 'hold' | undefined;
  children?: ComponentChildren;
}) {
  return (
    <div class={`tile ${props.tone ?? ''}`}>
      <dt>
        <Icon name={props.icon} />
        {props.name}
      </dt>
      <dd class="tile-value">{props.value}</dd>
      {props.children !== undefined && <dd class="tile-note">{props.children}</dd>}
    </div>
  );
}
