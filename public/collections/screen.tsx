import { useState } from 'preact/hooks';
import { daysUntil } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { BoneRows, Failure, State } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { go } from '../shell/router.js';
import { say } from '../shell/toast.js';
import { NameDialog } from './name.js';
import type { Collection } from './types.js';
import '../recordings/recordings.css';
import './collections.css';

const columns = ['name', 'items', 'by', 'expires'] as const;

/** All collections: trainers share them. */
export function Collections() {
  const pages = usePages<Collection>('/collections', {});
  const { first, items } = pages;
  const [making, setMaking] = useState(false);
  const make = (
    <button type="button" class="button primary" onClick={() => setMaking(true)}>
      <Icon name="plus" />
      {t('collections.new')}
    </button>
  );
  return (
    <>
      <PageHead title={t('collections.title')} lead={t('collections.lead')}>
        {make}
      </PageHead>
      <div class="panel">
        {first.state === 'failed' && <Failure problem={first.problem} again={first.again} />}
        {first.state === 'ready' && items.length === 0 && (
          <State icon="recordings" title={t('collections.none')}>
            <p>{t('collections.noneWhy')}</p>
          </State>
        )}
        {(first.state === 'loading' || items.length > 0) && (
          <>
            <Table
              label={t('collections.title')}
              columns={columns.map((name) => ({ name: t(`collections.${name}`) }))}
              busy={first.state === 'loading'}
            >
              {first.state === 'loading' ? (
                <BoneRows rows={4} columns={[80, 30, 60, 60]} />
              ) : (
                items.map((collection) => (
                  <tr role="row" key={collection.id}>
                    <Cell wide>
                      <a class="row-link" href={`/collections/${collection.id}`}>
                        {collection.name}
                      </a>
                    </Cell>
                    <Cell label={t('collections.items')}>{collection.itemCount}</Cell>
                    <Cell label={t('collections.by')}>{collection.createdBy.name}</Cell>
                    <Cell label={t('collections.expires')}>
                      {collection.firstExpiryAt && <Expires days={daysUntil(collection.firstExpiryAt)} />}
                    </Cell>
                  </tr>
                ))
              )}
            </Table>
            <More pages={pages} shown={plural('collections.shown', items.length)} />
          </>
        )}
      </div>
      {making && (
        <NameDialog
          collection={undefined}
          close={() => setMaking(false)}
          done={(made) => {
            say(t('collections.made'));
            go(`/collections/${made.id}`);
          }}
        />
      )}
    </>
  );
}

/** When something leaves with its recording; within a week it warns. */
export function Expires({ days }: { days: number }) {
  return (
    <Badge icon={days <= 7 ? 'bin' : 'clock'} tone={days <= 7 ? 'warn' : 'neutral'} plain>
      {days === 0 ? t('collections.expiresToday') : plural('collections.expiresIn', days)}
    </Badge>
  );
}
