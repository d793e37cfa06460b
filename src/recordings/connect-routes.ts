import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Caller } from '../access/caller.js';
import { refusedKeysOf } from '../access/refused-keys.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { findPackage } from '../platform/package.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { arrivalsSince, type Arrivals } from './arrivals.js';
import { queueOf } from './ingest-routes.js';
import { testOutcomeSchema } from './doors/test.js';
import { testWithTone, type Testing } from './test-push.js';

/** Connecting a PBX: what runs on it, what arrives from it, and a test of our own half of the way. */

const faultSchema = z.object({ path: z.string(), message: z.string() });

const arrivalSchema = z
  .object({
    id: z.uuid(),
    at: z.iso.datetime(),
    kind: z.enum(['recording', 'call_data', 'test']),
    outcome: z.string().meta({ description: '`received`, `duplicate`, or the code of the refusal' }),
    faults: z.array(faultSchema).meta({ description: 'Which fields were wrong; never what stood in them' }),
    stored: z.int().nullable().meta({ description: 'Of call data: how many records' }),
    recording: z
      .object({
        state: z.enum(['receiving', 'received', 'ready', 'failed']),
        callId: z.string(),
        part: z.string(),
        direction: z.string(),
        startedAt: z.iso.datetime(),
        durationMs: z.int(),
        channels: z.int(),
        codec: z.string(),
        remarks: z.array(z.enum(['time_differs', 'no_caller', 'no_agent', 'one_channel', 'not_playable', 'truncated'])),
      })
      .nullable(),
  })
  .meta({ id: 'Arrival', description: 'Something that came in. No number and no name is in it.' });

const arrivalsSchema = z.object({
  arrivals: z.array(arrivalSchema).meta({ description: 'Newest first; the last 50 of a day' }),
  refusedKeys: z
    .array(
      z.object({
        prefix: z.string(),
        reason: z.enum(['unknown', 'damaged', 'revoked', 'expired', 'wrong_role']),
        count: z.int(),
        lastAt: z.iso.datetime(),
      }),
    )
    .meta({ description: 'Keys that did not work: those of this source, and those nobody knows' }),
  keySeenAt: z.iso.datetime().nullable().meta({ description: 'When a key of this source was last used, to the minute' }),
  pull: z
    .object({ lastPullAt: z.iso.datetime().nullable(), fault: z.string().nullable() })
    .nullable()
    .meta({ description: 'Of a PBX that is asked' }),
  now: z.iso.datetime().meta({ description: 'The clock of the service' }),
});

/** What may be fetched to run on a PBX. */
const pbxFiles = ['opname-push', 'opname-push.service', 'opname-push.timer'] as const;
const lookBackMs = 3_600_000;

export interface ConnectingParts {
  arrivals: Arrivals;
  testing: Testing;
}

/** For administrators who connect a PBX, and for the PBX that fetches its uploader. */
export function connectOperations(
  platform: Pick<Platform, 'clock' | 'database'>,
  { arrivals, testing }: ConnectingParts,
): Operation<Caller>[] {
  const { clock, database } = platform;

  async function requireSource(id: string): Promise<void> {
    const [source] = await database.query(`SELECT 1 FROM sources WHERE id = $1 AND kind = 'pbx'`, [id]);
    if (source === undefined) throw new Problem('not-found');
  }

  return [
    operation({
      method: 'get',
      path: '/sources/{id}/arrivals',
      id: 'readArrivals',
      tag: 'recordings',
      summary: 'What came in from a PBX just now, and what was refused and why',
      action: 'ingest.read',
      params: z.object({ id: idSchema }),
      query: z.object({ since: z.iso.datetime({ offset: true }).optional().meta({ description: 'An hour ago unless told' }) }),
      replies: { 200: { description: 'Newest first', schema: arrivalsSchema } },
      async handle({ params, query }) {
        await requireSource(params.id);
        await arrivals.flush();
        const now = clock.now();
        const since = query.since === undefined ? new Date(now.getTime() - lookBackMs) : new Date(query.since);
        const [seen, refused, [key], [pull]] = await Promise.all([
          arrivalsSince(database, params.id, since),
          refusedKeysOf(platform, params.id, since),
          database.query<{ seenAt: Date | null }>('SELECT max(last_seen_at) AS "seenAt" FROM keys WHERE source_id = $1', [params.id]),
          database.query<{ lastPullAt: Date | null; fault: string | null }>(
            'SELECT last_pull_at AS "lastPullAt", last_fault AS fault FROM pulls WHERE source_id = $1',
            [params.id],
          ),
        ]);
        return {
          status: 200,
          body: {
            arrivals: seen,
            refusedKeys: refused,
            keySeenAt: key?.seenAt ?? null,
            pull: pull ?? null,
            now,
          },
        };
      },
    }),
    operation({
      method: 'post',
      path: '/ingest/test',
      id: 'testIngest',
      tag: 'recordings',
      summary: 'Try our own half of the way with a generated tone, deleted again at once',
      description: 'A temporary file, storage with proof, read back, decoded, deleted. No recording comes of it, and nobody finds it in a list.',
      action: 'ingest.test',
      replies: {
        200: {
          description: 'Each step, whether it went well or not',
          schema: testOutcomeSchema.extend({
            waiting: z.int().meta({ description: 'Recordings whose playback copy is not made yet' }),
            waitingSince: z.iso.datetime().nullable(),
          }),
        },
      },
      async handle() {
        const outcome = await testWithTone(testing);
        const queue = await queueOf(platform);
        return { status: 200, body: { ...outcome, waiting: queue.waiting, waitingSince: queue.oldestAt } };
      },
    }),
    operation({
      method: 'get',
      path: '/pbx/{file}',
      id: 'fetchPbxFile',
      tag: 'recordings',
      summary: 'What runs on the PBX: the uploader and its systemd units',
      description: 'Open to anyone: it holds no address and no key.',
      action: 'open',
      params: z.object({ file: z.enum(pbxFiles) }),
      replies: { 200: { description: 'The file', mediaType: 'text/plain', schema: z.string() } },
      async handle({ params, response }) {
        const { folder } = findPackage(import.meta.dirname);
        const text = await readFile(path.join(folder, 'scripts', 'pbx', params.file), 'utf8');
        response.status(200).type('text/plain; charset=utf-8').send(text);
        return undefined;
      },
    }),
  ];
}
