import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { longDay } from '../format.js';
import { plural, t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import type { PartProps, RequestFile } from './types.js';

/** What a closed request restricts still: the person is told beforehand, and then it is lifted. */
export function LiftPart({ file, changed }: Pick<PartProps, 'file' | 'changed'>) {
  const [open, setOpen] = useState(false);
  const { count, liftableAt } = file.restricted;
  if (count === 0) return null;
  const told = liftableAt !== null;
  // Compared with the clock of whoever looks; the service has the last word.
  const due = told && Date.parse(liftableAt) <= Date.now();
  return (
    <section class="panel padded part" aria-labelledby="lift-title">
      <h2 id="lift-title">{t('right.restriction')}</h2>
      <p>{plural('lift.count', count)}</p>
      <p class="muted">{due ? t('lift.due') : told ? t('lift.told', { date: longDay(liftableAt) }) : t('lift.untold')}</p>
      <div class="actions">
        <button type="button" class="button" onClick={() => setOpen(true)}>
          {t('lift.act')}
        </button>
      </div>
      {open && (
        <FormDialog
          title={t('lift.act')}
          label={t('lift.act')}
          prefix="lift-"
          fields={['reason', 'agreed']}
          check={(read) => ({
            ...(read('reason') === '' ? { reason: t('clock.reasonMissing') } : {}),
            ...(!due && read('agreed') === '' ? { agreed: t('lift.tooSoon') } : {}),
          })}
          send={async (read) => {
            const body = { reason: read('reason'), agreed: read('agreed') !== '' };
            changed(await ask<RequestFile>(`/privacy-requests/${file.id}/lift`, { method: 'POST', body }), t('lift.acted'));
            setOpen(false);
          }}
          close={() => setOpen(false)}
        >
          {(of) => (
            <>
              <p class="muted">{t('lift.why')}</p>
              <Field {...of('reason')} label={t('decide.reason')}>
                {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
              </Field>
              <Field {...of('agreed')} label={t('lift.person')}>
                {(wiring) => (
                  <label class="check">
                    <input type="checkbox" {...wiring} />
                    <span>{t('lift.agreed')}</span>
                  </label>
                )}
              </Field>
            </>
          )}
        </FormDialog>
      )}
    </section>
  );
}
