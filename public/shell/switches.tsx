import { ApiProblem, ask } from '../api/client.js';
import { chooseLanguage, type Language, language, t } from '../i18n.js';
import { Icon, type IconName } from '../parts/icon.js';
import { session } from './session.js';
import { theme, type Theme } from './theme.js';

/** Dutch or English; remembered on this device, and by the service for the next one. */
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
          onClick={() => choose(choice)}
        >
          {choice.toUpperCase()}
        </button>
      ))}
    </div>
  );
}

function choose(next: Language): void {
  chooseLanguage(next, true);
  if (session.peek().state !== 'signed-in') return;
  // The screens have changed already; the service only has to know for a next device.
  ask('/session', { method: 'PATCH', body: { locale: next } }).catch((error: unknown) => {
    if (!(error instanceof ApiProblem)) throw error;
  });
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
