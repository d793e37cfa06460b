import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { clock, moment, phone } from '../format.js';
import { t } from '../i18n.js';
import { FormDialog } from '../parts/form.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { asProblem, Bones, Failure, problemText, State, useLoaded } from '../parts/state.js';
import { go } from '../shell/router.js';
import type { ScreenProps } from '../shell/screens.js';
import { say } from '../shell/toast.js';
import { ItemDialog } from './item.js';
import { NameDialog } from './name.js';
import { autoplay, playCollection, setAutoplay } from './queue.js';
import { Expires } from './screen.js';
import type { CollectionItem, OpenCollection } from './types.js';
import './collections.css';

/** One collection: its items in order, each to be moved, taken out or played. */
export function CollectionScreen({ id }: ScreenProps) {
  const path = `/collections/${encodeURIComponent(id)}`;
  const loaded = useLoaded(path, (signal) => ask<OpenCollection>(path, { signal }));
  const [renewed, setRenewed] = useState<OpenCollection | undefined>();
  const [act, setAct] = useState<'change' | 'delete' | CollectionItem | undefined>();
  const way = (
    <div class="way">
      <a class="button quiet small" href="/collections">
        <Icon name="back" />
        {t('collections.back')}
      </a>
    </div>
  );
  if (loaded.state !== 'ready') {
    return (
      <>
        {way}
        <PageHead title={t('collections.title')} />
        {loaded.state === 'failed' ? <Failure problem={loaded.problem} again={loaded.again} /> : <Bones count={5} />}
      </>
    );
  }
  const collection = renewed ?? loaded.value;
  async function attempt(work: () => Promise<void>) {
    try {
      await work();
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  }
  const move = (index: number, step: 1 | -1, button: HTMLElement) =>
    attempt(async () => {
      const itemIds = collection.items.map((item) => item.id);
      const [moved] = itemIds.splice(index, 1);
      if (moved === undefined) return;
      itemIds.splice(index + step, 0, moved);
      setRenewed(await ask<OpenCollection>(`${path}/order`, { method: 'PUT', body: { itemIds } }));
      const item = collection.items[index];
      if (item) say(t('collections.moved', { item: nameOf(item), place: index + step + 1 }));
      // The focus goes along with what was moved; at an end its other button takes it.
      requestAnimationFrame(() => {
        const row = document.getElementById(`item-${moved}`);
        if (!row?.contains(document.activeElement) || button.ariaDisabled === 'true')
          row?.querySelector<HTMLElement>('button:not([aria-disabled="true"])[data-move]')?.focus();
      });
    });
  const remove = (item: CollectionItem) =>
    attempt(async () => {
      const at = collection.items.indexOf(item);
      await ask(`${path}/items/${item.id}`, { method: 'DELETE' });
      const left = await ask<OpenCollection>(path);
      setRenewed(left);
      say(t('collections.removed'));
      // The focus stays in the list, at what took the place of what left it.
      const next = left.items[Math.min(at, left.items.length - 1)];
      requestAnimationFrame(() => {
        const to = next ? document.querySelector(`#item-${next.id} .item-what button`) : document.querySelector('h1');
        if (to instanceof HTMLElement) to.focus();
      });
    });
  return (
    <>
      {way}
      <PageHead
        title={collection.name}
        tab={t('collections.title')}
        {...(collection.description ? { lead: collection.description } : {})}
      >
        <button type="button" class="button" onClick={() => setAct('change')}>
          {t('collections.change')}
        </button>
        <button type="button" class="button danger" onClick={() => setAct('delete')}>
          {t('collections.delete')}
        </button>
      </PageHead>
      <div class="panel">
        {collection.items.length === 0 ? (
          <State
            icon="recordings"
            title={t('collections.empty')}
            actions={
              <a class="button" href="/recordings">
                {t('collections.toRecordings')}
              </a>
            }
          >
            <p>{t('collections.emptyWhy')}</p>
          </State>
        ) : (
          <>
            <div class="collection-bar">
              <button type="button" class="button primary" onClick={() => playCollection(collection, 0)}>
                <Icon name="play" />
                {t('collections.play')}
              </button>
              <label class="check">
                <input
                  type="checkbox"
                  checked={autoplay.value}
                  onChange={(event) => setAutoplay(event.currentTarget.checked)}
                />
                <span>{t('collections.autoplay')}</span>
              </label>
            </div>
            <ol class="collection-items">
              {collection.items.map((item, index) => (
                <li key={item.id} id={`item-${item.id}`}>
                  <span class="item-place" aria-hidden="true">
                    {index + 1}
                  </span>
                  <div class="item-what">
                    <button type="button" class="button quiet" onClick={() => playCollection(collection, index)}>
                      <Icon name="play" />
                      {nameOf(item)}
                    </button>
                    <span class="muted">
                      {[
                        item.recording.caller && phone(item.recording.caller),
                        item.recording.agentName ?? item.recording.agent,
                        item.startMs === null || item.endMs === null
                          ? `${t('collections.whole')}, ${clock(item.recording.durationMs)}`
                          : t('collections.clip', { from: clock(item.startMs), to: clock(item.endMs) }),
                      ]
                        .filter(Boolean)
                        .join(' · ')}
                    </span>
                    {item.note && <span>{item.note}</span>}
                  </div>
                  <Expires days={item.recording.expiresInDays} />
                  <span class="actions">
                    {([-1, 1] as const).map((step) => {
                      const end = step < 0 ? index === 0 : index === collection.items.length - 1;
                      return (
                        <button
                          key={step}
                          type="button"
                          class="button small icon-only"
                          data-move
                          aria-disabled={end}
                          aria-label={t(step < 0 ? 'collections.up' : 'collections.down', { item: nameOf(item) })}
                          onClick={(event) => {
                            if (!end) void move(index, step, event.currentTarget);
                          }}
                        >
                          <span aria-hidden="true">{step < 0 ? '↑' : '↓'}</span>
                        </button>
                      );
                    })}
                    <button
                      type="button"
                      class="button small"
                      aria-label={t('collections.changeItem', { item: nameOf(item) })}
                      onClick={() => setAct(item)}
                    >
                      {t('remarks.change')}
                    </button>
                    <button
                      type="button"
                      class="button small icon-only"
                      aria-label={t('collections.remove', { item: nameOf(item) })}
                      onClick={() => void remove(item)}
                    >
                      <Icon name="close" />
                    </button>
                  </span>
                </li>
              ))}
            </ol>
          </>
        )}
      </div>
      {act === 'change' && (
        <NameDialog
          collection={collection}
          close={() => setAct(undefined)}
          done={(changed) => {
            setAct(undefined);
            setRenewed({ ...collection, ...changed });
            say(t('collections.changed'));
          }}
        />
      )}
      {typeof act === 'object' && (
        <ItemDialog
          collectionId={collection.id}
          item={act}
          name={nameOf(act)}
          close={() => setAct(undefined)}
          done={(changed) => {
            setAct(undefined);
            setRenewed(changed);
            say(t('collections.itemChanged'));
          }}
        />
      )}
      {act === 'delete' && (
        <FormDialog
          title={t('collections.deleteTitle')}
          label={t('collections.delete')}
          danger
          prefix="delete-"
          fields={['collection']}
          send={async () => {
            await ask(path, { method: 'DELETE' });
            say(t('collections.deleted'));
            go('/collections');
          }}
          close={() => setAct(undefined)}
        >
          {() => (
            <p id="delete-collection" tabIndex={-1}>
              {t('collections.deleteWhy')}
            </p>
          )}
        </FormDialog>
      )}
    </>
  );
}

const nameOf = ({ recording }: CollectionItem) => t('collections.itemName', { when: moment(recording.startedAt) });
