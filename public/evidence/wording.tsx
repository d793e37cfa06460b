import { clock, readClock } from '../format.js';
import { t } from '../i18n.js';
import { Field, type Faults } from '../parts/field.js';
import type { Read, Wired } from '../parts/form.js';

/** What an agreement is written down with. */
export interface Wording {
  startMs: number | undefined;
  endMs: number | undefined;
  summary: string;
  /** Undefined where this person may not see them, and so leaves them as they are. */
  parties: string[] | undefined;
  ticket: string | null;
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** What is missing or wrong in the fields below. */
export function checkWording(read: Read, asksParties: boolean): Faults {
  const startMs = readClock(read('startMs'));
  const endMs = readClock(read('endMs'));
  return {
    ...(startMs === undefined ? { startMs: t('agreement.startWrong') } : {}),
    ...(endMs === undefined || endMs <= (startMs ?? 0) ? { endMs: t('agreement.endWrong') } : {}),
    ...(read('summary') === '' ? { summary: t('agreement.summaryMissing') } : {}),
    ...(asksParties && lines(read('parties')).length === 0 ? { parties: t('agreement.partiesMissing') } : {}),
  };
}

/** The fields as the service takes them. */
export function readWording(read: Read, asksParties: boolean) {
  return {
    startMs: readClock(read('startMs')) ?? 0,
    endMs: readClock(read('endMs')) ?? 0,
    summary: read('summary'),
    ...(asksParties ? { parties: lines(read('parties')) } : {}),
    ticket: read('ticket') === '' ? null : read('ticket'),
  };
}

/** The fields of an agreement. `passage` draws the start and end where they are taken over from the player. */
export function WordingFields({ of, known }: { of: Wired['of']; known: Wording }) {
  const placeOf = (ms: number | undefined) => (ms === undefined ? '' : clock(ms));
  return (
    <>
      <div class="pair passage">
        {(['startMs', 'endMs'] as const).map((name) => (
          <Field key={name} {...of(name)} label={t(name === 'startMs' ? 'agreement.start' : 'agreement.end')}>
            {(wiring) => (
              <input
                key={known[name]}
                class="input"
                inputMode="numeric"
                autocomplete="off"
                placeholder="0:00"
                aria-required="true"
                defaultValue={placeOf(known[name])}
                {...wiring}
              />
            )}
          </Field>
        ))}
      </div>
      <Field {...of('summary')} label={t('agreement.summary')} hint={t('agreement.summaryHint')}>
        {(wiring) => (
          <textarea
            class="input"
            rows={3}
            maxLength={2000}
            aria-required="true"
            defaultValue={known.summary}
            {...wiring}
          />
        )}
      </Field>
      {known.parties !== undefined && (
        <Field {...of('parties')} label={t('agreement.parties')} hint={t('agreement.partiesHint')}>
          {(wiring) => (
            <textarea
              class="input"
              rows={3}
              aria-required="true"
              defaultValue={known.parties?.join('\n') ?? ''}
              {...wiring}
            />
          )}
        </Field>
      )}
      <Field {...of('ticket')} label={t('agreement.ticket')} hint={t('agreement.optional')}>
        {(wiring) => <input class="input" autocomplete="off" defaultValue={known.ticket ?? ''} {...wiring} />}
      </Field>
    </>
  );
}
