import { z } from 'zod';
import { requirePerson, type Caller, type Person } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { decodeCursor, pageOf, pageQuery, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { isHeldToTell, knowerOf } from '../retention/hold.js';
import { refuseDeleted } from '../retention/tombstone.js';
import { listenPurposes, listensOf, recordHeard, type ListenFact, type ListenPurpose } from './listen.js';
import { findListenable } from './playback.js';
import { findRecording } from './recording.js';
import { cutsOf, toPlayback } from './timeline.js';

const interval = z.object({ startMs: z.int().min(0).max(86_400_000), endMs: z.int().min(1).max(86_400_000) });

const listenSchema = z
  .object({
    id: z.uuid(),
    openedAt: z.iso.datetime(),
    purpose: z.enum(listenPurposes),
    by: z.object({ id: z.uuid(), name: z.string() }),
    lastServedAt: z.iso.datetime(),
    lastHeardAt: z.iso.datetime().nullable(),
    servedBytes: z.int().meta({ description: 'Of the playback copy, each byte counted once' }),
    heardMs: z.int(),
    heard: z.array(interval).meta({ description: 'As the player reported, in milliseconds of the playback copy' }),
  })
  .meta({ id: 'Listen' });

const idParams = z.object({ id: idSchema });

/** What a listener may say it is for: only officers have a choice. */
const purposeOf = (person: Person, told: ListenPurpose | undefined): ListenPurpose =>
  person.role === 'privacy_officer' ? (told ?? 'evidence') : 'training';

/** What was heard, and by whom. */
export function listenOperations(platform: Pick<Platform, 'clock' | 'database' | 'objects'>): Operation<Caller>[] {
  const { clock, database } = platform;
  return [
    operation({
      method: 'post',
      path: '/recordings/{id}/heard',
      id: 'reportHeard',
      tag: 'recordings',
      summary: 'The player reports what was heard, for the listen that its requests for audio opened',
      description: 'Stretches are merged: reporting the same twice changes nothing. 409 when nothing was listened to.',
      action: 'recording.listen',
      params: idParams,
      body: z.object({
        intervals: z
          .array(
            interval.refine(({ startMs, endMs }) => endMs > startMs, {
              path: ['endMs'],
              error: 'must lie after startMs',
            }),
          )
          .min(1)
          .max(500),
        purpose: z
          .enum(listenPurposes)
          .exclude(['training'])
          .optional()
          .meta({ description: 'As it was when the audio was asked for' }),
      }),
      replies: {
        200: { description: 'Merged', schema: z.object({ listenId: z.uuid(), heardMs: z.int() }) },
      },
      problems: ['retention-ended', 'conflict'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        const purpose = purposeOf(person, body.purpose);
        const found = await findListenable(platform, person, params.id, purpose);
        return { status: 200, body: await recordHeard(platform, person, found, purpose, body.intervals) };
      },
    }),
    operation({
      method: 'get',
      path: '/recordings/{id}/listens',
      id: 'listListens',
      tag: 'recordings',
      summary: 'Who listened to a recording, when and for which purpose, oldest first',
      action: 'listen.read',
      params: idParams,
      query: z.object(pageQuery),
      replies: { 200: { description: 'A page', schema: pageOf(listenSchema) } },
      problems: ['retention-ended'],
      async handle({ caller, params, query }) {
        const found = await findRecording(database, params.id);
        if (found === undefined) {
          await refuseDeleted(database, 'recording', params.id);
          throw new Problem('not-found');
        }
        const { recording, version } = found;
        const now = clock.now();
        if (recording.retain_until <= now && !(await isHeldToTell(database, undefined, 'recording', recording.id, now, knowerOf(caller))))
          throw new Problem('retention-ended', { members: { deletedAt: recording.retain_until.toISOString() } });
        const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
        const rows = await listensOf(database, [recording.id], { limit: query.limit, after });
        const cuts = cutsOf(recording.holds, version.sample_rate_hz, version.duration_ms);
        const shown = ({ recordingId: _, ...row }: ListenFact): z.input<typeof listenSchema> => ({
          ...row,
          openedAt: row.openedAt.toISOString(),
          lastServedAt: row.lastServedAt.toISOString(),
          lastHeardAt: row.lastHeardAt?.toISOString() ?? null,
          heard: row.heard.map(({ startMs, endMs }) => ({
            startMs: toPlayback(startMs, cuts),
            endMs: toPlayback(endMs, cuts),
          })),
        });
        return { status: 200, body: toPage(rows, query.limit, shown, (row) => ({ at: row.openedAt, id: row.id })) };
      },
    }),
  ];
}
