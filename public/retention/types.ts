/** How retention stands, as the service tells it. */

export interface DueCount {
  /** "2026-11-25", in the service's time zone. */
  date: string;
  category: string;
  count: number;
}

export interface Sweep {
  id: string;
  state: 'running' | 'done';
  trigger: 'schedule' | 'request';
  requestedAt: string;
  finishedAt: string | null;
  purged: number;
  failed: number;
}

/** A rule of the bucket. */
export interface Rule {
  id: string;
  enabled?: boolean;
  prefix?: string;
  tags?: Record<string, string>;
  expireAfterDays?: number;
  abortUploadsAfterDays?: number;
  expireNoncurrentAfterDays?: number;
  removeExpiredDeleteMarkers?: boolean;
}

export interface Lifecycle {
  state: 'in_sync' | 'drifted' | 'unsupported';
  expected: Rule[];
  actual: Rule[];
  checkedAt: string;
}

export interface Policy {
  category: string;
  amount: number;
  unit: 'days' | 'calendar_years';
  inForceFrom: string;
  shortening: 'none' | 'under_way' | 'done';
}

/** What another period would do to what is there. */
export interface PolicyPreview {
  from: Pick<Policy, 'amount' | 'unit'>;
  to: Pick<Policy, 'amount' | 'unit'>;
  /** Longer than the privacy statement promises. */
  beyondStatement: boolean;
  shortened: number;
  dueAtOnce: number;
  /** Stands for exactly what would be due at once: the act carries it. */
  token: string;
}

export interface Failing {
  category: string;
  id: string;
  attempts: number;
  fault: string | null;
  begunAt: string;
}

export interface Overview {
  policies: Policy[];
  due: DueCount[];
  overdue: number;
  held: number;
  unconfirmedHolds: number;
  reviewsDue: number;
  deletedToday: number;
  failing: Failing[];
  lastSweep: Sweep | null;
  lifecycle: Lifecycle | null;
}

export interface Tombstone {
  id: string;
  category: string;
  itemId: string;
  subjectKind: 'recording' | 'ticket' | (string & {});
  subjectId: string;
  sha256: string[];
  day: string | null;
  reason: 'retention' | 'erasure' | 'objection' | 'lifecycle' | (string & {});
  rule: string;
  retainUntil: string;
  purgedAt: string;
  purgedBy: string;
  objects: number;
  confirmedHow: string;
}

export interface Told {
  nl: string;
  en: string;
}

export interface Register {
  controller: string;
  processors: { role: string; name: string; region: string }[];
  rows: {
    id: string;
    service: Told;
    data: Told;
    kept: Told;
    controller: 'organisation' | 'client';
    ground: Told;
    purpose: Told | null;
    policy: string | null;
  }[];
}
