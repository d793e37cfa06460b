import { useRef } from 'preact/hooks';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { asProblem, problemText } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { rights, type Right } from './types.js';

/** Telling the officer that somebody asks for a right: what the player and a ticket have in common. */

/** What people ask for most: one click each. */
export const quick = ['access', 'erasure', 'objection'] as const;

export interface Flagged {
  reference: string;
  closedToTraining: boolean;
}

/** One click is one request, however the hand trembles; what goes wrong is said. */
export function useOnce(): (work: () => Promise<void>) => Promise<void> {
  const busy = useRef(false);
  return async (work) => {
    if (busy.current) return;
    busy.current = true;
    try {
      await work();
    } catch (error) {
      say(problemText(asProblem(error)));
    } finally {
      busy.current = false;
    }
  };
}

/** What was asked, in words. */
export const askedFor = (asked: readonly Right[]): string =>
  asked.length === 0 ? t('flag.unclear') : asked.map((right) => t(`right.${right}`)).join(', ');

interface FlagDialogProps {
  title: string;
  legend: string;
  hint: string;
  send: (asked: Right[], note: string) => Promise<void>;
  close: () => void;
}

/** Several rights at once, or something that is not clear: then in words. */
export function FlagDialog({ title, legend, hint, send, close }: FlagDialogProps) {
  return (
    <FormDialog
      title={title}
      label={t('flag.send')}
      prefix="flag-"
      fields={['rights', 'note']}
      check={(read) =>
        read('note') === '' && rights.every((right) => read(right) === '') ? { note: t('flag.nothing') } : {}
      }
      send={async (read) => {
        await send(rights.filter((right) => read(right) !== ''), read('note'));
        close();
      }}
      close={close}
    >
      {(of) => (
        <>
          <p class="muted">{t('flag.otherWhy')}</p>
          <fieldset class="flag-rights">
            <legend>{legend}</legend>
            {rights.map((right) => (
              <label key={right} class="check">
                <input type="checkbox" name={`flag-${right}`} value={right} />
                {t(`right.${right}`)}
              </label>
            ))}
          </fieldset>
          <Field {...of('note')} label={t('flag.note')} hint={hint}>
            {(wiring) => <textarea class="input" rows={3} maxLength={2000} {...wiring} />}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
