import type { Platform } from '../platform/platform.js';
import { TimeStampUnavailable, type TimeStamper } from '../platform/time-stamp.js';

/**
 * Time stamps over originals, asked for soon after receipt. Each version that came in gets a row; a row without a token is
 * the queue, so that an authority that is away, or a restart, costs time only.
 */

export const ingestStampsJob = 'evidence.stamp-receipts';

type Base = Pick<Platform, 'clock' | 'database' | 'log'>;

/** Versions are looked for this far back: rows are made even while every authority is away. */
const lookBackMs = 2 * 86_400_000;
const batch = 20;
const leaseMs = 120_000;
const longestWaitMs = 3_600_000;

/** The least UUIDv7 (RFC 9562 §5.7) of an instant: ids sort by time. */
function firstIdAt(at: Date): string {
  const hex = Math.max(0, at.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** Notes the versions that have come in and have no row yet. @returns how many */
export async function enqueueStamps({ clock, database }: Base): Promise<number> {
  const now = clock.now();
  const [row] = await database.query<{ count: number }>(
    `WITH added AS (
       INSERT INTO time_stamps (version_id, sha256, next_attempt_at)
       SELECT v.id, v.sha256, $2 FROM recording_versions v
       WHERE v.id >= $1::uuid AND v.number IS NOT NULL AND NOT EXISTS (SELECT FROM time_stamps t WHERE t.version_id = v.id)
       ON CONFLICT DO NOTHING RETURNING 1)
     SELECT count(*) AS count FROM added`,
    [firstIdAt(new Date(now.getTime() - lookBackMs)), now],
  );
  return row?.count ?? 0;
}

interface Waiting {
  versionId: string;
  sha256: string;
  attempts: number;
}

/** Fetches the tokens that are due until none is, or every authority is away. @returns how many were given */
export async function stampReceipts(platform: Base, timeStamper: TimeStamper, signal: AbortSignal): Promise<number> {
  await enqueueStamps(platform);
  let given = 0;
  while (!signal.aborted) {
    const waiting = await claimDue(platform);
    if (waiting.length === 0) break;
    const done = await stampAll(platform, timeStamper, waiting, signal);
    given += done;
    if (done < waiting.length) break;
  }
  return given;
}

/**
 * Those of these versions that have no token yet get one now, so that what was just received is packed with one.
 * @returns false when no authority answered: those that are left wait in the queue
 */
export async function stampVersions(
  platform: Base, timeStamper: TimeStamper, versions: readonly { id: string; sha256: string }[], signal: AbortSignal,
): Promise<boolean> {
  const { clock, database } = platform;
  await database.query(
    `INSERT INTO time_stamps (version_id, sha256, next_attempt_at)
     SELECT v.id, v.sha256, $3 FROM unnest($1::uuid[], $2::text[]) AS v (id, sha256) ON CONFLICT DO NOTHING`,
    [versions.map(({ id }) => id), versions.map(({ sha256 }) => sha256), clock.now()],
  );
  const waiting = await database.query<Waiting>(
    `SELECT version_id AS "versionId", sha256, attempts FROM time_stamps
     WHERE version_id = ANY ($1::uuid[]) AND response IS NULL`,
    [versions.map(({ id }) => id)],
  );
  return (await stampAll(platform, timeStamper, waiting, signal)) === waiting.length;
}

async function claimDue({ clock, database }: Base): Promise<Waiting[]> {
  const now = clock.now();
  return await database.query<Waiting>(
    `UPDATE time_stamps t SET attempts = t.attempts + 1, next_attempt_at = $2
     FROM (SELECT version_id FROM time_stamps WHERE response IS NULL AND next_attempt_at <= $1
           ORDER BY next_attempt_at LIMIT ${batch} FOR UPDATE SKIP LOCKED) due
     WHERE t.version_id = due.version_id
     RETURNING t.version_id AS "versionId", t.sha256, t.attempts`,
    [now, new Date(now.getTime() + leaseMs)],
  );
}

/** @returns how many were given before every authority was away */
async function stampAll(
  platform: Base, timeStamper: TimeStamper, waiting: readonly Waiting[], signal: AbortSignal,
): Promise<number> {
  for (const [index, one] of waiting.entries()) {
    try {
      await stampOne(platform, timeStamper, one, signal);
    } catch (error) {
      if (!(error instanceof TimeStampUnavailable)) throw error;
      platform.log.warn({ fault: error.message, versionId: one.versionId, attempts: one.attempts }, 'no time stamp yet');
      await putOff(platform, waiting.slice(index), error.message);
      return index;
    }
  }
  return waiting.length;
}

async function stampOne({ database }: Base, timeStamper: TimeStamper, one: Waiting, signal: AbortSignal): Promise<void> {
  const stamp = await timeStamper.stamp(one.sha256, signal);
  await database.query(
    `UPDATE time_stamps SET response = $2, authority = $3, stamped_at = $4, certificates = $5::text[], last_fault = NULL
     WHERE version_id = $1 AND response IS NULL`,
    [one.versionId, stamp.response, stamp.authority, stamp.at, stamp.certificates],
  );
}

async function putOff({ clock, database }: Base, waiting: readonly Waiting[], fault: string): Promise<void> {
  await database.query(
    `UPDATE time_stamps SET last_fault = $2,
       next_attempt_at = $3::timestamptz + least($4, 10000 * 2 ^ least(attempts - 1, 20)) * interval '1 millisecond'
     WHERE version_id = ANY ($1::uuid[]) AND response IS NULL`,
    [waiting.map((one) => one.versionId), fault, clock.now(), longestWaitMs],
  );
}

/** A token over an original. */
export interface IngestStamp {
  versionId: string;
  authority: string;
  stampedAt: Date;
  response: Buffer;
  certificates: string[];
}

/** The tokens over these versions. */
export async function ingestStampsOf(
  { database }: Pick<Platform, 'database'>, versionIds: readonly string[],
): Promise<Map<string, IngestStamp>> {
  const rows = await database.query<IngestStamp>(
    `SELECT version_id AS "versionId", authority, stamped_at AS "stampedAt", response, certificates
     FROM time_stamps WHERE version_id = ANY ($1::uuid[]) AND response IS NOT NULL`,
    [[...versionIds]],
  );
  return new Map(rows.map((row) => [row.versionId, row]));
}

/** The job, its schedule and what is told of it; only where an authority is configured. */
export function defineIngestStamps(platform: Base & Pick<Platform, 'jobs' | 'metrics'>, timeStamper: TimeStamper): void {
  const { database, jobs, metrics } = platform;
  jobs.define(ingestStampsJob, async (signal) => void (await stampReceipts(platform, timeStamper, signal)));
  jobs.every(ingestStampsJob, '15 seconds');
  metrics.gauge('opname_time_stamps_waiting', 'Originals whose time stamp has not been given yet', [], async (gauge) => {
    const [row] = await database.query<{ count: number }>('SELECT count(*) AS count FROM time_stamps WHERE response IS NULL');
    gauge.set(row?.count ?? 0);
  });
}
