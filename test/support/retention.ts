import { createHash, randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { MovableClock } from '../../src/platform/clock.js';
import type { Database } from '../../src/platform/database.js';
import { newId } from '../../src/platform/identifier.js';
import { createJobs, type Jobs } from '../../src/platform/jobs.js';
import { createLog, type Log } from '../../src/platform/log.js';
import { openObjects, type Objects } from '../../src/platform/objects.js';
import { recordingCategory } from '../../src/recordings/purge.js';
import type { PurgeContext, PurgeStep } from '../../src/retention/carry-out.js';
import type { Category } from '../../src/retention/category.js';
import type { Person } from '../../src/access/caller.js';
import { freshDatabase } from './database.js';

/** Database, bucket and clock of one's own, and recordings to delete. */
export interface RetentionWorld {
  clock: MovableClock;
  database: Database;
  databaseUrl: string;
  bucket: string;
  jobs: Jobs;
  log: Log;
  objects: Objects;
  category: Category;
  categories: Category[];
  officer: Person;
  secondOfficer: Person;
  administrator: Person;
  /** What a sweep works with; `step` dies where it is told to. */
  context(step?: (step: PurgeStep) => void): PurgeContext;
  /** A recording of a call that ended at `endedAt` (now unless told), with its three objects. */
  record(options?: { endedAt?: Date; objects?: boolean; id?: string }): Promise<string>;
  keysOf(id: string): Promise<string[]>;
  close(): Promise<void>;
}

const day = 86_400_000;

/** The storage of the run, or the one at `endpoint` in front of it. */
export async function openBucket(bucket: string, endpoint?: string): Promise<Objects> {
  const { s3 } = inject('backends');
  if (s3 === null) throw new Error('There is no storage in this run');
  const { accessKeyId, secretAccessKey, region } = s3;
  return await openObjects({
    endpoint: endpoint ?? s3.endpoint, region, bucket, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true,
    log: createLog('silent'),
  });
}

async function makePerson(database: Database, clock: MovableClock, role: Person['role'], known: boolean): Promise<Person> {
  const person: Person = { kind: 'person', userId: newId(clock), role, email: `${randomUUID()}@example.nl`, name: role, locale: 'nl', extensions: [] };
  if (known) await database.query(
    `INSERT INTO users (id, email, name, role, locale, password_hash, created_at) VALUES ($1, $2, $3, $4, 'nl', 'none', $5)`,
    [person.userId, person.email, person.name, role, clock.now()],
  );
  return person;
}

export async function retentionWorld(options: { bucket?: string; endpoint?: string; people?: boolean; clock?: MovableClock; objects?: Objects } = {}): Promise<RetentionWorld> {
  const { url, database, drop } = await freshDatabase();
  const clock = options.clock ?? new MovableClock();
  const log = createLog('silent');
  const bucket = options.bucket ?? `test-${randomUUID()}`;
  const objects = options.objects ?? (await openBucket(bucket, options.endpoint));
  await objects.prepare();
  const jobs = createJobs({ url, log, work: false });
  const sourceId = newId(clock);
  await database.query(
    `INSERT INTO sources (id, name, kind, time_zone, channel_map, created_at)
     VALUES ($1, 'PBX', 'pbx', 'Europe/Amsterdam', '{caller,agent}', $2)`,
    [sourceId, clock.now()],
  );
  const category = recordingCategory({ clock, database }, 'Europe/Amsterdam');

  async function record({ endedAt = clock.now(), objects: stored = true, id = newId(clock) }: { endedAt?: Date; objects?: boolean; id?: string } = {}): Promise<string> {
    const versionId = newId(clock);
    const bytes = Buffer.from(`audio of ${id}`);
    const digest = (name: string) => createHash(name).update(bytes).digest('hex');
    const folder = `recordings/${id}/${versionId}`;
    await database.query(
      `INSERT INTO recordings (id, source_id, call_id, direction, caller_number, started_at, ended_at, channel_map, version,
         created_at, retain_until)
       VALUES ($1, $2, $3, 'inbound', '+31612345678', $4, $5, '["caller","agent"]', 1, $5, $6)`,
      [id, sourceId, `call ${id}`, new Date(endedAt.getTime() - 60_000), endedAt, new Date(endedAt.getTime() + 90 * day)],
    );
    await database.query(
      `INSERT INTO recording_versions (id, recording_id, number, state, original_key, file_extension, bytes, sha256, md5,
         container, codec, channels, sample_rate_hz, duration_ms, truncated, received_at, playback_key, playback_bytes,
         waveform_key, next_attempt_at)
       VALUES ($1, $2, 1, 'ready', $3, 'wav', $4, $5, $6, 'wav', 'pcm', 2, 8000, 60000, false, $7, $8, $4, $9, $7)`,
      [versionId, id, `${folder}/original.wav`, bytes.length, digest('sha256'), digest('md5'), endedAt,
        `${folder}/playback.m4a`, `${folder}/waveform.json`],
    );
    if (stored)
      for (const name of ['original.wav', 'playback.m4a', 'waveform.json'])
        await objects.putBytes(`${folder}/${name}`, bytes, 'application/octet-stream', { hold: '0' });
    return id;
  }

  return {
    clock, database, databaseUrl: url, bucket, jobs, log, objects, category, categories: [category], record,
    officer: await makePerson(database, clock, 'privacy_officer', options.people !== false),
    secondOfficer: await makePerson(database, clock, 'privacy_officer', options.people !== false),
    administrator: await makePerson(database, clock, 'administrator', options.people !== false),
    context: (step) => ({ clock, database, objects, log, ruleDays: () => 90, ...(step === undefined ? {} : { step }) }),
    async keysOf(id) {
      const keys: string[] = [];
      for await (const version of objects.list(`recordings/${id}/`)) keys.push(version.key);
      return keys;
    },
    async close() {
      await jobs.stop(1000);
      objects.close();
      await drop();
    },
  };
}
