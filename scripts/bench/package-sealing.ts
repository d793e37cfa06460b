import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Person } from '../../src/access/caller.js';
import { append, systemActor } from '../../src/audit/log.js';
import { createSealer } from '../../src/audit/seal.js';
import { evidenceKind } from '../../src/evidence/evidence-kind.js';
import { migrations } from '../../migrations/index.js';
import { findPackage, orderPackage } from '../../src/packages/package.js';
import { sealOrdered } from '../../src/packages/seal.js';
import { loadVerifierPage } from '../../src/packages/verifier-page.js';
import { systemClock } from '../../src/platform/clock.js';
import { openDatabase } from '../../src/platform/database.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgres.js';
import { startEmbeddedS3 } from '../../src/platform/embedded/s3/server.js';
import { findFfmpeg } from '../../src/platform/ffmpeg.js';
import { newId } from '../../src/platform/identifier.js';
import { createLog } from '../../src/platform/log.js';
import { migrate } from '../../src/platform/migrate.js';
import { openObjects } from '../../src/platform/objects.js';
import { openSigningKey } from '../../src/platform/signing.js';

/** Packages sealed as the service seals them, from originals in storage to the package in storage, in this one process. */

const timeZone = 'Europe/Amsterdam';
const clock = systemClock;
const log = createLog('error');

/** A WAV of 16 bits, two channels, 8 kHz, with noise in it: nothing in it repeats. */
function noise(bytes: number): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(bytes - 8, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(2, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(32_000, 28);
  head.writeUInt16LE(4, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(bytes - 44, 40);
  return Buffer.concat([head, randomBytes(bytes - 44)]);
}

export interface Sealed {
  recordings: number;
  packageBytes: number;
  tookMs: number;
  /** Resident memory of the process, storage server included, when it began and at most. */
  startBytes: number;
  peakBytes: number;
}

export interface SealingBench {
  /** Seals a package of the first `count` recordings, originals and copies. */
  seal(count: number): Promise<Sealed>;
  close(): Promise<void>;
}

/** Everything that sealing needs, with `count` recordings of `bytesEach` in storage. */
export async function prepareSealingBench(folder: string, count: number, bytesEach: number): Promise<SealingBench> {
  const credentials = { accessKeyId: 'bench', secretAccessKey: randomUUID() };
  const storage = await startEmbeddedS3({ folder: path.join(folder, 's3'), ...credentials, clock, log, fsync: false });
  const server = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), log, fsync: false });
  const database = await openDatabase({ url: server.url, log });
  const objects = await openObjects({
    endpoint: storage.endpoint, region: 'us-east-1', credentials, forcePathStyle: true, bucket: 'bench', log,
  });
  await migrate(database, migrations, log);
  await objects.prepare();
  const signingKey = await openSigningKey({ folder });
  const [sourceId, userId, now] = [randomUUID(), randomUUID(), clock.now()];
  await database.query(
    `INSERT INTO sources (id, name, kind, time_zone, channel_map, created_at) VALUES ($1, 'PBX', 'pbx', $2, '{caller,agent}', $3)`,
    [sourceId, timeZone, now],
  );
  await database.query(
    `INSERT INTO users (id, email, name, role, locale, password_hash, created_at)
     VALUES ($1, 'officer@example.test', 'Officer', 'privacy_officer', 'nl', '', $2)`,
    [userId, now],
  );
  const ids: string[] = [];
  for (let made = 0; made < count; made += 1) {
    const [id, versionId, bytes] = [newId(clock), newId(clock), noise(bytesEach)];
    const digest = (name: string) => createHash(name).update(bytes).digest('hex');
    const key = `recordings/${id}/${versionId}/original.wav`;
    await objects.putBytes(key, bytes, 'audio/wav', { hold: '0' });
    await database.inTransaction(async (tx) => {
      await database.query(
        `INSERT INTO recordings (id, source_id, call_id, direction, started_at, ended_at, channel_map, version, created_at, retain_until)
         VALUES ($1::uuid, $2, ($1::uuid)::text, 'inbound', $3, $3, '["caller","agent"]', 1, $3, $3::timestamptz + interval '90 days')`,
        [id, sourceId, now], tx,
      );
      await database.query(
        `INSERT INTO recording_versions (id, recording_id, number, state, original_key, file_extension, bytes, sha256, md5, container,
           codec, channels, sample_rate_hz, duration_ms, truncated, received_at, next_attempt_at)
         VALUES ($1, $2, 1, 'received', $3, 'wav', $4, $5, $6, 'wav', 'pcm_s16le', 2, 8000, $7, false, $8, $8)`,
        [versionId, id, key, bytes.length, digest('sha256'), digest('md5'), Math.floor(bytes.length / 32), now], tx,
      );
      await append(database, clock, tx, {
        actor: systemActor('bench'), action: 'recording.received', object: { type: 'recording', id },
        details: { version: 1, versionId, sha256: digest('sha256'), bytes: bytes.length },
      });
    });
    ids.push(id);
  }
  const sealing = {
    platform: { clock, database, log, objects }, ffmpeg: await findFfmpeg(log), signingKey, timeStamper: undefined,
    folder: path.join(folder, 'packages'), timeZone,
  };
  const kinds = [evidenceKind({ ...sealing, sealer: createSealer({ clock, database, log, signingKey }) })];
  await mkdir(sealing.folder);
  // The verifier's page is built once, from its sources: that is no part of sealing.
  await loadVerifierPage();

  return {
    async seal(some) {
      const person: Person = {
        kind: 'person', userId, role: 'privacy_officer', email: 'officer@example.test', name: 'Officer', locale: 'nl', extensions: [],
      };
      const order = { kind: 'evidence', series: 'EV', request: { scope: 'full' }, reason: 'bench', recipient: 'bench', recordingIds: ids.slice(0, some) };
      const { id } = await database.inTransaction((tx) => orderPackage({ clock, database }, tx, person, order, timeZone));
      globalThis.gc?.();
      const startBytes = process.memoryUsage.rss();
      let peakBytes = startBytes;
      const watch = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage.rss())), 50);
      const beganMs = performance.now();
      await sealOrdered({ ...sealing, kinds }, new AbortController().signal);
      clearInterval(watch);
      const row = await findPackage(database, id);
      if (row?.state !== 'sealed') throw new Error(`the package is ${row?.state ?? 'gone'}: ${row?.lastFault ?? ''}`);
      return { recordings: some, packageBytes: row.bytes ?? 0, tookMs: performance.now() - beganMs, startBytes, peakBytes };
    },
    async close() {
      objects.close();
      await database.close();
      await server.stop();
      await storage.close();
    },
  };
}
