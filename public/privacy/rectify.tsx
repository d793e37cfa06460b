import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { moment } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { Failure, useLoaded } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { itemTitle } from './item.js';
import { fieldsOf, type Item, type PartProps, type Rectification } from './types.js';

interface ListProps extends Pick<PartProps, 'file' | 'nameOf' | 'officer'> {
  /** Told after each, so that the timeline follows. */
  changed: () => void;
}

/** Rectification: what was corrected, with what stood there before, and the person's own statements. */
export function RectifyPart({ file, officer, nameOf, changed }: ListProps) {
  const path = `/privacy-requests/${file.id}/rectifications`;
  const loaded = useLoaded(path, (signal) => ask<{ items: Rectification[] }>(path, { signal }));
  const [renewed, setRenewed] = useState<Rectification[] | undefined>();
  const [correcting, setCorrecting] = useState(false);
  const granted = file.items.filter(
    (item) =>
      item.available &&
      item.decisions.some(({ right, decision }) => right === 'rectification' && decision !== 'refuse'),
  );
  const list = renewed ?? (loaded.state === 'ready' ? loaded.value.items : []);
  if (granted.length === 0 && list.length === 0) return null;
  const titleOf = (entry: Rectification) => {
    const item = file.items.find(
      ({ recordingId, ticketId }) => (recordingId ?? ticketId) === (entry.recordingId ?? entry.ticketId),
    );
    return item ? itemTitle(item) : t('item.gone');
  };
  return (
    <section class="panel padded part" aria-labelledby="rectify-title">
      <h2 id="rectify-title">{t('rectify.title')}</h2>
      <p class="muted">{t('rectify.why')}</p>
      {loaded.state === 'failed' && <Failure problem={loaded.problem} again={loaded.again} />}
      {list.length > 0 && (
        <ul class="corrections">
          {list.map((entry) => (
            <li key={entry.id}>
              <strong>{titleOf(entry)}</strong>
              <span class="muted">
                {moment(entry.at)}, {nameOf(entry.by)}
              </span>
              {entry.statement === null ? (
                <p>
                  {t('rectify.changed', {
                    field: entry.field === null ? '' : t(`rectify.field.${entry.field}`),
                    before: entry.oldValue ?? t('value.unknown'),
                    after: entry.newValue ?? '',
                  })}
                </p>
              ) : (
                <blockquote class="pre">{entry.statement}</blockquote>
              )}
            </li>
          ))}
        </ul>
      )}
      {officer && granted.length > 0 && (
        <div class="actions">
          <button type="button" class="button" onClick={() => setCorrecting(true)}>
            <Icon name="plus" />
            {t('rectify.add')}
          </button>
        </div>
      )}
      {correcting && (
        <CorrectDialog
          file={file}
          items={granted}
          close={() => setCorrecting(false)}
          done={(items) => {
            setCorrecting(false);
            setRenewed(items);
            say(t('rectify.done'));
            changed();
          }}
        />
      )}
    </section>
  );
}

interface CorrectProps extends Pick<PartProps, 'file'> {
  items: Item[];
  close: () => void;
  done: (items: Rectification[]) => void;
}

function CorrectDialog({ file, items, close, done }: CorrectProps) {
  const [itemId, setItemId] = useState(items[0]?.itemId ?? '');
  const kind = items.find((item) => item.itemId === itemId)?.kind ?? 'recording';
  const [stated, setStated] = useState(true);
  return (
    <FormDialog
      title={t('rectify.add')}
      label={t('form.save')}
      prefix="rectify-"
      fields={['statement', 'value', 'field']}
      check={(read) => {
        if (stated) return read('statement') === '' ? { statement: t('rectify.statementMissing') } : {};
        return read('value') === '' ? { value: t('rectify.valueMissing') } : {};
      }}
      send={async (read) => {
        const body = stated ? { statement: read('statement') } : { field: read('field'), value: read('value') };
        const path = `/privacy-requests/${file.id}/items/${itemId}/rectifications`;
        done((await ask<{ items: Rectification[] }>(path, { method: 'POST', body })).items);
      }}
      close={close}
    >
      {(of) => (
        <>
          <Field {...of('item')} label={t('rectify.item')}>
            {(wiring) => (
              <select
                class="input"
                value={itemId}
                onChange={(event) => setItemId(event.currentTarget.value)}
                {...wiring}
              >
                {items.map((item) => (
                  <option key={item.itemId} value={item.itemId}>
                    {itemTitle(item)}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <fieldset class="form tight">
            <legend>{t('rectify.how')}</legend>
            {[true, false].map((choice) => (
              <label key={String(choice)} class="check">
                <input type="radio" name="rectify-how" checked={stated === choice} onChange={() => setStated(choice)} />
                <span>
                  {t(choice ? 'rectify.state' : 'rectify.correct')}
                  {choice && <small>{t('rectify.stateHint')}</small>}
                </span>
              </label>
            ))}
          </fieldset>
          {stated ? (
            <Field {...of('statement')} label={t('rectify.statement')} hint={t('rectify.statementHint')}>
              {(wiring) => <textarea class="input" rows={5} maxLength={10000} aria-required="true" {...wiring} />}
            </Field>
          ) : (
            <div class="pair">
              <Field {...of('field')} label={t('rectify.field')}>
                {(wiring) => (
                  <select class="input" {...wiring}>
                    {fieldsOf[kind].map((field) => (
                      <option key={field} value={field}>
                        {t(`rectify.field.${field}`)}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <Field {...of('value')} label={t('rectify.value')}>
                {(wiring) => <input class="input" autocomplete="off" maxLength={1000} aria-required="true" {...wiring} />}
              </Field>
            </div>
          )}
        </>
      )}
    </FormDialog>
  );
}
