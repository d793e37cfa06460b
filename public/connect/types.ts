/** What arrives from a PBX, as the service tells it. No number and no name is in it. */
export interface Arrival {
  id: string;
  at: string;
  kind: 'recording' | 'call_data' | 'test';
  /** `received`, `duplicate`, or the code of the refusal. */
  outcome: string;
  faults: { path: string; message: string }[];
  stored: number | null;
  recording: ArrivedRecording | null;
}

export interface ArrivedRecording {
  state: 'receiving' | 'received' | 'ready' | 'failed';
  callId: string;
  part: string;
  direction: string;
  startedAt: string;
  durationMs: number;
  channels: number;
  codec: string;
  remarks: ('time_differs' | 'no_caller' | 'no_agent' | 'one_channel' | 'not_playable' | 'truncated')[];
}

export interface RefusedKey {
  prefix: string;
  reason: 'unknown' | 'damaged' | 'revoked' | 'expired' | 'wrong_role';
  count: number;
  lastAt: string;
}

export interface Arrivals {
  arrivals: Arrival[];
  refusedKeys: RefusedKey[];
  keySeenAt: string | null;
  pull: { lastPullAt: string | null; fault: string | null } | null;
  now: string;
}

export interface TestOutcome {
  ok: boolean;
  steps: {
    step: 'received' | 'recognised' | 'stored' | 'read_back' | 'decoded' | 'deleted';
    ok: boolean;
    ms: number;
    code?: string;
  }[];
  durationMs: number | null;
  waiting: number;
  waitingSince: string | null;
}
