import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { S3Client, DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { migrations } from '../../migrations/index.js';
import { MovableClock } from '../../src/platform/clock.js';
import { openDatabase } from '../../src/platform/database.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgres.js';
import { newId } from '../../src/platform/identifier.js';
import { createLog } from '../../src/platform/log.js';
import { migrate } from '../../src/platform/migrate.js';
import { openObjects } from '../../src/platform/objects.js';
import { recordingCategory } from '../../src/recordings/purge.js';
import { runPurges, scheduleSweep } from '../../src/retention/sweep.js';
import type { StorageOrder } from './sweep-storage.js';

/**
 * `npm run bench -- sweep [N]`: N expired recordings (100,000 unless told) of three objects each, swept by two workers, as
 * the service does, with everything that a sweep proves and writes, against bare DeleteObjects of as many objects in the
 * same storage, a thousand keys a request. Both in one run, so that their ratio says something on any machine.
 */

const count = Number(process.argv[3] ?? 100_000);
const dayMs = 86_400_000;
const insertAtOnce = 2_000;
const names = ['original.wav', 'playback.m4a', 'waveform.json'];

const folder = await mkdtemp(path.join(tmpdir(), 'bench-sweep-'));
const log = createLog('error');
const clock = new MovableClock();
const credentials = { accessKeyId: 'bench', secretAccessKey: randomUUID() };
const bucket = 'bench';
const tell = (line: string) => process.stdout.write(`${line}\n`);
const mb = (bytes: number) => Math.round(bytes / 1e6);

async function seconds(work: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return (performance.now() - beganMs) / 1000;
}

/** Peak memory of this process, begun anew with each part. */
let peakBytes = 0;
const watch = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage().rss)), 50);
function peakSince(): number {
  const peak = peakBytes;
  globalThis.gc?.();
  peakBytes = process.memoryUsage().rss;
  return mb(peak);
}

// Ids are made as the service makes them: what is due together stands together.
const ids = Array.from({ length: count }, () => newId(clock));
const server = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), log, fsync: false });
const database = await openDatabase({ url: server.url, log });
const storage = fork(path.join(import.meta.dirname, 'sweep-storage.ts'));
try {
  const order: StorageOrder = { folder: path.join(folder, 's3'), bucket, ...credentials, ids, names };
  let endpoint = '';
  const seeding = seconds(async () => {
    storage.send(order);
    [endpoint] = (await Promise.race([once(storage, 'message'), once(storage, 'exit')])) as [string];
    if (typeof endpoint !== 'string') throw new Error('the storage of the bench is gone');
  });
  await migrate(database, migrations, log);
  const sourceId = randomUUID();
  await database.query(
    `INSERT INTO sources (id, name, kind, time_zone, channel_map, created_at) VALUES ($1, 'PBX', 'pbx', 'Europe/Amsterdam', '{caller,agent}', $2)`,
    [sourceId, clock.now()],
  );
  for (let from = 0; from < count; from += insertAtOnce)
    await database.query(
      `WITH made AS (
         INSERT INTO recordings (id, source_id, call_id, direction, started_at, ended_at, channel_map, version, created_at, retain_until)
         SELECT id, $1, 'call ' || id, 'inbound', $2, $2, '["caller","agent"]', 1, $2, $3 FROM unnest($4::uuid[]) AS id RETURNING id)
       INSERT INTO recording_versions (id, recording_id, number, state, original_key, file_extension, bytes, sha256, md5, container,
         codec, channels, sample_rate_hz, duration_ms, truncated, received_at, next_attempt_at, playback_key, playback_bytes, waveform_key)
       SELECT gen_random_uuid(), id, 1, 'ready', 'recordings/' || id || '/v/original.wav', 'wav', 200, repeat('a', 64), repeat('b', 32), 'wav',
         'pcm', 2, 8000, 1000, false, $2, $2, 'recordings/' || id || '/v/playback.m4a', 200, 'recordings/' || id || '/v/waveform.json' FROM made`,
      [sourceId, clock.now(), new Date(clock.now().getTime() + 90 * dayMs), ids.slice(from, from + insertAtOnce)],
    );
  tell(`${2 * count * names.length} objects and ${count} rows made in ${(await seeding).toFixed(0)} s`);
  const place = { endpoint, region: 'us-east-1', credentials, forcePathStyle: true };
  const objects = await openObjects({ ...place, bucket, log });
  await objects.prepare();
  clock.advance(91 * dayMs);

  const raw = new S3Client(place);
  const deleteBare = (from: number, until: number) =>
    seconds(async () => {
      for (let at = from; at < until; at += 333)
        await raw.send(new DeleteObjectsCommand({
          Bucket: bucket,
          Delete: {
            Objects: Array.from({ length: Math.min(333, until - at) }, (_each, more) => at + more)
              .flatMap((each) => names.map((name) => ({ Key: `bare/${each}/${name}` }))),
            Quiet: true,
          },
        }));
    });
  // Half before and half after, so that neither has the cold program or the full bucket to itself.
  const half = Math.ceil(count / 2);
  peakSince();
  let bareSeconds = await deleteBare(0, half);
  const barePeak = peakSince();
  const category = recordingCategory({ clock, database }, 'Europe/Amsterdam');
  const context = { clock, database, objects, log, ruleDays: () => 90 };
  await scheduleSweep(context);
  const beganMs = performance.now();
  const tenths: number[] = [];
  /** Ends a tenth of the sweep: what memory was used at most in it. */
  const batchDone = async (): Promise<void> => {
    const [row] = await database.query<{ purged: number }>('SELECT purged FROM sweeps ORDER BY requested_at DESC LIMIT 1');
    while (tenths.length < 10 && (row?.purged ?? 0) >= ((tenths.length + 1) * count) / 10) {
      tenths.push(peakSince());
      tell(`  ${tenths.length * 10} % swept after ${((performance.now() - beganMs) / 1000).toFixed(0)} s, at most ${tenths.at(-1) ?? 0} MB`);
    }
  };
  const outcomes = await Promise.all([1, 2].map((worker) => runPurges(context, [category], worker === 1 ? { touch: batchDone } : {})));
  const sweepSeconds = (performance.now() - beganMs) / 1000;
  const purged = outcomes.reduce((sum, outcome) => sum + outcome.purged, 0);
  if (purged !== count) throw new Error(`swept ${purged} of ${count}`);
  bareSeconds += await deleteBare(half, count);
  for await (const left of objects.list('recordings/')) throw new Error(`left: ${left.key}`);
  tell(`bare DeleteObjects: ${count * names.length} objects in ${bareSeconds.toFixed(1)} s`);
  tell(`sweep: ${count} recordings in ${sweepSeconds.toFixed(1)} s, each with intent, two listings, tombstone and audit entry (${count * names.length} objects)`);
  tell(`ratio ${(bareSeconds / sweepSeconds).toFixed(2)} (1 would be as fast as bare deletes)`);
  tell(`peak memory of the process that deletes: ${barePeak} MB bare; sweeping ${tenths.join(', ')} MB in each tenth`);
  objects.close();
} finally {
  clearInterval(watch);
  await database.close();
  await server.stop();
  if (storage.exitCode === null) {
    const gone = once(storage, 'exit');
    storage.kill('SIGKILL');
    await gone;
  }
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);
