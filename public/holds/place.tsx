import { ask } from '../api/client.js';
import { t } from '../i18n.js';
import { FormDialog } from '../parts/form.js';
import { say } from '../shell/toast.js';
import { lastDay } from './state.js';
import { readTerms, termFaults, termFields, Terms } from './terms.js';
import type { Hold, HoldSubject } from './types.js';

interface Props {
  subject: HoldSubject;
  close: () => void;
  placed: (hold: Hold) => void;
}

/** Places a hold: a ground, a reason and a day to look at it again are all needed, an end is not. */
export function PlaceHold({ subject, close, placed }: Props) {
  return (
    <FormDialog
      title={t('holds.place')}
      label={t('holds.place')}
      prefix="hold-"
      fields={[...termFields]}
      check={termFaults}
      send={async (read) => {
        const hold = await ask<Hold>('/holds', { method: 'POST', body: { ...subject, ...readTerms(read) } });
        say(t('holds.placedNow', { date: lastDay(hold.confirmBy) }));
        placed(hold);
      }}
      close={close}
    >
      {(of) => (
        <>
          <p class="muted">{t('holds.placeWhy')}</p>
          <Terms of={of} />
        </>
      )}
    </FormDialog>
  );
}
