import { signal } from '@preact/signals';
import { go } from '../shell/router.js';
import type { OpenCollection } from './types.js';

interface Entry {
  itemId: string;
  recordingId: string;
  startMs: number | null;
  endMs: number | null;
}

export interface Queue {
  collectionId: string;
  name: string;
  entries: Entry[];
}

const key = 'opname.queue';
const autoplayKey = 'opname.queue.autoplay';

function read(): Queue | undefined {
  try {
    return (JSON.parse(sessionStorage.getItem(key) ?? 'null') as Queue | null) ?? undefined;
  } catch {
    return undefined;
  }
}

/** The collection that is being played, in this tab; it survives a reload. */
export const queue = signal<Queue | undefined>(read());
/** Off until somebody asks for it. */
export const autoplay = signal(sessionStorage.getItem(autoplayKey) === 'true');
/** The entry that has to begin by itself, once it is there. */
export const starting = signal<string | undefined>(undefined);

export function setAutoplay(on: boolean): void {
  autoplay.value = on;
  sessionStorage.setItem(autoplayKey, String(on));
}

/** Plays a collection from one of its items. */
export function playCollection(collection: OpenCollection, index: number): void {
  queue.value = {
    collectionId: collection.id,
    name: collection.name,
    entries: collection.items.map(({ id, recording, startMs, endMs }) => ({
      itemId: id,
      recordingId: recording.id,
      startMs,
      endMs,
    })),
  };
  sessionStorage.setItem(key, JSON.stringify(queue.value));
  openEntry(index, true);
}

/** Goes to an entry; `play` when it has to sound at once. */
export function openEntry(index: number, play: boolean): void {
  const entry = queue.peek()?.entries[index];
  if (!entry) return;
  starting.value = play ? entry.itemId : undefined;
  const at = entry.startMs === null ? '' : `&t=${entry.startMs / 1000}`;
  go(`/recordings/${entry.recordingId}?item=${entry.itemId}${at}`);
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
