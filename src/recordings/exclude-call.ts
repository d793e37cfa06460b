import { createHash } from 'node:crypto';
import type { Transaction } from 'sequelize';
import { append, type Actor } from '../audit/log.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { Category } from '../retention/category.js';
import { beginPurge, type PurgeOrder } from '../retention/purge.js';
import { partiesOf } from './call-facts.js';
import { callRecordColumns, type CallRecord } from './call-record.js';
import { excludedSince, listExcludedNumbers } from './excluded-numbers.js';

/**
 * Keeps out the calls in which an excluded number took part. A push may not tell who took part, and call data may tell it
 * later: then all that came in of the call is deleted, and the call is remembered by a digest, so that its other parts,
 * its next version and its call data are refused as well. Every function here runs under the lock of the call.
 */

export type ExclusionPlatform = Pick<Platform, 'clock' | 'database'> & {
  /** Everything that has a retention period: a deletion takes with it what holds the recording. */
  categories: readonly Category[];
};

/** A call by all the names its source has for it: the ids of its channels, its linked id. */
export interface NamedCall {
  sourceId: string;
  names: readonly (string | null)[];
}

const namesOf = ({ names }: NamedCall) => [...new Set(names.filter((name) => name !== null))];

/** A call id may hold a number. */
const digestOf = (sourceId: string, name: string) =>
  createHash('sha256').update(JSON.stringify(['excluded', sourceId, name])).digest('hex');

/** What the names of a call are remembered by. */
export const digestsOf = (call: NamedCall) => namesOf(call).map((name) => digestOf(call.sourceId, name));

/** SQL: was a call of this source kept out before, by one of these digests? */
export const excludedBefore = (sourceSql: string, digestsSql: string) =>
  `EXISTS (SELECT FROM excluded_calls WHERE source_id = ${sourceSql} AND digest = ANY(${digestsSql}::text[]))`;

/** Whether this call was kept out before. */
export async function isCallExcluded({ database }: Pick<Platform, 'database'>, tx: Transaction | undefined, call: NamedCall): Promise<boolean> {
  const [row] = await database.query<{ excluded: boolean }>(
    `SELECT ${excludedBefore('$1', '$2')} AS excluded`, [call.sourceId, digestsOf(call)], tx,
  );
  return row?.excluded !== false;
}

/** False when nothing is excluded at all and the call was not kept out before: what nearly every push asks, in one statement. */
export async function mayBeExcluded({ database }: Pick<Platform, 'database'>, call: NamedCall): Promise<boolean> {
  const [row] = await database.queryOften<{ may: boolean }>(
    `SELECT EXISTS (SELECT FROM excluded_numbers WHERE removed_at IS NULL) OR ${excludedBefore('$1', '$2')} AS may`,
    [call.sourceId, digestsOf(call)],
  );
  return row?.may !== false;
}

/**
 * Keeps a call out if one of `parties` (numbers, extensions, queues as they are told) is excluded, or one that its call
 * data tells; deletes what came in of it before. Nudge `purgeJob` after the commit.
 * @param records call data that comes in just now
 * @returns whether the call is kept out; false too when a recording of it was in before the number was put on the list
 */
export async function excludeCall(
  platform: ExclusionPlatform,
  tx: Transaction,
  call: NamedCall,
  told: { parties?: readonly (string | null)[]; records?: readonly CallRecord[] },
  actor: Actor,
): Promise<boolean> {
  const { database } = platform;
  if (await isCallExcluded(platform, tx, call)) return true;
  const exclusions = await listExcludedNumbers(database, tx);
  if (exclusions.length === 0) return false;
  const names = namesOf(call);
  const known = await database.query<CallRecord & { id: string; loose: boolean }>(
    `SELECT ${callRecordColumns}, recording_id IS NULL AS loose FROM call_records
     WHERE source_id = $1 AND purge_intent IS NULL AND (call_key = ANY($2::text[]) OR unique_id = ANY($2::text[]))`,
    [call.sourceId, names],
    tx,
  );
  const records = [...known, ...(told.records ?? [])];
  const since = excludedSince(exclusions, [...(told.parties ?? []), ...partiesOf(records)]);
  if (since === undefined) return false;

  const all = [...new Set([...names, ...records.flatMap((record) => [record.uniqueId, record.callKey])])];
  const recordings = await database.query<{ id: string; callId: string; callKey: string; createdAt: Date }>(
    `SELECT id, call_id AS "callId", call_key AS "callKey", created_at AS "createdAt" FROM recordings
     WHERE source_id = $1 AND version > 0 AND purge_intent IS NULL AND (call_key = ANY($2::text[]) OR call_id = ANY($2::text[]))
     ORDER BY id FOR UPDATE`,
    [call.sourceId, all],
    tx,
  );
  if (recordings.some(({ createdAt }) => createdAt < since)) return false;
  await remember(platform, tx, call.sourceId, [...all, ...recordings.flatMap(({ callId, callKey }) => [callId, callKey])]);
  const order = { reason: 'excluded', rule: 'excluded number', actor } as const;
  for (const { id } of recordings) await purgeExcluded(platform, tx, id, order);
  const loose = known.flatMap(({ id, loose: isLoose }) => (isLoose ? [id] : []));
  if (loose.length > 0) await beginPurge(platform, platform.categories, tx, { category: 'call_data', ids: loose }, order);
  return true;
}

async function remember({ clock, database }: ExclusionPlatform, tx: Transaction, sourceId: string, names: readonly string[]): Promise<void> {
  await database.query(
    `INSERT INTO excluded_calls (source_id, digest, excluded_at) SELECT $1, digest, $3 FROM unnest($2::text[]) AS digest
     ON CONFLICT DO NOTHING`,
    [sourceId, [...new Set(names)].sort().map((name) => digestOf(sourceId, name)), clock.now()],
    tx,
  );
}

/** Deletes it; what a hold keeps is closed to everyone but officers from now on, and goes when the hold is released. */
async function purgeExcluded(platform: ExclusionPlatform, tx: Transaction, recordingId: string, order: PurgeOrder): Promise<void> {
  const { clock, database, categories } = platform;
  let held = false;
  try {
    await beginPurge(platform, categories, tx, { category: 'recording', ids: [recordingId] }, order);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'conflict') throw error;
    held = true;
    await database.query('UPDATE recordings SET retain_until = least(retain_until, $2) WHERE id = $1', [recordingId, clock.now()], tx);
  }
  await append(database, clock, tx, {
    actor: order.actor,
    action: 'recording.excluded',
    object: { type: 'recording', id: recordingId },
    details: { held },
  });
}
