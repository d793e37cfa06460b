import type { Objects } from '../platform/objects.js';
import type { Platform } from '../platform/platform.js';
import { batchStatement, latestBatch } from './batch.js';

/**
 * Places outside this machine that are told how far the audit chain reaches: its signed head and count, once an hour. Whoever
 * takes away the newest batches, and the note beside the database with them, would have to take it from there too.
 */
export interface AnchorPlace {
  readonly name: 'webhook' | 'bucket';
  /** Throws when it was not taken; it is told again an hour later, or what is newest then. */
  note(anchor: string, count: number): Promise<void>;
}

const timeoutMs = 10_000;

/** Posts the anchor as JSON. An answer other than 2xx is a failure. */
export function webhookPlace(url: string): AnchorPlace {
  return {
    name: 'webhook',
    async note(anchor) {
      const answer = await fetch(url, {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: anchor, signal: AbortSignal.timeout(timeoutMs),
      });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
    },
  };
}

/** Puts each anchor as an object of its own into another bucket, best one in which nothing can be deleted. */
export function bucketPlace(objects: Pick<Objects, 'prepare' | 'putBytes'>): AnchorPlace {
  let prepared = false;
  return {
    name: 'bucket',
    async note(anchor, count) {
      // Not at the start: this bucket being away must not keep the service from starting.
      if (!prepared) await objects.prepare();
      prepared = true;
      await objects.putBytes(`audit-anchors/${String(count).padStart(12, '0')}.json`, Buffer.from(anchor), 'application/json', {});
    },
  };
}

/** Tells every place of the newest sealed batch, unless it was told of it before. @returns how many could not be told */
export async function tellAnchor(
  { database, log }: Pick<Platform, 'database' | 'log'>, places: readonly AnchorPlace[], told: Map<string, number>,
): Promise<number> {
  const tip = await latestBatch(database);
  if (tip === undefined) return 0;
  // `verify-audit --anchor` takes it as it is.
  const anchor = JSON.stringify({
    count: tip.count, head: tip.head, statement: batchStatement(tip), keyId: tip.key_id, signature: tip.signature.toString('base64'),
  });
  let failed = 0;
  for (const place of places) {
    if (told.get(place.name) === tip.count) continue;
    try {
      await place.note(anchor, tip.count);
      told.set(place.name, tip.count);
    } catch (error) {
      failed += 1;
      log.warn({ error, place: place.name }, 'the head of the audit chain could not be noted outside');
    }
  }
  return failed;
}

export function defineAnchorJob(platform: Platform, places: readonly AnchorPlace[]): void {
  if (places.length === 0) return;
  const told = new Map<string, number>();
  const failing = platform.metrics.gauge('opname_audit_anchor_failures', 'Places outside that could not be told of the audit chain');
  platform.jobs.define('audit.anchor', async () => failing.set(await tellAnchor(platform, places, told)));
  platform.jobs.every('audit.anchor', '1 hour');
}
