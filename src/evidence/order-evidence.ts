import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { orderPackage, type PackageRow } from '../packages/package.js';
import { sealPackagesJob } from '../packages/seal.js';
import type { Database } from '../platform/database.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { findRecording, type Leg } from '../recordings/recording.js';
import { cutsOf, toRecording } from '../recordings/timeline.js';
import { isHeldToTell, isRestricted } from '../retention/hold.js';
import { refuseDeleted } from '../retention/tombstone.js';

/** Ordering an evidence package: everything in it must still be kept, and may leave. */

export type Scope = 'clips' | 'full';

/** On which ground something restricted may leave all the same (art. 18(2) GDPR). */
export const restrictionGrounds = ['consent', 'legal_claim', 'protect_another'] as const;
export type RestrictionGround = (typeof restrictionGrounds)[number];

/** A stretch that is silenced in the copies: a third party's voice. Times are those of the playback copy. */
export interface EvidenceMask {
  recordingId: string;
  startMs: number;
  endMs: number;
  channel?: number | Leg | undefined;
}

/** The same on the recording's own timeline, which no hold music shifts. Without a channel it counts for all of them. */
export type KeptMask = Omit<EvidenceMask, 'channel'> & { channel?: number };

/** What the row of a package says of it. */
export interface EvidenceRequest {
  scope: Scope;
  masks?: KeptMask[];
  restrictionGround?: RestrictionGround;
}

export interface EvidenceOrder extends Omit<EvidenceRequest, 'masks'> {
  masks?: EvidenceMask[];
  recordingIds: readonly string[];
  reason: string;
  recipient: string;
}

interface Kept {
  id: string;
  retainUntil: Date;
  purging: boolean;
}

/** These recordings, each followed by the other side of its call where that came as a file of its own. */
async function withOtherSides(database: Database, tx: Transaction, recordingIds: readonly string[]): Promise<string[]> {
  const sides = await database.query<{ given: string; id: string }>(
    `SELECT g.id AS given, r.id FROM recordings g JOIN recordings r ON r.id <> g.id AND r.leg IS NOT NULL
       AND (r.leg_of = g.id OR r.id = g.leg_of OR r.leg_of = g.leg_of)
     WHERE g.id = ANY ($1::uuid[]) AND g.leg IS NOT NULL AND r.version > 0 AND r.purge_intent IS NULL ORDER BY r.id`,
    [recordingIds], tx,
  );
  const all = recordingIds.flatMap((id) => [id, ...sides.filter(({ given }) => given === id).map((side) => side.id)]);
  return [...new Set(all)];
}

/** Masks as they were heard, on the recordings' own timelines. @throws Problem `invalid-input` */
async function keptMasks(
  database: Database, tx: Transaction, recordingIds: readonly string[], masks: readonly EvidenceMask[],
): Promise<KeptMask[]> {
  const kept: KeptMask[] = [];
  for (const [index, { recordingId, channel, ...heard }] of masks.entries()) {
    const wrong = (field: string, message: string) =>
      new Problem('invalid-input', { errors: [{ path: `masks.${index}.${field}`, message }] });
    const found = recordingIds.includes(recordingId) ? await findRecording(database, recordingId, tx) : undefined;
    if (found === undefined) throw wrong('recordingId', 'is not among the recordings');
    const { recording, version } = found;
    const cuts = cutsOf(recording.holds, version.sample_rate_hz, version.duration_ms);
    if (heard.startMs >= version.duration_ms) throw wrong('startMs', 'lies outside the recording');
    const leg = typeof channel === 'string' ? recording.channel_map.indexOf(channel) : channel;
    if (leg !== undefined && (leg < 0 || leg >= version.channels)) throw wrong('channel', 'is no channel of this recording');
    kept.push({ recordingId, ...toRecording(heard, cuts), ...(leg === undefined ? {} : { channel: leg }) });
  }
  return kept;
}

/**
 * Orders a package; it is made by the worker.
 * @throws Problem `not-found`, `retention-ended`, `invalid-input` for masks that lie outside, `conflict` for what a request has restricted when no ground is given
 */
export async function orderEvidence(
  platform: Pick<Platform, 'clock' | 'database' | 'jobs'>,
  person: Person,
  order: EvidenceOrder,
  timeZone: string,
): Promise<PackageRow> {
  const { clock, database, jobs } = platform;
  const row = await database.inTransaction(async (tx) => {
    const recordingIds = await withOtherSides(database, tx, order.recordingIds);
    const found = await database.query<Kept>(
      `SELECT id, retain_until AS "retainUntil", purge_intent IS NOT NULL AS purging FROM recordings
       WHERE id = ANY ($1::uuid[]) AND version > 0 ORDER BY id FOR SHARE`,
      [recordingIds], tx,
    );
    const now = clock.now();
    for (const id of recordingIds) {
      const recording = found.find((each) => each.id === id);
      if (recording === undefined) {
        await refuseDeleted(database, 'recording', id);
        throw new Problem('not-found');
      }
      const over = recording.retainUntil <= now && !(await isHeldToTell(database, tx, 'recording', id, now, person));
      if (over || recording.purging)
        throw new Problem('retention-ended', { members: { deletedAt: recording.retainUntil.toISOString() } });
      if (order.restrictionGround === undefined && (await isRestricted(database, tx, 'recording', id, 'evidence')))
        throw new Problem('conflict', {
          detail: 'A request restricts a recording in it (art. 18 GDPR): say on which ground it may leave all the same.',
        });
    }
    const request = {
      scope: order.scope,
      ...(order.masks === undefined ? {} : { masks: await keptMasks(database, tx, recordingIds, order.masks) }),
      ...(order.restrictionGround === undefined ? {} : { restrictionGround: order.restrictionGround }),
    };
    return await orderPackage(
      platform, tx, person,
      { kind: 'evidence', series: 'EV', request, reason: order.reason, recipient: order.recipient, recordingIds },
      timeZone,
    );
  });
  jobs.nudge(sealPackagesJob);
  return row;
}
