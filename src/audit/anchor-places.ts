import type { Objects } from '../platform/objects.js';
import type { Platform } from '../platform/platform.js';
import { contradictedAmong, type Anchor } from './anchor.js';
import { batchStatement, latestBatch } from './batch.js';

/**
 * Places outside this machine that are told how far the audit chain reaches: its signed head and count, once an hour. Whoever
 * takes away the newest batches, and the note beside the database with them, would have to take it from there too.
 */
export interface AnchorPlace {
  readonly name: 'webhook' | 'bucket';
  /** Throws when it was not taken; it is told again an hour later, or what is newest then. */
  note(anchor: string, tip: Anchor): Promise<void>;
  /** All it was ever told, where it can be asked. */
  remembered?(): Promise<Anchor[]>;
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

const prefix = 'audit-anchors/';

/** Sorted by count; the head in it, so that a chain that grew anew to the same length overwrites nothing. */
const keyOf = ({ count, head }: Anchor) => `${prefix}${String(count).padStart(12, '0')}-${head}.json`;

function anchorIn(key: string): Anchor | undefined {
  const [, count, head] = /^audit-anchors\/(\d{12})-([0-9a-f]{64})\.json$/.exec(key) ?? [];
  return count === undefined || head === undefined ? undefined : { count: Number(count), head };
}

/** Puts each anchor as an object of its own into another bucket, best one in which nothing can be deleted. */
export function bucketPlace(objects: Pick<Objects, 'list' | 'prepare' | 'putBytes'>): AnchorPlace {
  let prepared = false;
  /** Not at the start: this bucket being away must not keep the service from starting. */
  const prepare = async () => {
    if (!prepared) await objects.prepare();
    prepared = true;
  };
  return {
    name: 'bucket',
    async note(anchor, tip) {
      await prepare();
      await objects.putBytes(keyOf(tip), Buffer.from(anchor), 'application/json', {});
    },
    async remembered() {
      await prepare();
      const anchors: Anchor[] = [];
      // Older versions count too: what somebody deleted was noted all the same.
      for await (const { key, isDeleteMarker } of objects.list(prefix)) {
        const anchor = isDeleteMarker ? undefined : anchorIn(key);
        if (anchor !== undefined) anchors.push(anchor);
      }
      return anchors;
    },
  };
}

/**
 * Tells every place of the newest sealed batch, unless it was told of it before, and asks it whether all that it was ever
 * told is still in the chain: one that was cut short, or cut short and grown anew, is not the chain it was.
 * @returns how many places could not be told or asked, or remember something else than the chain holds
 */
export async function tellAnchor(
  { database, log }: Pick<Platform, 'database' | 'log'>, places: readonly AnchorPlace[], told: Map<string, number>,
): Promise<number> {
  const tip = await latestBatch(database);
  // `verify-audit --anchor` takes it as it is.
  const anchor = tip === undefined ? '' : JSON.stringify({
    count: tip.count, head: tip.head, statement: batchStatement(tip), keyId: tip.key_id, signature: tip.signature.toString('base64'),
  });
  let failed = 0;
  for (const place of places) {
    try {
      const [against] = await contradictedAmong(database, (await place.remembered?.()) ?? []);
      if (tip !== undefined && told.get(place.name) !== tip.count) {
        await place.note(anchor, tip);
        told.set(place.name, tip.count);
      }
      if (against === undefined) continue;
      failed += 1;
      log.error({ place: place.name, count: against.count }, 'the audit chain is not the one that was noted outside');
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
  const failing = platform.metrics.gauge(
    'opname_audit_anchor_failures', 'Places outside that could not be told of the audit chain, or remember another one',
  );
  platform.jobs.define('audit.anchor', async () => failing.set(await tellAnchor(platform, places, told)));
  platform.jobs.every('audit.anchor', '1 hour');
}
