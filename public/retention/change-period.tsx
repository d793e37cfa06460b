import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { plural, t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog, WrongField, type Read } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { asProblem } from '../parts/state.js';
import { say } from '../shell/toast.js';
import type { Policy, PolicyPreview } from './types.js';
import { periodWords, stuff } from './words.js';

const longest = 3660;
const units = ['days', 'calendar_years'] as const;

interface Props {
  policy: Policy;
  close: () => void;
  done: () => void;
}

/**
 * Sets another period, in two steps: the period, then what it does to what is there. Nothing that is there is shortened
 * unless that is chosen, and what would be deleted at once is confirmed by its number.
 */
export function ChangePeriod({ policy, close, done }: Props) {
  const [preview, setPreview] = useState<PolicyPreview | undefined>();
  const [existing, setExisting] = useState(false);
  const look = async (read: Read) =>
    await ask<PolicyPreview>(`/retention/policies/${policy.category}/preview`, {
      query: { amount: Number(read('amount')), unit: read('unit') },
    });
  const otherPeriod = () => {
    setPreview(undefined);
    setExisting(false);
  };
  const set = async (read: Read, shown: PolicyPreview) => {
    await ask<Policy>(`/retention/policies/${policy.category}`, {
      method: 'PUT',
      body: {
        ...shown.to,
        reason: read('reason'),
        existing: existing ? { expected: shown.dueAtOnce, token: shown.token } : null,
      },
    });
    say(t('policy.changed', { what: stuff(policy.category), period: periodWords(shown.to.amount, shown.to.unit) }));
    done();
  };
  return (
    <FormDialog
      title={t('policy.changeOf', { what: stuff(policy.category) })}
      label={t(preview === undefined ? 'policy.look' : 'policy.set')}
      danger={existing && (preview?.dueAtOnce ?? 0) > 0}
      prefix="period-"
      fields={['amount', 'unit', 'reason', 'expected']}
      check={(read) => {
        const amount = Number(read('amount'));
        if (!Number.isInteger(amount) || amount < 1 || amount > longest) return { amount: t('policy.amountWrong') };
        if (preview === undefined) return {};
        return {
          ...(read('reason') === '' ? { reason: t('policy.reasonMissing') } : {}),
          ...(existing && preview.dueAtOnce > 0 && read('expected') !== String(preview.dueAtOnce)
            ? { expected: t('policy.expectedWrong', { count: preview.dueAtOnce }) }
            : {}),
        };
      }}
      send={async (read) => {
        if (preview === undefined) {
          setPreview(await look(read));
          return;
        }
        try {
          await set(read, preview);
        } catch (error) {
          if (asProblem(error).code !== 'conflict') throw error;
          setPreview(await look(read));
          throw new WrongField('expected', t('policy.changedMeanwhile'));
        }
      }}
      close={close}
    >
      {(of) => (
        <>
          <p class="muted">{t('policy.changeWhy')}</p>
          <div class="pair">
            <Field {...of('amount')} label={t('policy.period')}>
              {(wiring) => (
                <input
                  class="input"
                  type="number"
                  inputMode="numeric"
                  min={1}
                  max={longest}
                  step={1}
                  defaultValue={String(policy.amount)}
                  aria-required="true"
                  onInput={otherPeriod}
                  {...wiring}
                />
              )}
            </Field>
            <Field {...of('unit')} label={t('policy.unit')}>
              {(wiring) => (
                <select class="input" onChange={otherPeriod} {...wiring}>
                  {units.map((unit) => (
                    <option key={unit} value={unit} selected={unit === policy.unit}>
                      {t(`policy.unit.${unit}`)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          </div>
          {preview !== undefined && (
            <>
              <Consequences preview={preview} existing={existing} choose={setExisting} />
              {existing && preview.dueAtOnce > 0 && (
                <Field {...of('expected')} label={t('policy.expected', { count: preview.dueAtOnce })}>
                  {(wiring) => (
                    <input class="input short" inputMode="numeric" autocomplete="off" aria-required="true" {...wiring} />
                  )}
                </Field>
              )}
              <Field {...of('reason')} label={t('policy.reason')} hint={t('policy.reasonHint')}>
                {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
              </Field>
            </>
          )}
        </>
      )}
    </FormDialog>
  );
}

/** What the new period does, and the choice whether it is for what is there as well. */
function Consequences(props: { preview: PolicyPreview; existing: boolean; choose: (existing: boolean) => void }) {
  const { from, to, beyondStatement, shortened, dueAtOnce } = props.preview;
  return (
    <div role="status" class="consequences">
      <p>
        {t('policy.fromTo', { from: periodWords(from.amount, from.unit), to: periodWords(to.amount, to.unit) })}
      </p>
      {beyondStatement && (
        <p class="notice warn">
          <Icon name="warning" />
          <span>{t('policy.beyond')}</span>
        </p>
      )}
      {shortened === 0 ? (
        <p>{t('policy.nothingShorter')}</p>
      ) : (
        <fieldset class="choices">
          <legend>{t('policy.forWhat')}</legend>
          {[false, true].map((choice) => (
            <label key={String(choice)} class="check">
              <input
                type="radio"
                name="period-existing"
                checked={props.existing === choice}
                onChange={() => props.choose(choice)}
              />
              <span>
                {choice ? `${t('policy.existingToo')} ${plural('policy.shortened', shortened)}` : t('policy.onlyNew')}
              </span>
            </label>
          ))}
        </fieldset>
      )}
      {props.existing && dueAtOnce > 0 && (
        <p class="notice error">
          <Icon name="bin" />
          <span>
            <strong>{plural('policy.dueAtOnce', dueAtOnce)}</strong> {t('policy.forGood')}
          </span>
        </p>
      )}
    </div>
  );
}
