import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { publishedKeys } from '../audit/keys.js';
import { append, systemActor } from '../audit/log.js';
import { organisationOf } from '../access/organisation.js';
import { createArchive } from '../platform/archive.js';
import type { Ffmpeg } from '../platform/ffmpeg.js';
import type { Platform } from '../platform/platform.js';
import type { SigningKey } from '../platform/signing.js';
import type { TimeStamper } from '../platform/time-stamp.js';
import { tagOf } from '../retention/retag.js';
import { isHeld } from '../retention/hold.js';
import { createBag, type Bag, type BagFrame } from './bag.js';
import { findPackage, packagePrefix, packageRetainUntil, type PackageRow } from './package.js';
import { loadVerifierPage } from './verifier-page.js';
import { verifyScript } from './verify-script.js';

/**
 * Makes the packages that were ordered. Work is found by state (`sealing`) and claimed by a lease; what died half-way is
 * made anew from the beginning, since a zip cannot be gone on with. The row knows the object before there is one, so that
 * nothing is ever left behind.
 */

export const sealPackagesJob = 'packages.seal';

export type SealPlatform = Pick<Platform, 'clock' | 'database' | 'log' | 'objects'>;

/** What a kind of package adds to the bag. */
export interface PackageKind {
  readonly kind: string;
  /** Fills the bag. @returns what stands around it, and paths of what could not be put in. */
  fill(row: PackageRow, bag: Bag, work: SealWork): Promise<Filled>;
}

export interface Filled {
  info: BagFrame['info'];
  files: BagFrame['files'];
  missing: string[];
  /** Certificates (PEM) of the authority that is asked for a token over the whole when it is sealed; none: nobody is asked. */
  certificates: ReadonlySet<string> | undefined;
}

export interface SealWork {
  at: Date;
  signal: AbortSignal;
  /** An empty folder for temporary files, gone afterwards. */
  folder: string;
}

export interface Sealing {
  platform: SealPlatform;
  ffmpeg: Ffmpeg;
  signingKey: SigningKey;
  timeStamper: TimeStamper | undefined;
  kinds: readonly PackageKind[];
  /** For temporary files, which `prepareSealing` clears. */
  folder: string;
  timeZone: string;
}

export const packagesFolder = (dataDir: string) => path.join(dataDir, 'packages');

/** Clears what a process that died left behind, and with `alone` gives up its claims at once. To be awaited at the start. */
export async function prepareSealing(
  { clock, database }: Pick<Platform, 'clock' | 'database'>, folder: string, { alone }: { alone: boolean },
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (alone)
    await database.query(`UPDATE packages SET next_attempt_at = $1 WHERE state = 'sealing' AND next_attempt_at > $1`, [clock.now()]);
}

const leaseMs = 90_000;
const longestWaitMs = 3_600_000;

/** Seals until there is nothing left to do or `signal` aborts. */
export async function sealOrdered(
  sealing: Sealing, signal: AbortSignal, touch: () => Promise<void> = async () => undefined,
): Promise<{ sealed: number; failed: number }> {
  const outcome = { sealed: 0, failed: 0 };
  while (!signal.aborted) {
    const claimed = await claim(sealing.platform);
    if (claimed === undefined) break;
    const { id } = claimed;
    const keepAlive = setInterval(() => {
      Promise.all([touch(), extendLease(sealing.platform, claimed)]).catch((error: unknown) =>
        sealing.platform.log.warn({ error, packageId: id }, 'lease not extended'),
      );
    }, leaseMs / 3);
    try {
      if (await sealOne(sealing, claimed, signal)) outcome.sealed += 1;
    } catch (error) {
      if (signal.aborted) break;
      outcome.failed += 1;
      await putOff(sealing.platform, claimed, error);
    } finally {
      clearInterval(keepAlive);
    }
  }
  return outcome;
}

/** A turn at making a package. Whoever took longer than the lease has lost it to the next, and must leave the row alone. */
interface Claim {
  id: string;
  attempt: number;
}

/** SQL: is the row still ours, by its id and its attempt? */
const ours = `id = $1 AND attempts = $2 AND state = 'sealing'`;

async function claim({ clock, database }: SealPlatform): Promise<Claim | undefined> {
  const now = clock.now();
  const [row] = await database.query<Claim>(
    `UPDATE packages SET attempts = attempts + 1, next_attempt_at = $2 WHERE id = (
       SELECT id FROM packages WHERE state = 'sealing' AND next_attempt_at <= $1 AND purge_intent IS NULL
       ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING id, attempts AS attempt`,
    [now, new Date(now.getTime() + leaseMs)],
  );
  return row;
}

async function extendLease({ clock, database }: SealPlatform, { id, attempt }: Claim): Promise<void> {
  await database.query(`UPDATE packages SET next_attempt_at = $3 WHERE ${ours}`, [
    id, attempt, new Date(clock.now().getTime() + leaseMs),
  ]);
}

async function putOff({ clock, database, log }: SealPlatform, { id, attempt }: Claim, error: unknown): Promise<void> {
  log.error({ error, packageId: id }, 'a package could not be sealed; it will be tried again');
  await database.query(
    `UPDATE packages SET last_fault = $3,
       next_attempt_at = $4::timestamptz + least($5, 5000 * 2 ^ least(attempts, 20)) * interval '1 millisecond'
     WHERE ${ours}`,
    [id, attempt, error instanceof Error ? error.name : 'Error', clock.now(), longestWaitMs],
  );
}

/** @returns whether it was sealed: not when it was deleted, or taken over, meanwhile */
async function sealOne(sealing: Sealing, claimed: Claim, signal: AbortSignal): Promise<boolean> {
  const row = await findPackage(sealing.platform.database, claimed.id);
  const kind = sealing.kinds.find((each) => each.kind === row?.kind);
  if (row === undefined || row.purging) return false;
  if (kind === undefined) throw new Error(`nobody knows how to make packages of the kind ${row.kind}`);
  const folder = path.join(sealing.folder, randomUUID());
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const file = path.join(folder, 'package.zip');
    const at = sealing.platform.clock.now();
    const missing = await writePackage(sealing, kind, row, file, { at, signal, folder });
    return await store(sealing, { row, claimed }, file, missing, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writePackage(
  sealing: Sealing, kind: PackageKind, row: PackageRow, file: string, work: SealWork,
): Promise<string[]> {
  const { database } = sealing.platform;
  const archive = await createArchive(file, work.at, work.signal);
  try {
    const bag = createBag(archive, row.reference);
    const filled = await kind.fill(row, bag, work);
    const [keys, organisation, page] = await Promise.all([
      publishedKeys(database), organisationOf(database), loadVerifierPage(),
    ]);
    const trusted = new Set([sealing.signingKey.keyId, ...keys.map((key) => key.keyId)]);
    const known = (label: string, value: string) => (value === '' ? [] : [[label, value] as const]);
    await bag.seal({
      info: [
        ['External-Identifier', row.reference],
        ...known('Source-Organization', organisation.controller),
        ...known('Organization-Address', organisation.address),
        ...known('Contact-Email', organisation.privacyEmail),
        ...filled.info,
        ...(filled.certificates ? [['Time-Stamp', 'signatures/export.tsr'] as const] : []),
        ...filled.missing.map((missing) => ['Missing', missing] as const),
      ],
      files: [
        ...filled.files,
        { name: 'verify.sh', text: verifyScript, mode: 0o755 },
        { name: 'verify.html', text: page([...trusted]) },
      ],
      key: sealing.signingKey,
      timeStamper: filled.certificates && sealing.timeStamper,
      certificates: filled.certificates,
      at: work.at,
      signal: work.signal,
    });
    await archive.finish();
    return filled.missing;
  } finally {
    await archive.discard();
  }
}

/** Row first, then the object, then both are declared sealed. A package whose content went meanwhile goes with it. */
async function store(
  sealing: Sealing, { row, claimed }: { row: PackageRow; claimed: Claim }, file: string,
  missing: readonly string[], signal: AbortSignal,
): Promise<boolean> {
  const { clock, database, objects } = sealing.platform;
  const { attempt } = claimed;
  // Each attempt has a place of its own: one that lost its turn overwrites nothing.
  const key = `${packagePrefix(row.id)}${attempt}/${row.reference}.zip`;
  const facts = await digestsOf(file, signal);
  const [still] = await database.query<{ id: string }>(
    `UPDATE packages SET object_key = $3 WHERE ${ours} RETURNING id`, [row.id, attempt, key],
  );
  if (still === undefined) return false;
  if (attempt > 1) await removeEarlier(objects, claimed);
  const held = await isHeld(database, undefined, 'package', row.id, clock.now());
  await objects.putFile(key, file, { ...facts, contentType: 'application/zip', tags: { hold: tagOf(held) } }, { signal });
  const outcome = await database.inTransaction(async (tx) => {
    // The recordings' rows first, as a purge locks them: one of the two then sees the other.
    await database.query(
      `SELECT 1 FROM recordings r JOIN package_recordings c ON c.recording_id = r.id WHERE c.package_id = $1 FOR SHARE OF r`,
      [row.id], tx,
    );
    const [locked] = await database.query<{ purging: boolean; lost: boolean }>(
      `SELECT purge_intent IS NOT NULL AS purging, NOT (${ours}) AS lost FROM packages WHERE id = $1 FOR UPDATE`,
      [row.id, attempt], tx,
    );
    if (locked?.purging !== false) return 'deleted';
    if (locked.lost) return 'taken over';
    const now = clock.now();
    await database.query(
      `UPDATE packages SET state = $2, bytes = $3, sha256 = $4, key_id = $5, missing = $6::text[], sealed_at = $7,
         retain_until = $8, last_fault = NULL WHERE id = $1`,
      [
        row.id, missing.length === 0 ? 'sealed' : 'incomplete', facts.bytes, facts.sha256, sealing.signingKey.keyId,
        [...missing], now,
        await packageRetainUntil(sealing.platform, tx, row.id, sealing.timeZone),
      ],
      tx,
    );
    await database.query(
      `INSERT INTO disclosures (package_id, recording_id, kind, reference, recipient, reason, disclosed_at)
       SELECT p.id, c.recording_id, p.kind, p.reference, p.recipient, p.reason, $2
       FROM packages p JOIN package_recordings c ON c.package_id = p.id WHERE p.id = $1 ON CONFLICT DO NOTHING`,
      [row.id, now], tx,
    );
    await append(database, clock, tx, {
      actor: systemActor('packages'),
      action: `${row.kind}.sealed`,
      object: { type: 'package', id: row.id },
      details: {
        reference: row.reference, sha256: facts.sha256, bytes: facts.bytes, keyId: sealing.signingKey.keyId,
        missing: missing.length, recordings: row.recordingIds.length,
      },
    });
    return 'sealed';
  });
  if (outcome !== 'sealed') await objects.deleteEveryVersion([key]);
  return outcome === 'sealed';
}

/**
 * Removes what earlier attempts left before they died. What a later one puts there is not ours to touch: we may have lost our
 * turn by now without knowing.
 */
async function removeEarlier(objects: SealPlatform['objects'], { id, attempt }: Claim): Promise<void> {
  const earlier = new Set<string>();
  for await (const { key } of objects.list(packagePrefix(id)))
    if (Number(key.slice(packagePrefix(id).length).split('/')[0]) < attempt) earlier.add(key);
  if (earlier.size > 0) await objects.deleteEveryVersion([...earlier]);
}

async function digestsOf(file: string, signal: AbortSignal): Promise<{ bytes: number; md5: string; sha256: string }> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024, signal }) as AsyncIterable<Buffer>) {
    sha256.update(chunk);
    md5.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}
