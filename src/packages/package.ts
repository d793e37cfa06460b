import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { append, type AuditDetail } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { dateFormat } from '../platform/date-format.js';
import { newId } from '../platform/identifier.js';
import { decodeCursor, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { heldAt } from '../retention/hold.js';
import { periodInForce } from '../retention/policies.js';
import { endOfPeriod } from '../retention/policy.js';

/** Packages as rows: ordering one, finding it, and until when it is kept. What is in one is its kind's affair. */

export type PackageState = 'sealing' | 'sealed' | 'incomplete';

export interface PackageRow {
  id: string;
  /** Who knows what is in it: `evidence`, and whatever else is sealed. */
  kind: string;
  /** As people call it: `EV-2026-0007`. Also the name of the folder in the zip. */
  reference: string;
  state: PackageState;
  /** What was asked for, in the words of its kind. */
  request: Record<string, unknown>;
  reason: string;
  recipient: string;
  requestedBy: string;
  requestedByName: string;
  requestedAt: Date;
  objectKey: string | null;
  bytes: number | null;
  sha256: string | null;
  keyId: string | null;
  /** Paths of what should be in it and could not be. */
  missing: string[];
  sealedAt: Date | null;
  retainUntil: Date;
  purging: boolean;
  /** A request restricts something in it now (art. 18 GDPR), or an objection does. */
  restricted: boolean;
  attempts: number;
  lastFault: string | null;
  recordingIds: string[];
}

const columns = `p.id, p.kind, p.reference, p.state, p.request, p.reason, p.recipient, p.requested_by AS "requestedBy",
  u.name AS "requestedByName", p.requested_at AS "requestedAt", p.object_key AS "objectKey", p.bytes, p.sha256,
  p.key_id AS "keyId", p.missing, p.sealed_at AS "sealedAt", p.retain_until AS "retainUntil",
  p.purge_intent IS NOT NULL AS purging,
  EXISTS (SELECT FROM package_recordings c JOIN restrictions_in_reach x ON x.category = 'recording' AND x.item_id = c.recording_id
    WHERE c.package_id = p.id AND x.purpose IN ('evidence', 'all')) AS restricted, p.attempts, p.last_fault AS "lastFault",
  ARRAY(SELECT c.recording_id FROM package_recordings c WHERE c.package_id = p.id ORDER BY c.place) AS "recordingIds"`;

/** Where all objects of a package live. */
export const packagePrefix = (id: string) => `exports/${id}/`;

export interface PackageOrder {
  kind: string;
  /** The letters of its number: `EV`. */
  series: string;
  request: Record<string, AuditDetail>;
  reason: string;
  recipient: string;
  /** What goes into it, in order; each once. */
  recordingIds: readonly string[];
}

type Base = Pick<Platform, 'clock' | 'database'>;

/**
 * Orders a package inside `tx`; nudge `sealPackagesJob` after the commit. The caller has seen to it that everything in it
 * may leave. Each recording's trail names it, so that whoever asks where a call went is told.
 */
export async function orderPackage(
  { clock, database }: Base,
  tx: Transaction,
  person: Person,
  order: PackageOrder,
  timeZone: string,
): Promise<PackageRow> {
  const now = clock.now();
  const id = newId(clock);
  const reference = await nextReference(database, tx, order.series, now, timeZone);
  await database.query(
    `INSERT INTO packages (id, kind, reference, request, reason, recipient, requested_by, requested_at, retain_until, next_attempt_at)
     VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7, $8, $9, $8)`,
    [
      id, order.kind, reference, JSON.stringify(order.request), order.reason, order.recipient, person.userId, now,
      endOfPeriod(now, await periodInForce(database, 'package', tx), timeZone),
    ],
    tx,
  );
  await database.query(
    `INSERT INTO package_recordings (package_id, recording_id, place)
     SELECT $1, item.id, item.place FROM unnest($2::uuid[]) WITH ORDINALITY AS item (id, place)`,
    [id, [...order.recordingIds]],
    tx,
  );
  await append(
    database, clock, tx,
    {
      actor: actorOf(person), action: `${order.kind}.ordered`, object: { type: 'package', id },
      details: { reference, ...order.request, recordings: order.recordingIds.length },
    },
    ...order.recordingIds.map((recordingId) => ({
      actor: actorOf(person), action: 'recording.export_ordered', object: { type: 'recording', id: recordingId },
      details: { packageId: id, reference, kind: order.kind },
    })),
  );
  const row = await findPackage(database, id, tx);
  if (row === undefined) throw new Error('a package that was just ordered is gone');
  return row;
}

/** Numbers run without holes through a year of the service's time zone: the row lock lasts to the end of `tx`. */
async function nextReference(
  database: Database, tx: Transaction, series: string, now: Date, timeZone: string,
): Promise<string> {
  const year = Number(dateFormat('en', { timeZone, year: 'numeric' }).format(now));
  const [number] = await database.query<{ last: number }>(
    `INSERT INTO package_numbers AS n (series, year, last) VALUES ($1, $2, 1)
     ON CONFLICT (series, year) DO UPDATE SET last = n.last + 1 RETURNING last`,
    [series, year],
    tx,
  );
  return `${series}-${year}-${String(number?.last ?? 1).padStart(4, '0')}`;
}

export async function findPackage(database: Database, id: string, tx?: Transaction): Promise<PackageRow | undefined> {
  const [row] = await database.query<PackageRow>(
    `SELECT ${columns} FROM packages p JOIN users u ON u.id = p.requested_by WHERE p.id = $1`, [id], tx,
  );
  return row;
}

/**
 * SQL: is the period of something in the package over? Its own date was set when it was sealed; a recording's may have come
 * nearer since, or its hold may be gone.
 */
const contentIsOver = (packageSql: string, nowSql: string) => `EXISTS (
  SELECT FROM package_recordings c JOIN recordings r ON r.id = c.recording_id WHERE c.package_id = ${packageSql}
    AND (r.purge_intent IS NOT NULL OR (r.retain_until <= ${nowSql} AND NOT ${heldAt('recording', 'r.id', nowSql)})))`;

/** Is the period of anything in the package over, whatever its own date says? */
export async function isContentOver({ clock, database }: Base, id: string): Promise<boolean> {
  const [row] = await database.query<{ over: boolean }>(`SELECT ${contentIsOver('$1::uuid', '$2')} AS over`, [id, clock.now()]);
  return row?.over === true;
}

/** Packages of a kind that are still kept, newest first. */
export async function listPackages(
  database: Database,
  kind: string,
  filter: { recordingId?: string | undefined; now: Date },
  page: { limit: number; cursor?: string | undefined },
): Promise<{ items: PackageRow[]; nextCursor: string | null }> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const rows = await database.query<PackageRow>(
    `SELECT ${columns} FROM packages p JOIN users u ON u.id = p.requested_by
     WHERE p.kind = $1 AND p.purge_intent IS NULL AND ((p.retain_until > $2 AND NOT ${contentIsOver('p.id', '$2')}) OR ${heldAt('package', 'p.id', '$2')})
       AND ($3::uuid IS NULL OR EXISTS (SELECT FROM package_recordings c WHERE c.package_id = p.id AND c.recording_id = $3))
       AND ($4::timestamptz IS NULL OR (p.requested_at, p.id) < ($4, $5::uuid))
     ORDER BY p.requested_at DESC, p.id DESC LIMIT $6`,
    [kind, filter.now, filter.recordingId ?? null, after?.at ?? null, after?.id ?? null, page.limit + 1],
  );
  return toPage(rows, page.limit, (row) => row, (row) => ({ at: row.requestedAt, id: row.id }));
}

/**
 * Until when a package sealed at `now` is kept: its own period, and never past what it contains. A held recording sets no
 * end; when its hold is gone and it goes, its packages go with it.
 */
export async function packageRetainUntil(
  { clock, database }: Base, tx: Transaction, id: string, timeZone: string,
): Promise<Date> {
  const now = clock.now();
  const own = endOfPeriod(now, await periodInForce(database, 'package', tx), timeZone);
  const [content] = await database.query<{ until: Date | null }>(
    `SELECT min(r.retain_until) AS until FROM package_recordings c JOIN recordings r ON r.id = c.recording_id
     WHERE c.package_id = $1 AND NOT ${heldAt('recording', 'r.id', '$2')}`,
    [id, now],
    tx,
  );
  const until = content?.until ?? null;
  return until === null || until > own ? own : until;
}

/** To whom something of a recording was handed out. */
export interface Disclosure {
  packageId: string;
  recordingId: string;
  kind: string;
  reference: string;
  recipient: string;
  reason: string;
  disclosedAt: Date;
}

/** Everyone who was handed something of these recordings, newest first: also after the packages themselves are gone. */
export async function disclosuresOf(database: Database, recordingIds: readonly string[], tx?: Transaction): Promise<Disclosure[]> {
  return await database.query<Disclosure>(
    `SELECT package_id AS "packageId", recording_id AS "recordingId", kind, reference, recipient, reason,
       disclosed_at AS "disclosedAt"
     FROM disclosures WHERE recording_id = ANY ($1::uuid[]) ORDER BY disclosed_at DESC, package_id`,
    [[...recordingIds]],
    tx,
  );
}

/** Forgets disclosures past the period of the files that account for them. @returns how many */
export async function forgetDisclosures({ clock, database }: Base, timeZone: string): Promise<number> {
  const { amount, unit } = await periodInForce(database, 'privacy_request');
  const [row] = await database.query<{ count: number }>(
    `WITH gone AS (DELETE FROM disclosures
       WHERE (disclosed_at AT TIME ZONE $2 + $3::int * $4::interval) AT TIME ZONE $2 <= $1 RETURNING 1)
     SELECT count(*) AS count FROM gone`,
    [clock.now(), timeZone, amount, unit === 'days' ? '1 day' : '1 year'],
  );
  return row?.count ?? 0;
}
