import { useRef } from 'preact/hooks';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { say } from '../shell/toast.js';

/** Lines to be taken over as they stand, with a button that copies them. `label` says which, for screen readers. */
export function Lines({ lines, label }: { lines: string; label: string }) {
  const shown = useRef<HTMLPreElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(lines);
      say(t('secret.copied'));
    } catch {
      // Without https a page may not write the clipboard: it is selected, ready to be copied by hand.
      if (shown.current) getSelection()?.selectAllChildren(shown.current);
      say(t('secret.selected'));
    }
  };
  return (
    <div class="paste">
      <pre ref={shown} class="paste-lines" tabIndex={0} role="region" aria-label={label}>
        {lines}
      </pre>
      <button type="button" class="button small" aria-label={`${t('secret.copy')}: ${label}`} onClick={() => void copy()}>
        <Icon name="copy" />
        {t('secret.copy')}
      </button>
    </div>
  );
}
