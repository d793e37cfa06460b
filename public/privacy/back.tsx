import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';

/** The way back to the queue of requests, above a screen that belongs to it. */
export function BackToQueue() {
  return (
    <div class="way">
      <a class="button quiet small" href="/privacy">
        <Icon name="back" />
        {t('privacy.back')}
      </a>
    </div>
  );
}
