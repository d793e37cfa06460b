/** A call as training's lists show it. */
export interface CallFacts {
  id: string;
  startedAt: string;
  caller: string | null;
  agent: string | null;
  /** Of who answers on that extension. */
  agentName: string | null;
  durationMs: number;
  retainUntil: string;
  /** Whole days until it is deleted, 0 on the last one. */
  expiresInDays: number;
}

export interface Collection {
  id: string;
  name: string;
  description: string | null;
  createdBy: { id: string; name: string };
  itemCount: number;
  firstExpiryAt: string | null;
}

export interface CollectionItem {
  id: string;
  recording: CallFacts;
  /** Null: the whole call. Milliseconds of the playback copy. */
  startMs: number | null;
  endMs: number | null;
  note: string | null;
}

export interface OpenCollection extends Collection {
  items: CollectionItem[];
}
