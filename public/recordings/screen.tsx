import { useEffect, useMemo, useRef } from 'preact/hooks';
import { plural, t } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { BoneRows, Failure, State } from '../parts/state.js';
import { readHabits } from '../player/memory.js';
import { arrival, go, place, restoreScroll } from '../shell/router.js';
import { useUser } from '../shell/user.js';
import { FilterBar, none } from './filter-bar.js';
import { addressOf, countActive, type Filters, queryOf, readFilters } from './filters.js';
import { cameBack, type Listing, listing, showListing, showMore } from './listing.js';
import { Row } from './row.js';
import { Said } from './said.js';
import './recordings.css';

const columns = ['start', 'duration', 'caller', 'agent', 'ticket', 'flags', 'retention'] as const;
const boneWidths = [80, 70, 85, 60, 50, 40, 75];

/** The recordings this person may know of, newest first. */
export function Recordings() {
  const user = useUser();
  const here = place.value;
  const filters = useMemo(() => readFilters(here), [here]);
  const back = addressOf(filters);
  const key = JSON.stringify([user.id, queryOf(filters)]);
  const region = useRef<HTMLDivElement>(null);

  useEffect(() => {
    void showListing(key, queryOf(filters), back).then(() => {
      const came = cameBack();
      if (arrival.peek() !== 'back' && !came) return;
      requestAnimationFrame(() => {
        restoreScroll();
        const opened = listing.peek()?.opened;
        const row = opened === undefined ? null : document.getElementById(`recording-${opened}`);
        row?.focus({ preventScroll: true });
        row?.scrollIntoView({ block: 'nearest' });
      });
    });
  }, [key]);

  // Also while nothing has the focus, as after signing in; who switched the player's keys off means these too.
  useEffect(() => {
    if (!readHabits(user.id).shortcuts) return undefined;
    const onKey = (event: KeyboardEvent) => moveByKey(event, region.current);
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [user.id]);

  const apply = (next: Filters) => {
    const { to, kept } = addressOf(next);
    go(to, { replace: true, kept });
  };
  const shown = listing.value?.key === key ? listing.value : undefined;

  return (
    <div>
      <PageHead title={t('recordings.title')}>
        {user.role === 'trainer' && (
          <a class="button" href="/evaluations/sample">
            {t('sample.title')}
          </a>
        )}
      </PageHead>
      <FilterBar filters={filters} role={user.role} apply={apply} />
      <div class="panel" ref={region}>
        {filters.words.length > 1 ? (
          <Said words={filters.words} />
        ) : (
          <List
            shown={shown}
            narrowed={countActive(filters) > 0}
            again={() => void showListing(key, queryOf(filters), back, true)}
            clear={() => apply(none)}
          />
        )}
      </div>
    </div>
  );
}

interface ListProps {
  shown: Listing | undefined;
  narrowed: boolean;
  again: () => void;
  clear: () => void;
}

function List({ shown, narrowed, again, clear }: ListProps) {
  const fresh = !shown || (shown.busy && shown.items.length === 0);
  if (shown?.problem && shown.items.length === 0) return <Failure problem={shown.problem} again={again} />;
  if (shown && !fresh && shown.items.length === 0) return <Nothing narrowed={narrowed} clear={clear} />;
  return (
    <>
      <table class="table recordings" role="table" aria-busy={fresh} aria-label={t('recordings.title')}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column} role="columnheader" scope="col" class={column === 'duration' ? 'number' : undefined}>
                {t(`column.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {fresh ? (
            <BoneRows columns={boneWidths} />
          ) : (
            shown.items.map((item) => <Row key={item.id} recording={item} />)
          )}
        </tbody>
      </table>
      <div class="more">
        <p class="muted" role="status">
          {fresh
            ? t('state.loading')
            : plural(shown.nextCursor === null ? 'recordings.all' : 'recordings.shown', shown.items.length)}
        </p>
        {shown?.problem && <Failure problem={shown.problem} again={() => void showMore()} />}
        {shown && !fresh && shown.nextCursor !== null && !shown.problem && (
          <button type="button" class="button" aria-disabled={shown.busy} onClick={() => void showMore()}>
            {t(shown.busy ? 'state.loading' : 'recordings.more')}
          </button>
        )}
        <p class="muted keys-hint">
          <kbd>/</kbd> {t('recordings.keySearch')} <kbd>↑</kbd> <kbd>↓</kbd> {t('recordings.keyMove')}
        </p>
      </div>
    </>
  );
}

/** Why there is nothing: the usual reasons are the filters, and that what is older is gone. */
function Nothing({ narrowed, clear }: { narrowed: boolean; clear: () => void }) {
  if (!narrowed) {
    return (
      <State icon="recordings" title={t('recordings.none')}>
        <p>{t('recordings.noneWhy')}</p>
      </State>
    );
  }
  return (
    <State
      icon="filter"
      title={t('recordings.noneFound')}
      actions={
        <button type="button" class="button" onClick={clear}>
          <Icon name="close" />
          {t('filters.clear')}
        </button>
      }
    >
      <p>{t('recordings.noneFoundWhy')}</p>
    </State>
  );
}

/** `/` goes to the first field, the arrows go from row to row; never while typing, nor in a dialog or the navigation. */
function moveByKey(event: KeyboardEvent, region: HTMLElement | null): void {
  const target = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof HTMLElement)) return;
  if (target.matches('input, select, textarea') || target.closest('dialog, nav, header')) return;
  if (event.key === '/') {
    event.preventDefault();
    document.querySelector<HTMLElement>('.filters input')?.focus();
    return;
  }
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const links = [...(region?.querySelectorAll<HTMLElement>('.row-link') ?? [])];
  if (links.length === 0) return;
  const row = target.closest('tr, li:has(.row-link)');
  const at = links.findIndex((link) => link.closest('tr, li') === row);
  const next = at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + (event.key === 'ArrowDown' ? 1 : -1)));
  event.preventDefault();
  links[next]?.focus();
}
