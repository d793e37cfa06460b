import type { Person } from '../access/caller.js';
import { viewOf } from '../access/policy.js';
import type { Platform } from '../platform/platform.js';
import { decodeCursor, toPage } from '../platform/paging.js';
import type { z } from 'zod';
import { daysLeft } from './clock.js';
import { keptFrom } from './employee.js';
import type { summarySchema } from './file-schema.js';
import { isLetterDueSql, lettersDueSql, type LetterDue } from './held-up.js';
import { nextExpiry, urgentMs } from './present.js';
import { iso, presentProcess } from './present-item.js';
import { stillKept } from './retention.js';
import { isAnsweredSql, isOut, referenceOf, type PrivacyContext, type ProcessRow, type RequestRow, type RequestState } from './request.js';

/** The queue: by due date, the most pressing first; what is overdue; figures without anybody in them. */

export interface QueueFilter {
  state?: RequestState | 'open' | undefined;
  urgent?: boolean | undefined;
  /** Only those that are owed a letter about an erasure. */
  letterDue?: boolean | undefined;
}

type Row = RequestRow & { subject_name: string | null; next_expiry: Date | null; paused: boolean; letters_due: LetterDue[] };

/** One page of requests by due date. */
export async function listRequests(
  { platform: { clock, database }, settings }: PrivacyContext,
  person: Person,
  filter: QueueFilter,
  page: { limit: number; cursor?: string | undefined },
) {
  const now = clock.now();
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const rows = await database.query<Row>(
    `SELECT q.*, CASE WHEN q.requester_kind = 'company' THEN coalesce(s.name, s.organisation) ELSE s.name END AS subject_name, ${nextExpiry} AS next_expiry, ${lettersDueSql} AS letters_due,
       EXISTS (SELECT FROM privacy_pauses p WHERE p.request_id = q.id AND p.resumed_at IS NULL) AS paused
     FROM privacy_requests q JOIN privacy_subjects s ON s.request_id = q.id
     WHERE ($1::text IS NULL OR q.state = $1 OR ($1 = 'open' AND q.closed_at IS NULL)) AND ${stillKept('$8')} AND NOT ${keptFrom('$7')}
       AND ($2::timestamptz IS NULL OR (q.due_at, q.id) > ($2, $3::uuid))
       AND (NOT $4::boolean OR ${nextExpiry} < $5) AND (NOT $9::boolean OR ${isLetterDueSql})
     ORDER BY q.due_at, q.id LIMIT $6`,
    [
      filter.state ?? null, after?.at ?? null, after?.id ?? null, filter.urgent === true,
      new Date(now.getTime() + urgentMs), page.limit + 1, person.userId, now, filter.letterDue === true,
    ],
  );
  const processes = await database.query<ProcessRow>(
    `SELECT * FROM privacy_processes WHERE request_id = ANY ($1::uuid[]) ORDER BY "right"`,
    [rows.map((row) => row.id)],
  );
  const named = viewOf(person.role).names;
  const present = (row: Row): z.input<typeof summarySchema> => ({
    id: row.id,
    reference: referenceOf(row),
    state: row.state,
    channel: row.channel,
    requesterKind: row.requester_kind,
    secret: row.secret,
    locale: row.locale,
    receivedAt: row.received_at.toISOString(),
    dueAt: row.due_at.toISOString(),
    daysLeft: daysLeft(row.due_at, now, settings.timeZone),
    overdue: row.closed_at === null && !isOut(row, processes.filter((process) => process.request_id === row.id)) && !row.paused && row.due_at < now,
    paused: row.paused,
    extended: row.extended_at !== null,
    outcome: row.outcome,
    closedAt: iso(row.closed_at),
    processes: processes.filter((process) => process.request_id === row.id).map(presentProcess),
    subjectName: named ? row.subject_name : null,
    urgent: row.next_expiry !== null && row.next_expiry.getTime() - now.getTime() < urgentMs,
    nextExpiryAt: iso(row.next_expiry),
    lettersDue: row.letters_due,
  });
  return toPage(rows, page.limit, present, (row) => ({ at: row.due_at, id: row.id }));
}

export interface Statistics {
  received: number;
  open: number;
  overdue: number;
  byRight: { right: string; outcome: string; count: number; medianDays: number | null }[];
}

/** Counts by right and outcome and the time to an answer, of requests received in a period: nobody can be told from them. */
export async function statisticsOf({ platform: { clock, database } }: PrivacyContext, from: Date, until: Date): Promise<Statistics> {
  const [counts] = await database.query<{ received: number; open: number; overdue: number }>(
    `SELECT count(*) AS received, count(*) FILTER (WHERE closed_at IS NULL) AS open, count(*) FILTER (WHERE ${overdue('$3')}) AS overdue
     FROM privacy_requests q WHERE received_at >= $1 AND received_at < $2`,
    [from, until, clock.now()],
  );
  const byRight = await database.query<Statistics['byRight'][number]>(
    // An outcome is given once another officer has approved it; until then the right is open, whatever is decided so far.
    `SELECT p."right", CASE WHEN p.state IN ('approved', 'done') THEN coalesce(p.outcome, 'open') ELSE 'open' END AS outcome, count(*) AS count,
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY CASE WHEN p.state IN ('approved', 'done')
         THEN extract(epoch FROM greatest(q.handed_out_at, p.approved_at) - p.received_at) / 86400 END))::numeric, 1)::float8 AS "medianDays"
     FROM privacy_processes p JOIN privacy_requests q ON q.id = p.request_id
     WHERE q.received_at >= $1 AND q.received_at < $2 GROUP BY 1, 2 ORDER BY 1, 2`,
    [from, until],
  );
  return { received: counts?.received ?? 0, open: counts?.open ?? 0, overdue: counts?.overdue ?? 0, byRight };
}

/** SQL over `q`: is its answer overdue? A pause stops the clock, and so does an answer that is out. */
const overdue = (now: string) => `q.closed_at IS NULL AND NOT ${isAnsweredSql} AND q.due_at < ${now}
  AND NOT EXISTS (SELECT FROM privacy_pauses x WHERE x.request_id = q.id AND x.resumed_at IS NULL)`;

/** Figures for alarms: how many are open, overdue, due within a week, and how many lose what was found for them. */
export function privacyMetrics({ clock, database, metrics }: Pick<Platform, 'clock' | 'database' | 'metrics'>): void {
  metrics.gauge('opname_privacy_requests', 'Open privacy requests by how pressing they are', ['lane'], async (gauge) => {
    const now = clock.now();
    const week = new Date(now.getTime() + urgentMs);
    const [row] = await database.query<{ open: number; overdue: number; soon: number; urgent: number }>(
      `SELECT count(*) AS open, count(*) FILTER (WHERE ${overdue('$1')}) AS overdue,
         count(*) FILTER (WHERE NOT ${isAnsweredSql} AND q.due_at BETWEEN $1 AND $2) AS soon,
         count(*) FILTER (WHERE ${nextExpiry} < $2) AS urgent
       FROM privacy_requests q WHERE q.closed_at IS NULL`,
      [now, week],
    );
    for (const lane of ['open', 'overdue', 'soon', 'urgent'] as const) gauge.set({ lane }, row?.[lane] ?? 0);
  });
}
