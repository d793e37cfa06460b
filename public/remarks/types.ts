/** Comments and shares, as the service tells them. Times are milliseconds of the playback copy. */

export interface Reply {
  id: string;
  author: { id: string; name: string; role: string };
  /** Whether the reader wrote it. */
  own: boolean;
  visibility: 'private' | 'shared';
  startMs: number;
  /** Null: a moment. */
  endMs: number | null;
  /** Null: deleted, kept for the answers to it. */
  text: string | null;
  createdAt: string;
  editedAt: string | null;
}

export interface Comment extends Reply {
  replies: Reply[];
}

export interface Share {
  agent: { id: string; name: string };
  clip: { startMs: number; endMs: number } | null;
  note: string | null;
  sharedAt: string;
}

export interface Segment {
  startMs: number;
  endMs: number;
  speaker: 'caller' | 'agent' | null;
  text: string;
}

/** One wording of a transcript. */
export interface Revision {
  revision: number;
  origin: 'typed' | 'imported' | 'fetched' | null;
  changedBy: { id: string; name: string } | null;
  changedAt: string | null;
  reason: string | null;
  segments: Segment[];
}

export interface Transcript {
  /** 0: there is none yet. */
  revision: number;
  origin: 'typed' | 'imported' | 'fetched' | null;
  changedAt: string | null;
  segments: Segment[];
  fetchable: boolean;
  request: { state: 'waiting' | 'done' | 'failed' } | null;
}
