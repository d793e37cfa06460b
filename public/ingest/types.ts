/** How the taking in of recordings goes, as the service tells it. No number and no name is in it. */
export interface IngestSource {
  id: string;
  name: string;
  timezone: string;
  lastReceivedAt: string | null;
  received: number;
  duplicates: number;
  rejected: { code: string; count: number; lastAt: string }[];
  days: { date: string; received: number; duplicates: number; rejected: Record<string, number> }[];
  silent: boolean;
  /** How many recordings usually come in such a stretch of the week. */
  expectedSince: number | null;
  missingRecordings: number;
  missing: { callId: string; startedAt: string; endedAt: string; billedMs: number | null }[];
  withoutCallData: number;
}

export interface Ingest {
  sources: IngestSource[];
  queue: { waiting: number; oldestAt: string | null; failed: number };
  disk: { freeBytes: number; totalBytes: number };
  alarms: {
    id: string;
    sourceId: string;
    kind: 'silent' | 'recordings_missing' | 'refused';
    count: number;
    raisedAt: string;
  }[];
}

/** A PBX or a helpdesk; it outlives its keys. */
export interface Source {
  id: string;
  name: string;
  kind: 'pbx' | 'helpdesk';
  timezone: string;
  channels: ('caller' | 'agent')[];
  ownNumbers: string[];
}
