import { z } from 'zod';
import { requirePerson, type Caller } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { decodeCursor, pageOf, pageQuery, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { findListenable } from '../recordings/playback.js';
import type { Interval } from '../recordings/recording.js';
import { agentsOf, openForTraining, revokeShare, shareRecording, sharesOf, type Share } from '../recordings/share.js';
import { backward, cutsIn, isForward, keptStretch, momentMs, shownStretch } from './passage.js';
import {
  heardOf,
  newestVersion,
  presentFacts,
  recordingFacts,
  recordingFactsSchema,
  type RecordingFacts,
} from './recording-facts.js';

const named = z.object({ id: z.uuid(), name: z.string() });
const stretch = z.object({ startMs: z.int(), endMs: z.int() });

const shareSchema = z
  .object({
    agent: named,
    clip: stretch.nullable().meta({ description: 'Where to listen; null: the whole call' }),
    note: z.string().nullable(),
    sharedBy: named,
    sharedAt: z.iso.datetime(),
  })
  .meta({ id: 'Share' });

const sharedWithMeSchema = shareSchema
  .omit({ agent: true })
  .extend({ recording: recordingFactsSchema })
  .meta({ id: 'SharedCall' });

const present = (share: Share, cuts: readonly Interval[]): z.input<typeof shareSchema> => ({
  agent: share.agent,
  clip: share.clip === null ? null : shownStretch(share.clip, cuts),
  note: share.note,
  sharedBy: share.sharedBy,
  sharedAt: share.sharedAt.toISOString(),
});

const shareBody = z
  .object({
    startMs: momentMs.optional(),
    endMs: momentMs.optional(),
    note: z
      .string()
      .trim()
      .max(2000)
      .transform((told) => (told === '' ? null : told))
      .nullable()
      .default(null),
  })
  .refine(({ startMs, endMs }) => (startMs === undefined) === (endMs === undefined), {
    path: ['endMs'],
    error: 'goes together with startMs',
  })
  .refine(isForward, backward);

interface SharedRow extends Omit<Share, 'agent'> {
  recording: RecordingFacts;
}

/** Showing agents their own calls. */
export function shareOperations(platform: Pick<Platform, 'clock' | 'database' | 'objects'>): Operation<Caller>[] {
  const { clock, database } = platform;
  const shareParams = z.object({ id: idSchema, agentId: idSchema });
  return [
    operation({
      method: 'get',
      path: '/recordings/{id}/shares',
      id: 'listShares',
      tag: 'training',
      summary: 'With whom a recording is shared, and with whom it can be: the agents whose call it is',
      action: 'recording.share',
      params: z.object({ id: idSchema }),
      replies: {
        200: {
          description: 'Shares in force',
          schema: z.object({ items: z.array(shareSchema), agents: z.array(named) }),
        },
      },
      problems: ['retention-ended'],
      async handle({ caller, params }) {
        const found = await findListenable(platform, requirePerson(caller), params.id, 'training');
        const [shares, agents] = await Promise.all([
          sharesOf(database, params.id),
          agentsOf(database, found.recording),
        ]);
        const cuts = cutsIn(found);
        return { status: 200, body: { items: shares.map((share) => present(share, cuts)), agents } };
      },
    }),
    operation({
      method: 'put',
      path: '/recordings/{id}/shares/{agentId}',
      id: 'shareRecording',
      tag: 'training',
      summary: 'Share a recording, or a stretch of it, with the agent who took the call',
      description:
        'The agent can then hear it, read shared comments and answer. Told again, it changes stretch and note.',
      action: 'recording.share',
      params: shareParams,
      body: shareBody,
      replies: { 200: { description: 'Shared', schema: shareSchema } },
      problems: ['retention-ended'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        const found = await findListenable(platform, person, params.id, 'training');
        const { startMs, endMs, note } = body;
        const clip = startMs === undefined || endMs === undefined ? null : keptStretch(found, { startMs, endMs });
        const share = await shareRecording(platform, person, found.recording, params.agentId, { clip, note });
        return { status: 200, body: present(share, cutsIn(found)) };
      },
    }),
    operation({
      method: 'delete',
      path: '/recordings/{id}/shares/{agentId}',
      id: 'revokeShare',
      tag: 'training',
      summary: 'Take a share back; in force at once',
      action: 'recording.share',
      params: shareParams,
      replies: { 204: { description: 'Taken back' } },
      problems: ['retention-ended'],
      async handle({ caller, params }) {
        const person = requirePerson(caller);
        await findListenable(platform, person, params.id, 'training');
        await revokeShare(platform, person, params.id, params.agentId);
        return { status: 204 };
      },
    }),
    operation({
      method: 'get',
      path: '/shared-calls',
      id: 'listSharedCalls',
      tag: 'training',
      summary: 'For an agent: what was shared with them, newest share first',
      action: 'share.read_own',
      query: z.object(pageQuery),
      replies: { 200: { description: 'A page', schema: pageOf(sharedWithMeSchema) } },
      async handle({ caller, query }) {
        const person = requirePerson(caller);
        const now = clock.now();
        const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
        const rows = await database.query<SharedRow>(
          `SELECT s.id, CASE WHEN s.start_ms IS NOT NULL THEN json_build_object('startMs', s.start_ms, 'endMs', s.end_ms) END AS clip,
             s.note, json_build_object('id', b.id, 'name', b.name) AS "sharedBy", s.shared_at AS "sharedAt",
             ${recordingFacts} AS recording
           FROM recording_shares s JOIN users b ON b.id = s.shared_by JOIN recordings r ON r.id = s.recording_id ${newestVersion}
           WHERE s.agent_id = $2 AND s.revoked_at IS NULL AND ${openForTraining('$1')}
             AND ($3::timestamptz IS NULL OR (s.shared_at, s.id) < ($3, $4::uuid))
           ORDER BY s.shared_at DESC, s.id DESC LIMIT $5`,
          [now, person.userId, after?.at ?? null, after?.id ?? null, query.limit + 1],
        );
        const { ownNumbers } = await organisationOf(database);
        const shown = ({ recording, ...share }: SharedRow): z.input<typeof sharedWithMeSchema> => ({
          recording: presentFacts(recording, person.role, ownNumbers, now),
          clip: share.clip === null ? null : shownStretch(share.clip, cutsIn(heardOf(recording))),
          note: share.note,
          sharedBy: share.sharedBy,
          sharedAt: share.sharedAt.toISOString(),
        });
        return { status: 200, body: toPage(rows, query.limit, shown, (row) => ({ at: row.sharedAt, id: row.id })) };
      },
    }),
  ];
}
