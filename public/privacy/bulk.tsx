import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { plural, t } from '../i18n.js';
import { Field, type Faults } from '../parts/field.js';
import { FormDialog, WrongField, type Read, type Wired } from '../parts/form.js';
import { citesArticle, groundsToRefuse } from '../../src/privacy/refusal-grounds.js';
import { isUnmasked } from './decide.js';
import { verdictText } from './item.js';
import {
  stillOpen, type Item, type PartProps, type RequestFile, type Right, withChanges,
} from './types.js';

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
      fields={['theirs', ...rights.map((right) => `${right}-ground`), 'reason']}
      check={(read) => (theirs ? faultsIn(read, rights, items) : {})}
      send={async (read) => {
        const decisions = items.flatMap((item) => decisionsOn(item, theirs, rights, read));
        const path = `/privacy-requests/${file.id}/items`;
        let next: RequestFile | undefined;
        for (let from = 0; from < decisions.length; from += decisionsAtOnce) {
          const part = decisions.slice(from, from + decisionsAtOnce);
          const query = { view: 'changed' };
          const sent = ask<RequestFile>(path, { method: 'POST', query, body: { decisions: part } }).catch((error: unknown) => {
            if (isUnmasked(error)) throw new WrongField('theirs', t('bulk.maskEmployee'));
            throw error;
          });
          next = withChanges(next ?? file, await sent);
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
                <BulkChoice key={right} right={right} items={items} of={of} />
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

/** On what a right can be refused for all of them. */
const groundsFor = (right: Right, items: Item[]) =>
  groundsToRefuse(right, items.some(({ kind }) => kind === 'recording') ? 'recording' : 'ticket');

/** One right for all of them alike; a refusal names its ground. */
function BulkChoice({ right, items, of }: { right: Right; items: Item[]; of: Wired['of'] }) {
  const [chosen, setChosen] = useState('usual');
  return (
    <>
      <Field {...of(right)} label={t(`right.${right}`)}>
        {(wiring) => (
          <select class="input" value={chosen} onChange={(event) => setChosen(event.currentTarget.value)} {...wiring}>
            <option value="usual">{t('bulk.usual')}</option>
            <option value="refuse">{verdictText(right, 'refuse')}</option>
            <option value="later">{t('bulk.later')}</option>
          </select>
        )}
      </Field>
      {chosen === 'refuse' && needsGround(right, items) && (
        <Field {...of(`${right}-ground`)} label={`${t('decide.ground')}: ${t(`right.${right}`)}`}>
          {(wiring) => (
            <select class="input" aria-required="true" {...wiring}>
              <option value="">{t('decide.groundNone')}</option>
              {groundsFor(right, items).map((ground) => (
                <option key={ground} value={ground}>
                  {t(`ground17.${ground}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
    </>
  );
}

/** What the law itself refuses has a ground of its own. */
const needsGround = (right: Right, items: Item[]) =>
  items.some(({ usual }) => usual.some((each) => each.right === right && each.decides && each.decision !== 'refuse'));

function faultsIn(read: Read, rights: Right[], items: Item[]): Faults {
  const refused = rights.filter((right) => read(right) === 'refuse');
  const faults: Faults = {};
  for (const right of refused)
    if (needsGround(right, items) && read(`${right}-ground`) === '') faults[`${right}-ground`] = t('decide.groundMissing', { right: t(`right.${right}`) });
  if (refused.length > 0 && read('reason') === '') faults['reason'] = t('bulk.reasonMissing');
  else if (refused.some((right) => read(`${right}-ground`) === 'other') && !citesArticle(read('reason')))
    faults['reason'] = t('decide.articleMissing');
  return faults;
}

function decisionsOn(item: Item, theirs: boolean, rights: Right[], read: Read): Record<string, unknown>[] {
  const { itemId } = item;
  if (!theirs) return [{ itemId, right: item.usual[0]?.right, decision: 'not_theirs' }];
  const reason = read('reason') || undefined;
  return item.usual
    .filter(({ decides, right }) => decides && rights.includes(right) && read(right) !== 'later')
    .flatMap(({ right, decision }) => {
      const ground = decision === 'refuse' ? undefined : read(`${right}-ground`);
      if (read(right) === 'refuse') return [{ itemId, right, decision: 'refuse', reason, ground }];
      // Where the law gives no answer of its own a person weighs, item by item.
      return decision === null ? [] : [{ itemId, right, decision, reason: decision === 'grant' ? undefined : reason, ground: undefined }];
    });
}
