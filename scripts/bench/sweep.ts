import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { S3Client, DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { migrations } from '../../migrations/index.js';
import { MovableClock } from '../../src/platform/clock.js';
import { openDatabase } from '../../src/platform/database.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgres.js';
import { startEmbeddedS3 } from '../../src/platform/embedded/s3/server.js';
import { newId } from '../../src/platform/identifier.js';
import { createLog } from '../../src/platform/log.js';
import { migrate } from '../../src/platform/migrate.js';
import { openObjects } from '../../src/platform/objects.js';
import { recordingCategory } from '../../src/recordings/purge.js';
import { runPurges, scheduleSweep } from '../../src/retention/sweep.js';

/**
 * `npm run bench -- sweep [N]`: N expired recordings (100,000 unless told) of three objects each, swept by two workers, as
 * the service does, with everything that a sweep proves and writes, against bare DeleteObjects of as many objects in the
 * same storage, a thousand keys a request. Both in one run, so that their ratio says something on any machine.
 */

const count = Number(process.argv[3] ?? 100_000);
const dayMs = 86_400_000;
const puttersAtOnce = 32;
const insertAtOnce = 2_000;
const names = ['original.wav', 'playback.m4a', 'waveform.json'];

const folder = await mkdtemp(path.join(tmpdir(), 'bench-sweep-'));
const log = createLog('error');
const clock = new MovableClock();
const credentials = { accessKeyId: 'bench', secretAccessKey: randomUUID() };
const storage = await startEmbeddedS3({ folder: path.join(folder, 's3'), ...credentials, clock, log, fsync: false });
const server = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), log, fsync: false });
const database = await openDatabase({ url: server.url, log });
const bucket = 'bench';
const place = { endpoint: storage.endpoint, region: 'us-east-1', credentials, forcePathStyle: true };
const objects = await openObjects({ ...place, bucket, log });
let peakBytes = 0;
const watch = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage().rss)), 100);
const tell = (line: string) => process.stdout.write(`${line}\n`);

/** Runs `work` on 0 … count-1, some at once. */
async function each(work: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await work(at);
  };
  await Promise.all(Array.from({ length: puttersAtOnce }, worker));
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return (performance.now() - beganMs) / 1000;
}

try {
  await migrate(database, migrations, log);
  await objects.prepare();
  const sourceId = randomUUID();
  await database.query(
    `INSERT INTO sources (id, name, kind, time_zone, channel_map, created_at) VALUES ($1, 'PBX', 'pbx', 'Europe/Amsterdam', '{caller,agent}', $2)`,
    [sourceId, clock.now()],
  );
  const body = Buffer.alloc(200, 1);
  const put = async (key: string) => void (await objects.putBytes(key, body, 'application/octet-stream', { hold: '0' }));
  tell(`putting 2 × ${count * names.length} objects`);
  await each(async (at) => {
    for (const name of names) await put(`bare/${at}/${name}`);
  });
  // Ids are made as the service makes them: what is due together stands together.
  const ids = Array.from({ length: count }, () => newId(clock));
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
  await each(async (at) => {
    for (const name of names) await put(`recordings/${ids[at]}/v/${name}`);
  });
  clock.advance(91 * dayMs);
  globalThis.gc?.();
  peakBytes = 0;

  const raw = new S3Client(place);
  const bare = ids.flatMap((_id, at) => names.map((name) => ({ Key: `bare/${at}/${name}` })));
  const deleteBare = (some: { Key: string }[]) =>
    seconds(async () => {
      for (let from = 0; from < some.length; from += 1000)
        await raw.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: some.slice(from, from + 1000), Quiet: true } }));
    });
  // Half before and half after, so that neither has the cold program or the full bucket to itself.
  const half = Math.ceil(bare.length / 2);
  let bareSeconds = await deleteBare(bare.slice(0, half));
  const barePeak = peakBytes;
  const category = recordingCategory({ clock, database }, 'Europe/Amsterdam');
  const context = { clock, database, objects, log, ruleDays: () => 90 };
  await scheduleSweep(context);
  const sweepSeconds = await seconds(async () => {
    const outcomes = await Promise.all([1, 2].map(() => runPurges(context, [category])));
    const purged = outcomes.reduce((sum, outcome) => sum + outcome.purged, 0);
    if (purged !== count) throw new Error(`swept ${purged} of ${count}`);
  });
  bareSeconds += await deleteBare(bare.slice(half));
  for await (const left of objects.list('recordings/')) throw new Error(`left: ${left.key}`);
  const mb = (bytes: number) => Math.round(bytes / 1e6);
  tell(`bare DeleteObjects: ${count * names.length} objects in ${bareSeconds.toFixed(1)} s`);
  tell(`sweep: ${count} recordings in ${sweepSeconds.toFixed(1)} s, each with intent, two listings, tombstone and audit entry (${count * names.length} objects)`);
  tell(`ratio ${(bareSeconds / sweepSeconds).toFixed(2)} (1 would be as fast as bare deletes)`);
  tell(`peak memory with storage in the same process: ${mb(barePeak)} MB bare, ${mb(peakBytes)} MB sweeping`);
} finally {
  clearInterval(watch);
  objects.close();
  await database.close();
  await server.stop();
  await storage.close();
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);
