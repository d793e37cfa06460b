import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { append, systemActor } from '../audit/log.js';
import { Problem } from '../platform/problem.js';
import type { Scanner } from './scanner.js';
import type { StorePlatform } from './store.js';

/**
 * Looks for malware in attachments, where a scanner is configured. Until it has found a file clean nobody can open it; a
 * scanner that fails leaves it waiting, never let through.
 */

/** The worker's job: it finds what there is to do by state; a nudge only saves time. */
export const scanJob = 'tickets.scan';

const batch = 2_000;

/**
 * Quarantines what came in while no scanner was configured: it waits to be looked at like what comes in now. At every start
 * with a scanner, before anything is served, and before each round of scanning. What dies halfway is gone on with.
 * @returns how many
 */
export async function quarantineUnscanned({ clock, database }: Pick<StorePlatform, 'clock' | 'database'>): Promise<number> {
  for (let total = 0; ; ) {
    const count = await database.inTransaction(async (tx) => {
      const rows = await database.query(
        `UPDATE ticket_piece_versions SET scan = 'pending', next_attempt_at = $1
         WHERE id IN (SELECT id FROM ticket_piece_versions WHERE scan = 'none' ORDER BY id LIMIT ${batch} FOR UPDATE) RETURNING id`,
        [clock.now()],
        tx,
      );
      if (rows.length > 0)
        await append(database, clock, tx, {
          actor: systemActor('tickets'), action: 'ticket.attachments_quarantined', details: { count: rows.length },
        });
      return rows.length;
    });
    total += count;
    if (count < batch) return total;
  }
}

interface Claimed {
  id: string;
  piece_id: string;
  ticket_id: string;
  object_key: string;
  scan_attempts: number;
}

const leaseMs = 10 * 60_000;

async function claim({ clock, database }: StorePlatform): Promise<Claimed | undefined> {
  const now = clock.now();
  const [claimed] = await database.query<Claimed>(
    `UPDATE ticket_piece_versions v SET scan_attempts = v.scan_attempts + 1, next_attempt_at = $2
     FROM ticket_pieces p
     WHERE p.id = v.piece_id AND v.id = (
       SELECT w.id FROM ticket_piece_versions w JOIN ticket_pieces q ON q.id = w.piece_id
       WHERE w.scan = 'pending' AND w.state = 'kept' AND w.next_attempt_at <= $1 AND q.purge_intent IS NULL
       ORDER BY w.next_attempt_at LIMIT 1 FOR UPDATE OF w SKIP LOCKED)
     RETURNING v.id, v.piece_id, p.ticket_id, v.object_key, v.scan_attempts`,
    [now, new Date(now.getTime() + leaseMs)],
  );
  return claimed;
}

/** Scans until nothing waits or `signal` aborts. @returns how many of each outcome; failed ones are tried again later */
export async function scanPending(
  platform: StorePlatform,
  scanner: Scanner,
  folder: string,
  signal: AbortSignal,
): Promise<{ clean: number; infected: number; failed: number }> {
  const outcome = { clean: 0, infected: 0, failed: 0 };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await quarantineUnscanned(platform);
  while (!signal.aborted) {
    const claimed = await claim(platform);
    if (claimed === undefined) break;
    // Of its own: another that takes it up after the lease must not cut short what this one is still looking at.
    const file = path.join(folder, `scan-${randomUUID()}`);
    try {
      const stored = await platform.objects.read(claimed.object_key, { signal });
      if (stored === undefined) throw new Problem('storage-unavailable');
      await pipeline(stored.body, createWriteStream(file, { mode: 0o600, flags: 'wx' }), { signal });
      const found = await scanner(file, signal);
      await settleScan(platform, claimed, found);
      outcome[found] += 1;
    } catch (error) {
      if (signal.aborted) break;
      outcome.failed += 1;
      await putOff(platform, claimed);
      platform.log.warn({ error, pieceId: claimed.piece_id, attempts: claimed.scan_attempts }, 'attachment not scanned');
    } finally {
      await rm(file, { force: true });
    }
  }
  return outcome;
}

async function settleScan({ clock, database }: StorePlatform, claimed: Claimed, found: 'clean' | 'infected'): Promise<void> {
  await database.inTransaction(async (tx) => {
    const [settled] = await database.query(
      `UPDATE ticket_piece_versions SET scan = $2 WHERE id = $1 AND scan = 'pending' RETURNING id`,
      [claimed.id, found],
      tx,
    );
    if (settled === undefined) return;
    await append(database, clock, tx, {
      actor: systemActor('tickets'),
      action: 'ticket.attachment_scanned',
      object: { type: 'ticket', id: claimed.ticket_id },
      details: { pieceId: claimed.piece_id, versionId: claimed.id, found },
    });
  });
}

/** A scanner that is away is asked again after a minute, then two, at most an hour. */
async function putOff({ clock, database }: StorePlatform, claimed: Claimed): Promise<void> {
  const waitMs = Math.min(3_600_000, 60_000 * 2 ** Math.min(claimed.scan_attempts - 1, 10));
  await database.query('UPDATE ticket_piece_versions SET next_attempt_at = $2 WHERE id = $1', [
    claimed.id,
    new Date(clock.now().getTime() + waitMs),
  ]);
}
