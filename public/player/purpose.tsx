import { useState } from 'preact/hooks';
import { t } from '../i18n.js';
import { Dialog } from '../parts/dialog.js';
import { Icon } from '../parts/icon.js';

/** Why a privacy officer listens; the service records it with what was listened to. */
export type Purpose = 'evidence' | 'access_request';

const purposes: Purpose[] = ['evidence', 'access_request'];
const key = (recordingId: string) => `opname.purpose.${recordingId}`;
const isPurpose = (text: string | null): text is Purpose => text === 'evidence' || text === 'access_request';

/** What was stated for this recording in this tab. */
export function readPurpose(recordingId: string): Purpose | undefined {
  const stored = sessionStorage.getItem(key(recordingId));
  return isPurpose(stored) ? stored : undefined;
}

interface Props {
  recordingId: string;
  chosen: Purpose | undefined;
  choose: (purpose: Purpose) => void;
  close: () => void;
}

/** Asks for the purpose, once per recording and before its first sound. */
export function PurposeDialog({ recordingId, chosen, choose, close }: Props) {
  const last = sessionStorage.getItem('opname.purpose');
  const [purpose, setPurpose] = useState<Purpose>(chosen ?? (isPurpose(last) ? last : 'evidence'));
  return (
    <Dialog title={t('purpose.title')} close={close}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          sessionStorage.setItem('opname.purpose', purpose);
          sessionStorage.setItem(key(recordingId), purpose);
          choose(purpose);
        }}
      >
        <fieldset class="form">
          <legend class="muted">{t('purpose.why')}</legend>
          {purposes.map((each) => (
            <label key={each} class="check">
              <input
                type="radio"
                name="purpose"
                value={each}
                checked={purpose === each}
                onChange={() => setPurpose(each)}
              />
              <span>
                {t(`purpose.${each}`)}
                <small>{t(`purpose.${each}.hint`)}</small>
              </span>
            </label>
          ))}
        </fieldset>
        <div class="actions">
          <button type="submit" class="button primary">
            <Icon name="play" />
            {t('purpose.listen')}
          </button>
          <button type="button" class="button" onClick={close}>
            {t('dialog.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
