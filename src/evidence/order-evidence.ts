import type { Person } from '../access/caller.js';
import type { AuditDetail } from '../audit/log.js';
import { orderPackage, type PackageRow } from '../packages/package.js';
import { sealPackagesJob } from '../packages/seal.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { isHeld, isRestricted } from '../retention/hold.js';
import { refuseDeleted } from '../retention/tombstone.js';

/** Ordering an evidence package: everything in it must still be kept, and may leave. */

export type Scope = 'clips' | 'full';

/** On which ground something restricted may leave all the same (art. 18(2) GDPR). */
export const restrictionGrounds = ['consent', 'legal_claim', 'protect_another'] as const;
export type RestrictionGround = (typeof restrictionGrounds)[number];

/** A stretch that is silenced in the copies: a third party's voice. */
export interface EvidenceMask {
  recordingId: string;
  startMs: number;
  endMs: number;
  channel?: number | undefined;
}

/** Without a channel it counts for all of them: null would stand for none. */
const maskDetail = ({ recordingId, startMs, endMs, channel }: EvidenceMask): AuditDetail => ({
  recordingId, startMs, endMs, ...(channel === undefined ? {} : { channel }),
});

/** What the row of a package says of it. */
export interface EvidenceRequest {
  scope: Scope;
  masks?: EvidenceMask[];
  restrictionGround?: RestrictionGround;
}

export interface EvidenceOrder extends EvidenceRequest {
  recordingIds: readonly string[];
  reason: string;
  recipient: string;
}

interface Kept {
  id: string;
  retainUntil: Date;
  purging: boolean;
}

/**
 * Orders a package; it is made by the worker.
 * @throws Problem `not-found`, `retention-ended`, `conflict` for what a request has restricted when no ground is given
 */
export async function orderEvidence(
  platform: Pick<Platform, 'clock' | 'database' | 'jobs'>,
  person: Person,
  order: EvidenceOrder,
  timeZone: string,
): Promise<PackageRow> {
  const { clock, database, jobs } = platform;
  const recordingIds = [...new Set(order.recordingIds)];
  const row = await database.inTransaction(async (tx) => {
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
      const over = recording.retainUntil <= now && !(await isHeld(database, tx, 'recording', id, now));
      if (over || recording.purging)
        throw new Problem('retention-ended', { members: { deletedAt: recording.retainUntil.toISOString() } });
      if (order.restrictionGround === undefined && (await isRestricted(database, tx, 'recording', id, 'evidence')))
        throw new Problem('conflict', {
          detail: 'A request restricts a recording in it (art. 18 GDPR): say on which ground it may leave all the same.',
        });
    }
    const request: Record<string, AuditDetail> = {
      scope: order.scope,
      ...(order.masks === undefined ? {} : { masks: order.masks.map(maskDetail) }),
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
