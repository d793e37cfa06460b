import { useState } from 'preact/hooks';
import { address, ApiProblem, ask } from '../api/client.js';
import { dateBefore, startOfDay } from '../format.js';
import { language, t } from '../i18n.js';
import { Field, type Faults } from '../parts/field.js';
import { FormDialog, WrongField, type Read, type Wired } from '../parts/form.js';
import { MaskEditor, readMask } from '../parts/mask.js';
import { citesArticle, groundsToRefuse } from '../../src/privacy/refusal-grounds.js';
import { PassageEditor, readPassages } from './passages.js';
import { itemWithin, verdictText } from './item.js';
import {
  stillOpen,
  type Item,
  type PartProps,
  type RequestFile,
  type Usual,
  type Verdict,
  withChanges,
} from './types.js';

const verdicts: Verdict[] = ['grant', 'partly', 'refuse'];

interface Props extends Pick<PartProps, 'file' | 'changed'> {
  item: Item;
  close: () => void;
}

/** Whether the service wants the customer masked: their legs are not apart, and whoever asks is an employee. */
export const isUnmasked = (error: unknown): boolean =>
  error instanceof ApiProblem && error.faults.some(({ path }) => path.endsWith('.mask'));

/** Not now. */
const later = 'later';

/** Decides on one item for every right that was asked for: the law's default stands chosen, with its article. */
export function DecideDialog({ file, item, close, changed }: Props) {
  const title = itemWithin(item);
  const [theirs, setTheirs] = useState(item.confirmed !== false);
  const rights = stillOpen(file);
  const shown = item.usual.filter(({ right }) => rights.includes(right));
  const open = shown.filter(({ decides }) => decides);
  // Of an answer that is out, whose it is stands fast.
  const settled = file.processes.some(({ state }) => state === 'approved' || state === 'done');
  return (
    <FormDialog
      title={t('decide.title', { item: title })}
      label={t('decide.save')}
      prefix="decide-"
      fields={['theirs', ...open.flatMap(({ right }) => [right, `${right}-ground`, `${right}-reason`, `${right}-mask`])]}
      check={(read) => (theirs ? faultsIn(read, open) : {})}
      send={async (read) => {
        const decisions = theirs
          ? open.filter(({ right }) => read(`${right}-verdict`) !== later).map(({ right }) => decisionOf(read, item, right))
          : [{ itemId: item.itemId, right: item.usual[0]?.right, decision: 'not_theirs' }];
        const path = `/privacy-requests/${file.id}/items`;
        const next = await ask<RequestFile>(path, { method: 'POST', query: { view: 'changed' }, body: { decisions } }).catch(
          (error: unknown) => {
            if (isUnmasked(error)) throw new WrongField('access-mask', t('decide.maskEmployee'));
            throw error;
          },
        );
        changed(withChanges(file, next), t('decide.saved', { item: title }));
      }}
      close={close}
    >
      {(of) => (
        <>
          {!settled && (
            <fieldset class="form tight" id="decide-theirs" tabIndex={-1}>
              <legend>{t('decide.theirs')}</legend>
              {item.sharedNumber && <p class="shared-number">{t('find.shared')}</p>}
              {[true, false].map((choice) => (
                <label key={String(choice)} class="check">
                  <input
                    type="radio"
                    name="decide-is-theirs"
                    checked={theirs === choice}
                    onChange={() => setTheirs(choice)}
                  />
                  <span>
                    {t(choice ? 'decide.yes' : 'decide.no')}
                    {!choice && <small>{t('decide.noHint')}</small>}
                  </span>
                </label>
              ))}
            </fieldset>
          )}
          {theirs &&
            shown.map((usual) =>
              usual.decides ? (
                <RightChoice
                  key={usual.right}
                  item={item}
                  usual={usual}
                  ofEmployee={file.requesterKind === 'employee'}
                  mayWait={usual.right === 'objection' && open.length > 1}
                  of={of}
                />
              ) : (
                <section key={usual.right} class="right-choice">
                  <h3>{t(`right.${usual.right}`)}</h3>
                  <p>{t('decide.fixed', { article: usual.article })}</p>
                  <p class="muted">{t('decide.why', { why: usual.why[language.value] })}</p>
                </section>
              ),
            )}
        </>
      )}
    </FormDialog>
  );
}

interface ChoiceProps {
  item: Item;
  usual: Usual;
  /** Whoever asks works here: the customer is to be masked. */
  ofEmployee: boolean;
  /** An objection may be decided after the rest was answered. */
  mayWait: boolean;
  of: Wired['of'];
}

function RightChoice({ item, usual, ofEmployee, mayWait, of }: ChoiceProps) {
  const { right, decision, article, why, offer } = usual;
  const before = item.decisions.find((each) => each.right === right);
  const [chosen, setChosen] = useState<Verdict | typeof later | null>(before?.decision ?? decision);
  const name = `decide-${right}`;
  const mayMask = right === 'access' && item.kind === 'recording' && chosen !== 'refuse';
  const needsReason = chosen !== null && chosen !== later && (chosen !== 'grant' || (decision !== null && decision !== chosen));
  return (
    <fieldset class="right-choice form tight" id={name} tabIndex={-1}>
      <legend>
        {t(`right.${right}`)}
      </legend>
      <p class="usual">
        {decision === null
          ? t('decide.noUsual', { article })
          : t('decide.usual', { verdict: verdictText(right, decision), article })}{' '}
        <span class="muted">{t('decide.why', { why: why[language.value] })}</span>
        {offer && <span class="muted"> {t('decide.offer', { right: t(`right.${offer}`) })}</span>}
      </p>
      <div class="choices">
        {verdicts.map((verdict) => (
          <label key={verdict} class="check">
            <input
              type="radio"
              name={`${name}-verdict`}
              value={verdict}
              checked={chosen === verdict}
              onChange={() => setChosen(verdict)}
            />
            <span>{verdictText(right, verdict)}</span>
          </label>
        ))}
        {mayWait && (
          <label class="check">
            <input type="radio" name={`${name}-verdict`} value={later} checked={chosen === later} onChange={() => setChosen(later)} />
            <span>
              {t('decide.later')}
              <small>{t('decide.laterHint')}</small>
            </span>
          </label>
        )}
      </div>
      {chosen !== null && needsGround(usual, chosen) && (
        <Field {...of(`${right}-ground`)} label={t('decide.ground')} hint={t('decide.groundHint')}>
          {(wiring) => (
            <select class="input" aria-required="true" {...wiring}>
              <option value="">{t('decide.groundNone')}</option>
              {groundsToRefuse(right, item.kind).map((ground) => (
                <option key={ground} value={ground} selected={ground === before?.ground}>
                  {t(`ground17.${ground}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      {needsReason && (
        <Field {...of(`${right}-reason`)} label={t('decide.reason')} hint={t('decide.reasonHint')}>
          {(wiring) => (
            <textarea
              class="input short"
              rows={2}
              maxLength={4000}
              aria-required="true"
              defaultValue={before?.reason ?? ''}
              {...wiring}
            />
          )}
        </Field>
      )}
      {right === 'erasure' && chosen !== null && chosen !== 'grant' && (
        <Field {...of(`${right}-review`)} label={t('decide.reviewAt')}>
          {(wiring) => <input class="input" type="date" min={dateBefore(-1)} {...wiring} />}
        </Field>
      )}
      {item.ticketId !== null && (right === 'access' || right === 'portability') && chosen !== 'refuse' && (
        <Field {...of(`${right}-passages`)} label={t('passages.title')} hint={t('passages.hint')}>
          {(wiring) => <PassageEditor {...wiring} ticketId={item.ticketId ?? ''} known={before?.passages ?? []} />}
        </Field>
      )}
      {mayMask && (
        <Field {...of(`${right}-mask`)} label={t('decide.mask')} hint={t(ofEmployee ? 'decide.maskHintEmployee' : 'decide.maskHint')}>
          {(wiring) => (
            <MaskEditor
              {...wiring}
              known={before?.mask ?? []}
              legs={(item.channels ?? 1) > 1}
              audio={address(`/recordings/${item.recordingId ?? ''}/audio`, { purpose: 'access_request' })}
            />
          )}
        </Field>
      )}
    </fieldset>
  );
}

/** A refusal, wholly or in part, rests on a ground; what the law itself refuses has its own. */
const needsGround = ({ decision }: Usual, chosen: string): boolean =>
  chosen !== later && chosen !== 'grant' && chosen !== decision;

function faultsIn(read: Read, open: Usual[]): Faults {
  const faults: Faults = {};
  for (const usual of open) {
    const { right, decision } = usual;
    const verdict = read(`${right}-verdict`);
    if (verdict === later) continue;
    const needed = verdict !== 'grant' || (decision !== null && decision !== verdict);
    if (verdict === '') faults[right] = t('decide.verdictMissing', { right: t(`right.${right}`) });
    else if (needsGround(usual, verdict) && read(`${right}-ground`) === '')
      faults[`${right}-ground`] = t('decide.groundMissing', { right: t(`right.${right}`) });
    if (verdict !== '' && needed && read(`${right}-reason`) === '')
      faults[`${right}-reason`] = t('decide.reasonMissing', { right: t(`right.${right}`) });
    else if (read(`${right}-ground`) === 'other' && !citesArticle(read(`${right}-reason`)))
      faults[`${right}-reason`] = t('decide.articleMissing');
    if (readMask(read(`${right}-mask`)) === undefined) faults[`${right}-mask`] = t('decide.maskWrong');
  }
  return faults;
}

function decisionOf(read: Read, item: Item, right: Usual['right']) {
  const reviewAt = read(`${right}-review`);
  const mask = readMask(read(`${right}-mask`)) ?? [];
  const passages = readPassages(read(`${right}-passages`));
  return {
    itemId: item.itemId,
    right,
    decision: read(`${right}-verdict`),
    reason: read(`${right}-reason`) || undefined,
    ground: read(`${right}-ground`) || undefined,
    reviewAt: reviewAt === '' ? undefined : startOfDay(reviewAt),
    mask: mask.length > 0 ? mask : undefined,
    passages: passages.length > 0 ? passages : undefined,
    // Said in this dialog, of this very item.
    confirmed: item.sharedNumber ? true : undefined,
  };
}
