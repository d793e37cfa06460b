import { t } from '../i18n.js';
import type { Pages } from './pages.js';

/** Under a list: how many are shown, and the way to more. */
export function More<Item>({ pages, shown }: { pages: Pages<Item>; shown: string }) {
  return (
    <div class="more">
      <p class="muted" role="status">
        {pages.first.state === 'loading' ? t('state.loading') : shown}
      </p>
      {pages.hasMore && (
        <button type="button" class="button" onClick={() => void pages.more()}>
          {t('recordings.more')}
        </button>
      )}
    </div>
  );
}
