import { signal } from '@preact/signals';
import { go } from '../shell/router.js';
import type { OpenCollection } from './types.js';

interface Entry {
  itemId: string;
  recordingId: string;
  startMs: number | null;
  endMs: number | null;
}

/** Calls to go through one after the other: a collection to listen to, or a sample to evaluate. */
export interface Queue {
  kind: 'collection' | 'sample';
  /** Where it is shown whole. */
  path: string;
  name: string;
  entries: Entry[];
}

const key = 'opname.queue';
const autoplayKey = 'opname.queue.autoplay';

function read(): Queue | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Partial<Queue> | null;
    return kept?.path === undefined ? undefined : (kept as Queue);
  } catch {
    return undefined;
  }
}

/** What is being gone through, in this tab; it survives a reload. */
export const queue = signal<Queue | undefined>(read());
/** Off until somebody asks for it. */
export const autoplay = signal(sessionStorage.getItem(autoplayKey) === 'true');
/** The entry that has to begin by itself, once it is there. */
export const starting = signal<string | undefined>(undefined);

export function setAutoplay(on: boolean): void {
  autoplay.value = on;
  sessionStorage.setItem(autoplayKey, String(on));
}

function begin(next: Queue): void {
  queue.value = next;
  sessionStorage.setItem(key, JSON.stringify(next));
}

/** Plays a collection from one of its items. */
export function playCollection(collection: OpenCollection, index: number): void {
  const entries = collection.items.map(({ id, recording, startMs, endMs }) => ({
    itemId: id,
    recordingId: recording.id,
    startMs,
    endMs,
  }));
  begin({ kind: 'collection', path: `/collections/${collection.id}`, name: collection.name, entries });
  openEntry(index, true);
}

/** Goes through a sample's calls from one of them, to evaluate; nothing sounds before it is asked to. */
export function evaluateSample(
  sample: { id: string; name: string; recordingIds: readonly string[] },
  index: number,
): void {
  const entries = sample.recordingIds.map((recordingId) => ({
    itemId: recordingId,
    recordingId,
    startMs: null,
    endMs: null,
  }));
  begin({ kind: 'sample', path: `/evaluations/sample/${sample.id}`, name: sample.name, entries });
  openEntry(index, false);
}

/** Goes to an entry; `play` when it has to sound at once. */
export function openEntry(index: number, play: boolean): void {
  const now = queue.peek();
  const entry = now?.entries[index];
  if (!now || !entry) return;
  starting.value = play ? entry.itemId : undefined;
  const at = entry.startMs === null ? '' : `&t=${entry.startMs / 1000}`;
  const beside = now.kind === 'sample' ? '&tab=evaluation' : '';
  go(`/recordings/${entry.recordingId}?item=${entry.itemId}${at}${beside}`);
}

export interface Turn {
  queue: Queue;
  index: number;
  entry: Entry;
}

/** Which turn this is; undefined when the recording was not opened from the queue. */
export function turnOf(itemId: string | null): Turn | undefined {
  const now = queue.value;
  const index = now?.entries.findIndex((entry) => entry.itemId === itemId) ?? -1;
  const entry = now?.entries[index];
  return now && entry ? { queue: now, index, entry } : undefined;
}
