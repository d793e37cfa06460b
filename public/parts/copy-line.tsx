import { useRef } from 'preact/hooks';
import { t } from '../i18n.js';
import { say } from '../shell/toast.js';
import { Icon } from './icon.js';

/** A text that is to be taken along, with a button that copies it. */
export function CopyLine({ label, value, name }: { label: string; value: string; name?: string }) {
  const field = useRef<HTMLInputElement>(null);
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(value);
      say(t('secret.copied'));
    } catch {
      // Without https a page may not write the clipboard: it is selected, ready to be copied by hand.
      say(t('secret.selected'));
    }
  };
  return (
    <div class="copy-line">
      <input ref={field} class="input mono" readOnly aria-label={label} value={value} />
      <button type="button" class="button" aria-label={name} onClick={() => void copy()}>
        <Icon name="copy" />
        {t('secret.copy')}
      </button>
    </div>
  );
}
