import { dateBefore } from '../format.js';
import { t } from '../i18n.js';
import { Field, type Faults } from '../parts/field.js';
import type { FormDialog, Read } from '../parts/form.js';
import { grounds } from './types.js';

/** Why something is held and until when: the same fields wherever a hold is placed. */
export const termFields = ['reason', 'ground', 'reviewAt', 'endsAt'] as const;

const tomorrow = () => dateBefore(-1);

/** What is wrong with the terms as they were filled in. */
export function termFaults(read: Read): Faults {
  return {
    ...(read('reason') === '' ? { reason: t('holds.reasonMissing') } : {}),
    ...(read('reviewAt') < tomorrow() ? { reviewAt: t('holds.reviewMissing') } : {}),
    ...(read('endsAt') !== '' && read('endsAt') < tomorrow() ? { endsAt: t('holds.endWrong') } : {}),
  };
}

/** The terms as the service takes them. */
export function readTerms(read: Read): object {
  const endsAt = read('endsAt');
  return {
    ground: read('ground'),
    reason: read('reason'),
    reviewAt: read('reviewAt'),
    ...(endsAt === '' ? {} : { endsAt }),
  };
}

type Of = Parameters<Parameters<typeof FormDialog>[0]['children']>[0];

export function Terms({ of }: { of: Of }) {
  return (
    <>
      <Field {...of('ground')} label={t('holds.ground')}>
        {(wiring) => (
          <select class="input" {...wiring}>
            {grounds.map((ground) => (
              <option key={ground} value={ground}>
                {t(`ground.${ground}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field {...of('reason')} label={t('holds.reason')} hint={t('holds.reasonHint')}>
        {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
      </Field>
      <Field {...of('reviewAt')} label={t('holds.reviewAt')} hint={t('holds.reviewHint')}>
        {(wiring) => <input class="input" type="date" min={tomorrow()} aria-required="true" {...wiring} />}
      </Field>
      <Field {...of('endsAt')} label={t('holds.endsOn')} hint={t('holds.endsOnHint')}>
        {(wiring) => <input class="input" type="date" min={tomorrow()} {...wiring} />}
      </Field>
    </>
  );
}
