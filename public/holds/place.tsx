import { ask } from '../api/client.js';
import { dateBefore } from '../format.js';
import { t } from '../i18n.js';
import { Field, type Faults } from '../parts/field.js';
import { FormDialog, type Read } from '../parts/form.js';
import { say } from '../shell/toast.js';
import { lastDay } from './state.js';
import { grounds, type Hold, type HoldSubject } from './types.js';

interface Props {
  subject: HoldSubject;
  close: () => void;
  placed: (hold: Hold) => void;
}

/** Places a hold: a ground, a reason and a day to look at it again are all needed. */
export function PlaceHold({ subject, close, placed }: Props) {
  const tomorrow = dateBefore(-1);
  const check = (read: Read): Faults => ({
    ...(read('reason') === '' ? { reason: t('holds.reasonMissing') } : {}),
    ...(read('reviewAt') < tomorrow ? { reviewAt: t('holds.reviewMissing') } : {}),
  });
  return (
    <FormDialog
      title={t('holds.place')}
      label={t('holds.place')}
      prefix="hold-"
      fields={['reason', 'ground', 'reviewAt']}
      check={check}
      send={async (read) => {
        const body = { ...subject, ground: read('ground'), reason: read('reason'), reviewAt: read('reviewAt') };
        const hold = await ask<Hold>('/holds', { method: 'POST', body });
        say(t('holds.placedNow', { date: lastDay(hold.confirmBy) }));
        placed(hold);
      }}
      close={close}
    >
      {(of) => (
        <>
          <p class="muted">{t('holds.placeWhy')}</p>
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
            {(wiring) => <input class="input" type="date" min={tomorrow} aria-required="true" {...wiring} />}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
