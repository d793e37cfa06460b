import { useRef } from 'preact/hooks';
import { t } from '../i18n.js';
import { Dialog } from '../parts/dialog.js';
import { Icon } from '../parts/icon.js';
import { say } from '../shell/toast.js';

interface Props {
  title: string;
  /** Why it must be kept now. */
  warning: string;
  label: string;
  secret: string;
  close: () => void;
}

/** Shows a key or a password, the only time that it can be seen. */
export function SecretShown({ title, warning, label, secret, close }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(secret);
      say(t('secret.copied'));
    } catch {
      // Without https a page may not write the clipboard: it is selected, ready to be copied by hand.
      say(t('secret.selected'));
    }
  };
  return (
    <Dialog title={title} close={close}>
      <div class="form">
        <div class="notice warn">
          <Icon name="warning" />
          <div>{warning}</div>
        </div>
        <div class="copy-line">
          <input ref={field} class="input mono" readOnly aria-label={label} value={secret} />
          <button type="button" class="button" onClick={() => void copy()}>
            <Icon name="copy" />
            {t('secret.copy')}
          </button>
        </div>
        <div class="actions">
          <button type="button" class="button primary" onClick={close}>
            {t('secret.kept')}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
