import { ask } from '../api/client.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import type { Collection } from './types.js';

interface Props {
  /** None: a new one is made. */
  collection: Collection | undefined;
  close: () => void;
  done: (collection: Collection) => void;
}

/** Names a collection. */
export function NameDialog({ collection, close, done }: Props) {
  return (
    <FormDialog
      title={t(collection ? 'collections.change' : 'collections.new')}
      label={t('form.save')}
      prefix="collection-"
      fields={['name', 'description']}
      check={(read) => (read('name') === '' ? { name: t('collections.nameMissing') } : {})}
      send={async (read) => {
        const body = { name: read('name'), description: read('description') || null };
        const path = collection ? `/collections/${collection.id}` : '/collections';
        done(await ask<Collection>(path, { method: collection ? 'PATCH' : 'POST', body }));
      }}
      close={close}
    >
      {(of) => (
        <>
          <Field {...of('name')} label={t('collections.name')} hint={t('collections.nameHint')}>
            {(wiring) => (
              <input
                class="input"
                maxLength={200}
                autocomplete="off"
                aria-required="true"
                defaultValue={collection?.name ?? ''}
                {...wiring}
              />
            )}
          </Field>
          <Field {...of('description')} label={t('collections.description')}>
            {(wiring) => (
              <textarea
                class="input"
                rows={3}
                maxLength={2000}
                defaultValue={collection?.description ?? ''}
                {...wiring}
              />
            )}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
