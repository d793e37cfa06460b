import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Cell } from '../parts/table.js';

/** What the line of one hold and that of a group have in common. */

export function Secret({ secret }: { secret: boolean }) {
  if (!secret) return null;
  return (
    <span class="line">
      <Badge icon="hidden" tone="warn" plain>
        {t('holds.secret')}
      </Badge>
    </span>
  );
}

export function ReviewLate({ due }: { due: boolean }) {
  if (!due) return null;
  return (
    <span class="line">
      <Badge icon="warning" tone="error" plain>
        {t('holds.reviewLate')}
      </Badge>
    </span>
  );
}

interface DecideProps {
  name: string;
  /** Which of the two are there to be done. */
  confirm: boolean;
  release: boolean;
  decide: (act: 'confirm' | 'release') => void;
}

export function DecideCell({ name, confirm, release, decide }: DecideProps) {
  return (
    <Cell className="row-actions">
      {confirm && (
        <button type="button" class="button small" aria-label={t('holds.confirmOf', { item: name })} onClick={() => decide('confirm')}>
          {t('holds.confirm')}
        </button>
      )}
      {release && (
        <button
          type="button"
          class="button small danger"
          aria-label={t('holds.releaseOf', { item: name })}
          onClick={() => decide('release')}
        >
          {t('holds.release')}
        </button>
      )}
    </Cell>
  );
}
