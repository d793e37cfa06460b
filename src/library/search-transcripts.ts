import { z } from 'zod';
import { actorOf, requirePerson, type Caller } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { keyedDigest } from '../access/token.js';
import { append } from '../audit/log.js';
import { operation, type Operation } from '../platform/http.js';
import { decodeCursor, pageOf, pageQuery, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { openForTraining } from '../recordings/share.js';
import { openWording } from '../recordings/transcript.js';
import { cutsOf, toPlayback } from '../recordings/timeline.js';
import type { Segment } from '../recordings/transcript-formats.js';
import { requireUse } from '../retention/further-use.js';
import { heldToTell } from '../retention/hold.js';
import {
  newestVersion,
  presentFacts,
  recordingFacts,
  recordingFactsSchema,
  type RecordingFacts,
} from '../training/recording-facts.js';

const hitSchema = z
  .object({
    recording: recordingFactsSchema,
    segments: z
      .array(
        z.object({
          startMs: z.int(),
          endMs: z.int(),
          speaker: z.enum(['caller', 'agent']).nullable(),
          text: z.string(),
        }),
      )
      .meta({ description: 'The first five that hold the words' }),
  })
  .meta({ id: 'TranscriptHit' });

interface Hit {
  recording: RecordingFacts;
  segments: Segment[];
}

/** Search in what was said: a use of its own, off until an act that allows it is on record. */
export function transcriptSearchOperation(
  platform: Pick<Platform, 'clock' | 'database'>,
  settings: { searchKey: Buffer },
): Operation<Caller> {
  const { clock, database } = platform;
  return operation({
    method: 'get',
    path: '/transcripts',
    id: 'searchTranscripts',
    tag: 'recordings',
    summary: 'Calls in which words were said (Dutch word forms; "…" a phrase, - without), newest first',
    action: 'transcript.search',
    query: z.object({ q: z.string().trim().min(2).max(200), ...pageQuery }),
    replies: { 200: { description: 'A page', schema: pageOf(hitSchema) } },
    problems: ['not-switched-on'],
    async handle({ caller, query }) {
      await requireUse(database, 'speech_search');
      const person = requirePerson(caller);
      const now = clock.now();
      const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
      const visible =
        person.role === 'privacy_officer'
          ? `r.version > 0 AND r.purge_intent IS NULL AND (r.retain_until > $1 OR ${heldToTell('recording', 'r.id', '$1', person)})`
          : `${openForTraining('$1')} AND EXISTS (SELECT FROM transcripts w JOIN transcript_revisions v
               ON v.recording_id = w.recording_id AND v.revision = w.revision WHERE w.recording_id = r.id AND ${openWording})`;
      const rows = await database.query<Hit>(
        `WITH found AS MATERIALIZED (
           SELECT DISTINCT t.recording_id FROM transcript_segments t WHERE t.words @@ websearch_to_tsquery('dutch', $2))
         SELECT ${recordingFacts} AS recording,
           (SELECT json_agg(hit) FROM (
              SELECT t.start_ms AS "startMs", t.end_ms AS "endMs", t.speaker, t.text FROM transcript_segments t
              WHERE t.recording_id = r.id AND t.words @@ websearch_to_tsquery('dutch', $2) ORDER BY t.position LIMIT 5) hit) AS segments
         FROM found JOIN recordings r ON r.id = found.recording_id ${newestVersion}
         WHERE ${visible} AND ($3::timestamptz IS NULL OR (r.started_at, r.id) < ($3, $4::uuid))
         ORDER BY r.started_at DESC, r.id DESC LIMIT $5`,
        [now, query.q, after?.at ?? null, after?.id ?? null, query.limit + 1],
      );
      if (after === undefined)
        await database.inTransaction((tx) =>
          append(database, clock, tx, {
            actor: actorOf(person),
            action: 'transcript.searched',
            details: {
              wordsDigest: keyedDigest(settings.searchKey, query.q.toLowerCase()).toString('hex'),
              found: rows.length,
            },
          }),
        );
      const { ownNumbers } = await organisationOf(database);
      const shown = ({ recording, segments }: Hit): z.input<typeof hitSchema> => {
        const cuts = cutsOf(recording.holds, recording.sampleRateHz, recording.durationMs);
        return {
          recording: presentFacts(recording, person.role, ownNumbers, now),
          segments: segments.map((segment) => ({
            ...segment,
            startMs: toPlayback(segment.startMs, cuts),
            endMs: toPlayback(segment.endMs, cuts),
          })),
        };
      };
      return {
        status: 200,
        body: toPage(rows, query.limit, shown, ({ recording }) => ({
          at: new Date(recording.startedAt),
          id: recording.id,
        })),
      };
    },
  });
}
