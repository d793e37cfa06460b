import { z } from 'zod';
import { actorOf, requirePerson, type Caller, type Person } from '../access/caller.js';
import { append } from '../audit/log.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { useInForce } from '../retention/further-use.js';
import { listenPurposes, type ListenPurpose } from './listen.js';
import { findListenable } from './playback.js';
import type { RecordingRow, VersionRow } from './recording.js';
import { newestRequest, requestTranscript, transcribeJob, type TranscriptRequest } from './transcribe.js';
import {
  heardSegments,
  keptSegments,
  transcriptHistory,
  transcriptOf,
  transcriptOrigins,
  writeTranscript,
  type NewTranscript,
  type TranscriptRow,
} from './transcript.js';
import { readTranscript, transcriptFormats, type Segment } from './transcript-formats.js';

const momentMs = z.int().min(0).max(86_400_000);
const segmentSchema = z
  .object({
    startMs: momentMs.meta({ description: 'Milliseconds of the playback copy' }),
    endMs: momentMs,
    speaker: z.enum(['caller', 'agent']).nullable().default(null),
    text: z.string().trim().min(1).max(5000),
  })
  .refine(({ startMs, endMs }) => endMs >= startMs, { path: ['endMs'], error: 'must not lie before startMs' })
  .meta({ id: 'TranscriptSegment' });
const mostSegments = 20_000;

const requestSchema = z
  .object({
    id: z.uuid(),
    state: z.enum(['waiting', 'done', 'failed']),
    purpose: z.enum(listenPurposes),
    language: z.string(),
    requestedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
    failureCode: z.string().nullable(),
  })
  .meta({ id: 'TranscriptRequest' });

const revisionSchema = z.object({
  revision: z.int().meta({ description: '0: there is none yet' }),
  version: z.int().nullable().meta({ description: 'The version of the recording that was heard' }),
  origin: z.enum(transcriptOrigins).nullable(),
  language: z.string().nullable(),
  changedBy: z.object({ id: z.uuid(), name: z.string() }).nullable().meta({ description: 'Null: the service itself' }),
  changedAt: z.iso.datetime().nullable(),
  reason: z.string().nullable(),
  segments: z.array(segmentSchema),
});

const transcriptSchema = revisionSchema
  .extend({
    fetchable: z
      .boolean()
      .meta({ description: 'Whether it can be fetched from a speech-to-text server for the reader’s purpose' }),
    request: requestSchema.nullable().meta({ description: 'The newest one' }),
  })
  .meta({ id: 'Transcript' });

const presentRequest = (request: TranscriptRequest): z.input<typeof requestSchema> => ({
  ...request,
  requestedAt: request.requestedAt.toISOString(),
  finishedAt: request.finishedAt?.toISOString() ?? null,
});

type Found = { recording: RecordingRow; version: VersionRow };

const presentRevision = (row: TranscriptRow | undefined, found: Found): z.input<typeof revisionSchema> => ({
  revision: row?.revision ?? 0,
  version: row?.recordingVersion ?? null,
  origin: row?.origin ?? null,
  language: row?.language ?? null,
  changedBy: row?.changedBy ?? null,
  changedAt: row?.changedAt.toISOString() ?? null,
  reason: row?.reason ?? null,
  segments: row === undefined ? [] : heardSegments(row.segments, found),
});

const purpose = z
  .enum(listenPurposes)
  .exclude(['training'])
  .optional()
  .meta({ description: 'Officers; a trainer’s is training' });
const purposeOf = (person: Person, told: ListenPurpose | undefined): ListenPurpose =>
  person.role === 'privacy_officer' ? (told ?? 'evidence') : 'training';

const language = z
  .string()
  .regex(/^[a-z]{2,3}$/, 'must be a language code such as nl')
  .default('nl');
const reason = z
  .string()
  .trim()
  .max(2000)
  .transform((told) => (told === '' ? null : told))
  .nullable()
  .default(null);
const revision = z
  .int()
  .min(0)
  .meta({ description: 'The one that was read; another one meanwhile is a conflict that tells it' });
const idParams = z.object({ id: idSchema });
const opened = { description: 'The transcript as it stands', schema: transcriptSchema };
const problems = ['retention-ended', 'conflict'] as const;

/** Transcripts: typed, imported, fetched; read beside the waveform. */
export function transcriptOperations(
  platform: Pick<Platform, 'clock' | 'database' | 'objects' | 'jobs'>,
  settings: { transcription: object | undefined },
): Operation<Caller>[] {
  const { clock, database } = platform;

  async function open(person: Person, found: Found, wanted: ListenPurpose): Promise<z.input<typeof transcriptSchema>> {
    // First the request: of one that is done the transcript is there. What an officer had it made for is the officer's: it
    // would tell that the caller asked to see the recording.
    const newest = await newestRequest(database, found.recording.id);
    const request = person.role === 'privacy_officer' || newest?.purpose === 'training' ? newest : undefined;
    const [row, act] = await Promise.all([
      transcriptOf(database, found.recording.id, wanted),
      useInForce(database, 'transcription'),
    ]);
    const fetchable =
      person.role !== 'agent' && settings.transcription !== undefined && act?.purposes.includes(wanted) === true;
    return {
      ...presentRevision(row, found),
      fetchable,
      request: request === undefined ? null : presentRequest(request),
    };
  }

  async function write(
    caller: Caller,
    id: string,
    seen: number,
    { purpose: toldPurpose, ...told }: Omit<NewTranscript, 'segments' | 'purpose'> & {
      segments: Segment[]; purpose: ListenPurpose | undefined;
    },
  ) {
    const person = requirePerson(caller);
    const corrected = person.role === 'privacy_officer' ? await transcriptOf(database, id, 'access_request') : undefined;
    // A correction of what was made for a request stays with it unless the officer says otherwise.
    const wanted = purposeOf(person, toldPurpose ?? (corrected?.purpose === 'access_request' ? 'access_request' : undefined));
    const found = await findListenable(platform, person, id, wanted);
    if (told.segments.length > mostSegments)
      throw new Problem('invalid-input', { errors: [{ path: 'segments', message: 'are too many' }] });
    const kept = { ...told, purpose: wanted, segments: keptSegments(told.segments, found) };
    await writeTranscript(platform, actorOf(person), found.recording, seen, kept);
    return { status: 200, body: await open(person, found, wanted) };
  }

  return [
    operation({
      method: 'get',
      path: '/recordings/{id}/transcript',
      id: 'readTranscript',
      tag: 'recordings',
      summary: 'What was said, as far as it was written down',
      description:
        'Read by whoever may hear the recording. Names that are spoken stand in it, as they are heard. Logged.',
      action: 'transcript.read',
      params: idParams,
      query: z.object({ purpose }),
      replies: { 200: opened },
      problems: ['retention-ended'],
      async handle({ caller, params, query }) {
        const person = requirePerson(caller);
        const wanted = purposeOf(person, query.purpose);
        const found = await findListenable(platform, person, params.id, wanted);
        const shown = await open(person, found, wanted);
        if (shown.revision > 0)
          await database.inTransaction((tx) =>
            append(database, clock, tx, {
              actor: actorOf(person),
              action: 'transcript.viewed',
              object: { type: 'recording', id: params.id },
              details: { revision: shown.revision, purpose: wanted },
            }),
          );
        return { status: 200, body: shown };
      },
    }),
    operation({
      method: 'get',
      path: '/recordings/{id}/transcript/history',
      id: 'readTranscriptHistory',
      tag: 'recordings',
      summary: 'Every wording of a transcript, newest first',
      action: 'transcript.write',
      params: idParams,
      replies: {
        200: { description: 'All of them', schema: z.object({ items: z.array(revisionSchema), nextCursor: z.null() }) },
      },
      problems: ['retention-ended'],
      async handle({ caller, params }) {
        const person = requirePerson(caller);
        const found = await findListenable(platform, person, params.id, purposeOf(person, undefined));
        const rows = await transcriptHistory(database, params.id, purposeOf(person, undefined));
        return { status: 200, body: { items: rows.map((row) => presentRevision(row, found)), nextCursor: null } };
      },
    }),
    operation({
      method: 'put',
      path: '/recordings/{id}/transcript',
      id: 'writeTranscript',
      tag: 'recordings',
      summary: 'Type or correct a transcript, whole; the wording before stays on record',
      action: 'transcript.write',
      params: idParams,
      body: z.object({ revision, language, reason, purpose, segments: z.array(segmentSchema).max(mostSegments) }),
      bodyLimitBytes: 8 * 1024 * 1024,
      replies: { 200: opened },
      problems,
      handle: ({ caller, params, body: { revision: seen, ...told } }) =>
        write(caller, params.id, seen, { ...told, purpose: told.purpose, origin: 'typed' }),
    }),
    operation({
      method: 'post',
      path: '/recordings/{id}/transcript/import',
      id: 'importTranscript',
      tag: 'recordings',
      summary: 'Import a transcript: WebVTT, SubRip or JSON, told by its beginning unless said',
      action: 'transcript.write',
      params: idParams,
      body: z.object({
        revision,
        language,
        reason,
        purpose,
        format: z.enum(transcriptFormats).optional(),
        content: z.string().min(1).max(4_000_000),
      }),
      bodyLimitBytes: 8 * 1024 * 1024,
      replies: { 200: opened },
      problems,
      async handle({ caller, params, body }) {
        const segments = readTranscript(body.content, body.format);
        if (segments.length === 0)
          throw new Problem('invalid-input', { errors: [{ path: 'content', message: 'holds no words' }] });
        return await write(caller, params.id, body.revision, {
          segments,
          language: body.language,
          reason: body.reason,
          purpose: body.purpose,
          origin: 'imported',
        });
      },
    }),
    operation({
      method: 'post',
      path: '/recordings/{id}/transcript/fetch',
      id: 'fetchTranscript',
      tag: 'recordings',
      summary: 'Have the configured speech-to-text server make a transcript',
      description:
        'Off until an administrator records the act that allows it, per purpose (`PUT /further-uses/transcription`).',
      action: 'transcript.write',
      params: idParams,
      body: z.object({ revision, language, purpose }),
      replies: { 202: { description: 'Asked for', schema: requestSchema } },
      problems: [...problems, 'not-switched-on', 'not-ready'],
      async handle({ caller, params, body }) {
        const person = requirePerson(caller);
        const wanted = purposeOf(person, body.purpose);
        const found = await findListenable(platform, person, params.id, wanted);
        if (settings.transcription === undefined)
          throw new Problem('not-switched-on', {
            detail: 'No speech-to-text server is configured.',
            members: { use: 'transcription' },
          });
        if (found.version.state !== 'ready') throw new Problem('not-ready');
        const { language: spoken, revision: seen } = body;
        const request = await requestTranscript(platform, person, {
          recordingId: params.id,
          purpose: wanted,
          language: spoken,
          revision: seen,
        });
        platform.jobs.nudge(transcribeJob);
        return { status: 202, body: presentRequest(request) };
      },
    }),
  ];
}
