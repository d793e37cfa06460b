import { signal } from '@preact/signals';

/**
 * Where the person is. `kept` holds what must never stand in an address (a telephone number, an e-mail address):
 * it lives in the history entry, so that back, forward and reload keep it and a copied address does not.
 */
export interface Place {
  path: string;
  query: URLSearchParams;
  kept: Readonly<Record<string, string>>;
}

interface Entry {
  kept?: Record<string, string>;
  scrollY?: number;
}

function read(): Place {
  const entry = (history.state ?? {}) as Entry;
  return { path: location.pathname, query: new URLSearchParams(location.search), kept: entry.kept ?? {} };
}

export const place = signal<Place>(read());

/** How the present place was reached: `back` covers back, forward and reload, where the old scroll is wanted. */
export const arrival = signal<'link' | 'back'>('back');

/** Goes to an address of this site. `replace` changes the present entry, for filters and the like. */
export function go(
  to: string,
  { replace = false, kept = {} }: { replace?: boolean; kept?: Record<string, string> } = {},
): void {
  const entry: Entry = { kept };
  if (replace) {
    history.replaceState({ ...(history.state as Entry | null), ...entry }, '', to);
  } else {
    rememberScroll();
    history.pushState(entry, '', to);
    arrival.value = 'link';
  }
  place.value = read();
  if (!replace) scrollTo(0, 0);
}

/** Puts the window where it was when this entry was left; call once what was there is drawn again. */
export function restoreScroll(): void {
  const { scrollY } = (history.state ?? {}) as Entry;
  if (arrival.value === 'back' && scrollY !== undefined) scrollTo(0, scrollY);
}

function rememberScroll(): void {
  history.replaceState({ ...(history.state as Entry | null), scrollY }, '');
}

/** Takes over links, back and forward. Call once. */
export function startRouter(): void {
  history.scrollRestoration = 'manual';
  addEventListener('popstate', () => {
    arrival.value = 'back';
    place.value = read();
  });
  let settling: ReturnType<typeof setTimeout> | undefined;
  addEventListener(
    'scroll',
    () => {
      clearTimeout(settling);
      settling = setTimeout(rememberScroll, 150);
    },
    { passive: true },
  );
  document.addEventListener('click', (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.pathname.startsWith('/api/') || link.getAttribute('href')?.startsWith('#')) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

/** The values of a pattern such as `/recordings/:id` in a path; undefined where it does not fit. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.replace(/\/+$/, '').split('/');
  if (wanted.length !== given.length) return undefined;
  const values: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const piece = given[index] ?? '';
    if (part.startsWith(':')) {
      if (piece === '') return undefined;
      values[part.slice(1)] = decodeURIComponent(piece);
    } else if (part !== piece) return undefined;
  }
  return values;
}
