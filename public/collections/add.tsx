import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Page } from '../api/types.js';
import { clock } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';
import type { Playback } from '../player/playback.js';
import { say } from '../shell/toast.js';
import type { Collection } from './types.js';

const fresh = 'new';

/** Puts this call, or the stretch that is marked, at the end of a collection. */
export function AddToCollection({ recordingId, playback }: { recordingId: string; playback: Playback }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="button small" onClick={() => setOpen(true)}>
        <Icon name="plus" />
        {t('collections.add')}
      </button>
      {open && <AddDialog recordingId={recordingId} playback={playback} close={() => setOpen(false)} />}
    </>
  );
}

function AddDialog({ recordingId, playback, close }: { recordingId: string; playback: Playback; close: () => void }) {
  const known = useLoaded('collections', (signal) =>
    ask<Page<Collection>>('/collections', { query: { limit: 200 }, signal }),
  );
  const [which, setWhich] = useState<string | undefined>();
  const region = playback.region.peek();
  const clip = region?.endMs === undefined ? undefined : { startMs: region.startMs, endMs: region.endMs };
  const items = known.state === 'ready' ? known.value.items : [];
  const chosen = which ?? items[0]?.id ?? fresh;
  return (
    <FormDialog
      title={t('collections.add')}
      label={t('collections.add')}
      prefix="add-"
      fields={['name', 'which', 'note', 'what']}
      check={(read) => (chosen === fresh && read('name') === '' ? { name: t('collections.nameMissing') } : {})}
      send={async (read) => {
        const collection =
          chosen === fresh
            ? await ask<Collection>('/collections', { method: 'POST', body: { name: read('name') } })
            : items.find(({ id }) => id === chosen);
        if (!collection) return;
        const stretch =
          clip && read('what') === 'clip'
            ? { startMs: Math.round(clip.startMs), endMs: Math.round(clip.endMs) }
            : {};
        const body = { recordingId, ...stretch, note: read('note') || null };
        await ask(`/collections/${collection.id}/items`, { method: 'POST', body });
        say(t('collections.added', { name: collection.name }));
        close();
      }}
      close={close}
    >
      {(of) =>
        known.state === 'loading' ? (
          <Bones count={2} />
        ) : known.state === 'failed' ? (
          <Failure problem={known.problem} again={known.again} />
        ) : (
          <>
            <Field {...of('which')} label={t('collections.which')}>
              {(wiring) => (
                <select class="input" onChange={(event) => setWhich(event.currentTarget.value)} {...wiring}>
                  {items.map((collection) => (
                    <option key={collection.id} value={collection.id} selected={collection.id === chosen}>
                      {collection.name}
                    </option>
                  ))}
                  <option value={fresh} selected={chosen === fresh}>
                    {t('collections.another')}
                  </option>
                </select>
              )}
            </Field>
            {chosen === fresh && (
              <Field {...of('name')} label={t('collections.name')} hint={t('collections.nameHint')}>
                {(wiring) => (
                  <input class="input" maxLength={200} autocomplete="off" aria-required="true" {...wiring} />
                )}
              </Field>
            )}
            {clip && (
              <Field {...of('what')} label={t('share.what')}>
                {(wiring) => (
                  <select class="input" {...wiring}>
                    <option value="clip">{t('share.clip', { from: clock(clip.startMs), to: clock(clip.endMs) })}</option>
                    <option value="whole">{t('share.whole')}</option>
                  </select>
                )}
              </Field>
            )}
            <Field {...of('note')} label={t('collections.note')}>
              {(wiring) => <textarea class="input short" rows={2} maxLength={2000} {...wiring} />}
            </Field>
          </>
        )
      }
    </FormDialog>
  );
}
