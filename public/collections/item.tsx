import { ask } from '../api/client.js';
import { clock, readClock } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import type { CollectionItem, OpenCollection } from './types.js';

interface Props {
  collectionId: string;
  item: CollectionItem;
  name: string;
  close: () => void;
  done: (collection: OpenCollection) => void;
}

/** Changes where an item begins and ends, and its note. Empty times are the whole call. */
export function ItemDialog({ collectionId, item, name, close, done }: Props) {
  const shown = (ms: number | null) => (ms === null ? '' : clock(ms));
  // A clock shows whole seconds: what was not touched stays as exact as it was.
  const exact = (text: string, before: number | null) =>
    text === shown(before) ? (before ?? undefined) : readClock(text);
  return (
    <FormDialog
      title={t('collections.changeItem', { item: name })}
      label={t('form.save')}
      prefix="item-"
      fields={['startMs', 'endMs', 'note']}
      check={(read) => {
        const [start, end] = [read('startMs'), read('endMs')];
        if (start === '' && end === '') return {};
        const [startMs, endMs] = [exact(start, item.startMs), exact(end, item.endMs)];
        if (startMs === undefined) return { startMs: t('collections.timeWrong') };
        if (endMs === undefined) return { endMs: t('collections.timeWrong') };
        return endMs > startMs ? {} : { endMs: t('collections.endFirst') };
      }}
      send={async (read) => {
        const whole = read('startMs') === '' && read('endMs') === '';
        const body = {
          startMs: whole ? null : exact(read('startMs'), item.startMs),
          endMs: whole ? null : exact(read('endMs'), item.endMs),
          note: read('note') || null,
        };
        done(await ask<OpenCollection>(`/collections/${collectionId}/items/${item.id}`, { method: 'PATCH', body }));
      }}
      close={close}
    >
      {(of) => (
        <>
          <p class="muted">{t('collections.wholeHint', { duration: clock(item.recording.durationMs) })}</p>
          <div class="pair">
            <Field {...of('startMs')} label={t('collections.start')} hint={t('collections.timeHint')}>
              {(wiring) => (
                <input class="input" autocomplete="off" defaultValue={shown(item.startMs)} {...wiring} />
              )}
            </Field>
            <Field {...of('endMs')} label={t('collections.end')} hint={t('collections.timeHint')}>
              {(wiring) => <input class="input" autocomplete="off" defaultValue={shown(item.endMs)} {...wiring} />}
            </Field>
          </div>
          <Field {...of('note')} label={t('collections.note')}>
            {(wiring) => (
              <textarea class="input" rows={3} maxLength={2000} defaultValue={item.note ?? ''} {...wiring} />
            )}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
