import { chooseLanguage, language, t } from '../i18n.js';
import { Icon, type IconName } from '../parts/icon.js';
import { theme, type Theme } from './theme.js';

/** Dutch or English; remembered on this device. */
export function LanguageSwitch() {
  return (
    <div class="segments" role="group" aria-label={t('switch.language')}>
      {(['nl', 'en'] as const).map((choice) => (
        <button
          key={choice}
          type="button"
          lang={choice}
          aria-pressed={language.value === choice}
          aria-label={choice === 'nl' ? 'NL, Nederlands' : 'EN, English'}
          title={choice === 'nl' ? 'Nederlands' : 'English'}
          onClick={() => chooseLanguage(choice, true)}
        >
          {choice.toUpperCase()}
        </button>
      ))}
    </div>
  );
}

const icons: Record<Theme, IconName> = { system: 'screen', light: 'sun', dark: 'moon' };

/** The machine's theme, light or dark; remembered on this device. */
export function ThemeSwitch() {
  return (
    <div class="segments" role="group" aria-label={t('switch.theme')}>
      {(['system', 'light', 'dark'] as const).map((choice) => (
        <button
          key={choice}
          type="button"
          aria-pressed={theme.value === choice}
          aria-label={t(`switch.${choice}`)}
          title={t(`switch.${choice}`)}
          onClick={() => (theme.value = choice)}
        >
          <Icon name={icons[choice]} />
        </button>
      ))}
    </div>
  );
}
