import type { Transaction } from 'sequelize';
import { actorOf, type Machine } from '../access/caller.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { periodInForce } from '../retention/policies.js';
import { endOfPeriod } from '../retention/policy.js';
import { purgeJob } from '../retention/sweep.js';
import { lockCall, type CallRecord } from './call-record.js';
import { excludeCall, type ExclusionPlatform } from './exclude-call.js';
import { settleCall } from './call-settle.js';

/** What became of records. */
export interface StoredRecords {
  stored: number;
  /** There already. */
  known: number;
  /** Of calls without a recording that ended too long ago for the completeness check. */
  expired: number;
  /** Of calls in which an excluded number took part: not kept, nor what came in of these calls before. */
  excluded: number;
}

/** Stores records, call by call, and fills in what the recordings of these calls did not know. Safe to repeat. */
export async function storeCallRecords(
  platform: ExclusionPlatform & Pick<Platform, 'jobs'>,
  machine: Machine,
  records: readonly CallRecord[],
): Promise<StoredRecords> {
  const calls = new Map<string, CallRecord[]>();
  for (const record of records) {
    const call = calls.get(record.callKey);
    if (call === undefined) calls.set(record.callKey, [record]);
    else call.push(record);
  }
  const period = await periodInForce(platform.database, 'call_data');
  const outcome: StoredRecords = { stored: 0, known: 0, expired: 0, excluded: 0 };
  for (const [callKey, call] of calls) {
    const stored = await platform.database.inTransaction(async (tx) => {
      const names = [callKey, ...call.map((record) => record.uniqueId)];
      await lockCall(platform.database, tx, machine.sourceId, ...names);
      if (await excludeCall(platform, tx, { sourceId: machine.sourceId, names }, { records: call }, actorOf(machine)))
        return { stored: 0, known: 0, expired: 0, excluded: call.length };
      const now = platform.clock.now();
      const kept: string[] = [];
      for (const record of call) {
        const endedAt = record.endedAt > now ? now : record.endedAt;
        const id = await insert(platform, tx, machine, { ...record, endedAt }, endOfPeriod(endedAt, period, machine.timeZone));
        if (id !== undefined) kept.push(id);
      }
      await settleCall(platform, tx, machine.sourceId, callKey, actorOf(machine));
      const expired = await dropExpired(platform.database, tx, kept, now);
      return { stored: kept.length - expired, known: call.length - kept.length, expired, excluded: 0 };
    });
    outcome.stored += stored.stored;
    outcome.known += stored.known;
    outcome.expired += stored.expired;
    outcome.excluded += stored.excluded;
  }
  if (outcome.excluded > 0) platform.jobs.nudge(purgeJob);
  return outcome;
}

async function insert(
  { clock, database }: Pick<Platform, 'clock' | 'database'>,
  tx: Transaction,
  machine: Machine,
  record: CallRecord,
  retainUntil: Date,
): Promise<string | undefined> {
  const [row] = await database.query<{ id: string }>(
    `INSERT INTO call_records (id, source_id, unique_id, sequence, call_key, started_at, answered_at, ended_at, billed_ms,
       disposition, caller_number, caller_name, caller_withheld, callee_number, channel, peer_channel, application, agent,
       queue, recording_name, holds, received_at, retain_until)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21::jsonb, $22, $23)
     ON CONFLICT (source_id, unique_id, sequence) DO NOTHING RETURNING id`,
    [
      newId(clock), machine.sourceId, record.uniqueId, record.sequence, record.callKey, record.startedAt, record.answeredAt,
      record.endedAt, record.billedMs, record.disposition, record.callerNumber, record.callerName, record.callerWithheld,
      record.calleeNumber, record.channel, record.peerChannel, record.application, record.agent, record.queue,
      record.recordingName, JSON.stringify(record.holds), clock.now(), retainUntil,
    ],
    tx,
  );
  return row?.id;
}

/** A record that found no recording and is past the days of the completeness check is not kept at all. */
async function dropExpired(database: Database, tx: Transaction, ids: readonly string[], now: Date): Promise<number> {
  const rows = await database.query(
    'DELETE FROM call_records WHERE id = ANY($1::uuid[]) AND recording_id IS NULL AND retain_until <= $2 RETURNING id',
    [ids, now],
    tx,
  );
  return rows.length;
}
