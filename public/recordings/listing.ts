import { signal } from '@preact/signals';
import { type ApiProblem, ask, type Query } from '../api/client.js';
import type { Page, Recording } from '../api/types.js';
import { asProblem } from '../parts/state.js';

const pageSize = 50;
const orderKey = 'opname.order';

/** The list as far as it was fetched. It outlives its screen, so that coming back finds it as it was. */
export interface Listing {
  /** What it was asked with: who, and which filters. */
  key: string;
  query: Query;
  items: Recording[];
  nextCursor: string | null;
  busy: boolean;
  problem: ApiProblem | undefined;
  /** Its address, to come back to, and what goes beside it. */
  back: { to: string; kept: Record<string, string> };
  /** The recording that was opened last, which gets the focus on return. */
  opened: string | undefined;
}

export const listing = signal<Listing | undefined>(undefined);

let current: AbortController | undefined;

/** Shows the list for a query; one that is there already is left as it is, unless `anew`. */
export async function showListing(key: string, query: Query, back: Listing['back'], anew = false): Promise<void> {
  const there = listing.peek();
  if (there?.key === key && !there.problem && !anew) return;
  listing.value = { key, query, items: [], nextCursor: null, busy: true, problem: undefined, back, opened: undefined };
  await fetchPage();
}

/** Fetches the next page below what is shown. */
export async function showMore(): Promise<void> {
  const there = listing.peek();
  if (!there || there.busy || there.nextCursor === null) return;
  listing.value = { ...there, busy: true, problem: undefined };
  await fetchPage();
}

async function fetchPage(): Promise<void> {
  current?.abort();
  const abort = (current = new AbortController());
  const asked = listing.peek();
  if (!asked) return;
  try {
    const page = await ask<Page<Recording>>('/recordings', {
      query: { ...asked.query, limit: pageSize, cursor: asked.nextCursor ?? undefined },
      signal: abort.signal,
    });
    const items = [...asked.items, ...page.items];
    listing.value = { ...asked, items, nextCursor: page.nextCursor, busy: false };
    sessionStorage.setItem(orderKey, JSON.stringify({ ids: items.map((item) => item.id), back: asked.back.to }));
  } catch (error) {
    if (abort.signal.aborted) return;
    listing.value = { ...asked, busy: false, problem: asProblem(error) };
  }
}

/** Remembers which recording was opened from the list. */
export function markOpened(id: string): void {
  const there = listing.peek();
  if (there) listing.value = { ...there, opened: id };
}

let returning = false;

/** Says that the list is gone back to by a link, so that it puts the focus where it was. */
export function goingBack(): void {
  returning = true;
}

/** Whether it was; told once. */
export function cameBack(): boolean {
  const came = returning;
  returning = false;
  return came;
}

export interface Neighbours {
  previous: string | undefined;
  next: string | undefined;
  /** Counted from 1; 0 when the recording was not opened from a list. */
  position: number;
  count: number;
  more: boolean;
  back: Listing['back'];
}

/** Where a recording stands in the list it was opened from; ids only survive a reload, with the address. */
export function neighboursOf(id: string): Neighbours {
  const there = listing.value;
  const stored = there ? undefined : readOrder();
  const ids = there?.items.map((item) => item.id) ?? stored?.ids ?? [];
  const index = ids.indexOf(id);
  return {
    previous: index > 0 ? ids[index - 1] : undefined,
    next: index >= 0 ? ids[index + 1] : undefined,
    position: index + 1,
    count: ids.length,
    more: there !== undefined && there.nextCursor !== null,
    back: there?.back ?? { to: stored?.back ?? '/recordings', kept: {} },
  };
}

/** The recording after this one, fetching more of the list where it goes on; undefined at its end. */
export async function nextAfter(id: string): Promise<string | undefined> {
  const { next, more, position } = neighboursOf(id);
  if (next !== undefined || !more || position === 0) return next;
  await showMore();
  return neighboursOf(id).next;
}

function readOrder(): { ids: string[]; back: string } | undefined {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(orderKey) ?? 'null');
    if (typeof stored !== 'object' || stored === null || !('ids' in stored) || !Array.isArray(stored.ids))
      return undefined;
    const back = 'back' in stored && typeof stored.back === 'string' ? stored.back : '/recordings';
    return { ids: stored.ids.filter((id): id is string => typeof id === 'string'), back };
  } catch {
    return undefined;
  }
}
