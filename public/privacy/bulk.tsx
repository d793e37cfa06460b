import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { plural, t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog, type Read } from '../parts/form.js';
import { verdictText } from './item.js';
import { stillOpen, type Item, type PartProps, type RequestFile, type Right, withChanges } from './types.js';

/** What fits into one request to the service; each is taken wholly or not at all. */
const decisionsAtOnce = 1000;

/** What may be judged together with others: on a number that several people use each item is looked at by itself. */
export const mayJoin = (item: Item): boolean => item.available && !item.sharedNumber;

interface Props extends Pick<PartProps, 'file' | 'changed'> {
  items: Item[];
  close: () => void;
}

/** Decides on several items alike: by the law's default of each, or that they are not this person's. */
export function BulkDialog({ file, items, close, changed }: Props) {
  const [theirs, setTheirs] = useState(true);
  const rights = stillOpen(file);
  const weighed = items.filter((item) => item.usual.some(({ decides, decision }) => decides && decision === null)).length;
  return (
    <FormDialog
      title={plural('bulk.title', items.length)}
      label={plural('bulk.save', items.length)}
      prefix="bulk-"
      fields={['theirs', 'reason']}
      check={(read) => (refused(read, rights) && read('reason') === '' ? { reason: t('bulk.reasonMissing') } : {})}
      send={async (read) => {
        const decisions = items.flatMap((item) => decisionsOn(item, theirs, rights, read));
        const path = `/privacy-requests/${file.id}/items`;
        let next: RequestFile | undefined;
        for (let from = 0; from < decisions.length; from += decisionsAtOnce) {
          const part = decisions.slice(from, from + decisionsAtOnce);
          const query = { view: 'changed' };
          next = withChanges(next ?? file, await ask<RequestFile>(path, { method: 'POST', query, body: { decisions: part } }));
        }
        if (next) changed(next, plural('bulk.saved', items.length));
        else close();
      }}
      close={close}
    >
      {(of) => (
        <>
          <fieldset class="form tight" id={of('theirs').name} tabIndex={-1}>
            <legend>{t('bulk.theirs')}</legend>
            {[true, false].map((choice) => (
              <label key={String(choice)} class="check">
                <input type="radio" name="bulk-is-theirs" checked={theirs === choice} onChange={() => setTheirs(choice)} />
                <span>
                  {t(choice ? 'bulk.yes' : 'bulk.no')}
                  {!choice && <small>{t('decide.noHint')}</small>}
                </span>
              </label>
            ))}
          </fieldset>
          {theirs && (
            <>
              {rights.map((right) => (
                <Field key={right} {...of(right)} label={t(`right.${right}`)}>
                  {(wiring) => (
                    <select class="input" {...wiring}>
                      <option value="usual">{t('bulk.usual')}</option>
                      <option value="refuse">{verdictText(right, 'refuse')}</option>
                      <option value="later">{t('bulk.later')}</option>
                    </select>
                  )}
                </Field>
              ))}
              <Field {...of('reason')} label={t('decide.reason')} hint={t('bulk.reasonHint')}>
                {(wiring) => <textarea class="input short" rows={2} maxLength={4000} {...wiring} />}
              </Field>
              {weighed > 0 && <p class="muted">{plural('bulk.weighed', weighed)}</p>}
            </>
          )}
        </>
      )}
    </FormDialog>
  );
}

const refused = (read: Read, rights: Right[]) => rights.some((right) => read(right) === 'refuse');

function decisionsOn(item: Item, theirs: boolean, rights: Right[], read: Read): Record<string, unknown>[] {
  const { itemId } = item;
  if (!theirs) return [{ itemId, right: item.usual[0]?.right, decision: 'not_theirs' }];
  const reason = read('reason') || undefined;
  return item.usual
    .filter(({ decides, right }) => decides && rights.includes(right) && read(right) !== 'later')
    .flatMap(({ right, decision }) => {
      if (read(right) === 'refuse') return [{ itemId, right, decision: 'refuse', reason }];
      // Where the law gives no answer of its own a person weighs, item by item.
      return decision === null ? [] : [{ itemId, right, decision, reason: decision === 'grant' ? undefined : reason }];
    });
}
