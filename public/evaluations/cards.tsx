import { ask } from '../api/client.js';
import { longDay } from '../format.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { BoneRows, Failure, State, useLoaded } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { sizeOf } from './card-screen.js';
import { WithConsent } from './consent.js';
import type { Scorecard } from './types.js';
import { Ways } from './ways.js';
import './evaluations.css';

/** Scorecards, shared among trainers. */
export function Scorecards() {
  return (
    <>
      <PageHead title={t('cards.title')} lead={t('cards.lead')}>
        <a class="button primary" href="/evaluations/scorecards/new">
          <Icon name="plus" />
          {t('cards.new')}
        </a>
      </PageHead>
      <Ways here="/evaluations/scorecards" />
      <WithConsent>
        <Cards />
      </WithConsent>
    </>
  );
}

function Cards() {
  const loaded = useLoaded('scorecards', (signal) => ask<{ items: Scorecard[] }>('/scorecards', { signal }));
  if (loaded.state === 'failed') return <Failure problem={loaded.problem} again={loaded.again} />;
  const items = loaded.state === 'ready' ? loaded.value.items : [];
  const loading = loaded.state === 'loading';
  if (!loading && items.length === 0) {
    return (
      <div class="panel">
        <State
          icon="audit"
          title={t('cards.none')}
          actions={
            <a class="button" href="/evaluations/scorecards/new">
              {t('cards.new')}
            </a>
          }
        >
          <p>{t('cards.noneWhy')}</p>
        </State>
      </div>
    );
  }
  return (
    <div class="panel">
      <Table
        label={t('cards.title')}
        columns={(['name', 'size', 'newest', 'changed'] as const).map((name) => ({ name: t(`cards.${name}`) }))}
        busy={loading}
      >
        {loading ? (
          <BoneRows rows={3} columns={[70, 60, 30, 60]} />
        ) : (
          items.map((card) => (
            <tr role="row" key={card.id}>
              <Cell wide>
                <a class="row-link" href={`/evaluations/scorecards/${card.id}`}>
                  {card.name}
                </a>{' '}
                {card.archivedAt && (
                  <Badge icon="restricted" plain>
                    {t('cards.archived')}
                  </Badge>
                )}
              </Cell>
              <Cell label={t('cards.size')}>{sizeOf(card)}</Cell>
              <Cell label={t('cards.newest')}>{card.version}</Cell>
              <Cell label={t('cards.changed')}>
                {t('cards.writtenBy', { name: card.changedBy.name, when: longDay(card.changedAt) })}
              </Cell>
            </tr>
          ))
        )}
      </Table>
    </div>
  );
}
