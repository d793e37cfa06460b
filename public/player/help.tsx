import { t } from '../i18n.js';
import { Dialog } from '../parts/dialog.js';
import { shortcuts } from './keys.js';

/** The keys of the player, and the switch that turns them off. */
export function Help(props: { shortcuts: boolean; change: (on: boolean) => void; close: () => void }) {
  return (
    <Dialog title={t('keys.title')} close={props.close}>
      <p class="muted">{t('keys.where')}</p>
      <ul class="keys">
        {shortcuts.map((shortcut) => (
          <li key={shortcut.label}>
            <span class="key-names">
              {shortcut.shown.map((name) => (
                <kbd key={name}>{name === '␣' ? t('keys.space') : name}</kbd>
              ))}
            </span>
            <span>{t(shortcut.label)}</span>
          </li>
        ))}
      </ul>
      <label class="check">
        <input
          type="checkbox"
          checked={props.shortcuts}
          onChange={(event) => props.change(event.currentTarget.checked)}
        />
        <span>
          {t('keys.switch')}
          <small>{t('keys.switchWhy')}</small>
        </span>
      </label>
    </Dialog>
  );
}
