import { t } from '../i18n.js';
import { CopyLine } from '../parts/copy-line.js';
import { Dialog } from '../parts/dialog.js';
import { Icon } from '../parts/icon.js';

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
  return (
    <Dialog title={title} close={close}>
      <div class="form">
        <div class="notice warn">
          <Icon name="warning" />
          <div>{warning}</div>
        </div>
        <CopyLine label={label} value={secret} />
        <div class="actions">
          <button type="button" class="button primary" onClick={close}>
            {t('secret.kept')}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
