import { readFile } from 'node:fs/promises';
import type { Transaction } from 'sequelize';
import { z } from 'zod';
import type { Database } from '../platform/database.js';
import { replaceFile } from '../platform/durable-file.js';
import { latestCheckpoint } from './batch.js';

/**
 * What someone outside the database remembers of the chain: how many entries it held, and its head then. A chain whose
 * newest batches were taken away verifies like any other; only what was remembered elsewhere tells.
 */
export interface Anchor {
  count: number;
  head: string;
}

/** The name of the file that the sealer keeps in the data folder. */
export const anchorFileName = 'audit-anchor.json';

const anchorSchema = z.object({ count: z.int().min(0), head: z.string().regex(/^[0-9a-f]{64}$/) });

/** Undefined when there is no such file. Throws when it holds something else than an anchor. */
export async function readAnchor(file: string): Promise<Anchor | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return anchorSchema.parse(JSON.parse(text));
  } catch {
    throw new Error(`${file} holds no anchor: {"count": …, "head": "…"} is expected`);
  }
}

export async function writeAnchor(
  file: string,
  anchor: Anchor & { batch: number; signedAt: string | null },
): Promise<void> {
  await replaceFile(file, `${JSON.stringify(anchor)}\n`);
}

/** What speaks against the chain being the one that `anchor` was taken of; undefined when nothing does. */
export async function contradiction(database: Database, anchor: Anchor, tx?: Transaction): Promise<string | undefined> {
  if (anchor.count === 0) return undefined;
  const [batch] = await database.query<{ head: string }>(
    'SELECT head FROM audit_batches WHERE count = $1', [anchor.count], tx,
  );
  if (batch !== undefined) return batch.head === anchor.head ? undefined : 'the anchored head is not in the chain';
  const checkpoint = await latestCheckpoint(database, tx);
  if (checkpoint !== undefined && checkpoint.count > anchor.count) return undefined;
  if (checkpoint?.count === anchor.count)
    return checkpoint.head === anchor.head ? undefined : 'the anchored head is not in the chain';
  const [newest] = await database.query<{ count: number | null }>(
    'SELECT max(count) AS count FROM audit_batches', [], tx,
  );
  return (newest?.count ?? 0) < anchor.count
    ? 'the chain is shorter than when it was anchored'
    : 'the anchored head is not in the chain';
}

/** Those of `anchors` that the chain is not the chain of, the shortest first: as `contradiction`, for many at once. */
export async function contradictedAmong(database: Database, anchors: readonly Anchor[]): Promise<Anchor[]> {
  if (anchors.length === 0) return [];
  return await database.query<Anchor>(
    `SELECT a.count, a.head FROM unnest($1::bigint[], $2::text[]) AS a (count, head)
       LEFT JOIN audit_batches b ON b.count = a.count
       LEFT JOIN (SELECT count, head FROM audit_checkpoints ORDER BY batch DESC LIMIT 1) c ON c.count >= a.count
     WHERE a.count > 0
       AND CASE WHEN b.head IS NULL THEN coalesce(c.count = a.count AND c.head <> a.head, true) ELSE b.head <> a.head END
     ORDER BY a.count`,
    [anchors.map(({ count }) => count), anchors.map(({ head }) => head)],
  );
}
