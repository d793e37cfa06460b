import type { Request } from 'express';
import { z } from 'zod';
import type { Caller, Machine } from '../../access/caller.js';
import { operation, type Answer, type Operation } from '../../platform/http.js';
import { Problem, type FieldFault } from '../../platform/problem.js';
import { recogniseAudio } from '../../platform/audio/recognise.js';
import { discardUpload, ingest } from '../ingest.js';
import { changeMetadata } from '../change-metadata.js';
import { laterSchema, pushSchema, readLaterMetadata, readMetadata, type ReadingContext } from '../metadata.js';
import { recordingSchema } from '../present.js';
import { receiveMultipart, receiveRaw, type Upload } from '../upload.js';
import type { Door } from './door.js';

/** The plain door: multipart and raw pushes, metadata later, for every PBX that can speak HTTP. */

const pushReplies = {
  200: { description: 'These bytes were there already: the same recording', schema: recordingSchema },
  201: { description: 'Stored, proved to be in storage, committed: a new recording or a new version', schema: recordingSchema },
};

const pushProblems = [
  'not-audio', 'empty-recording', 'digest-mismatch', 'retention-over', 'direction-not-covered', 'invalid-input', 'too-large',
  'storage-unavailable', 'disk-low',
] as const;

const callParams = z.object({ callId: z.string().min(1).max(200) });
const keyedCallParams = callParams.extend({ key: z.string() });
const rawQuery = pushSchema.omit({ callId: true }).extend({ fileName: z.string().max(300).optional() });

/** A source is a machine: the policy lets no person push. */
function machineOf(caller: Caller): Machine {
  if (caller.kind !== 'machine') throw new Problem('forbidden');
  return caller;
}

function only(fields: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => fields[name] !== undefined && fields[name] !== '').map((name) => [name, fields[name]]));
}

/** Text fields and the JSON part `metadata` as one; a field by itself goes before the same field in the part. */
function mergeFields(fields: Record<string, string>): Record<string, unknown> {
  let told: unknown = {};
  if (fields['metadata'] !== undefined) {
    try {
      told = JSON.parse(fields['metadata']);
    } catch {
      throw new Problem('invalid-input', { errors: [{ path: 'metadata', message: 'is not JSON' }] });
    }
    if (told === null || typeof told !== 'object' || Array.isArray(told))
      throw new Problem('invalid-input', { errors: [{ path: 'metadata', message: 'is not a JSON object' }] });
  }
  return { ...(told as Record<string, unknown>), ...only(fields, Object.keys(pushSchema.shape)) };
}

/** Takes one uploaded file through the whole of ingest. The temporary file goes whatever happens. */
async function take(
  door: Door,
  caller: Machine,
  upload: Upload | undefined,
  told: Record<string, unknown>,
  fileName?: string,
): Promise<Answer> {
  try {
    const context = await door.readingContext(caller);
    const faults: FieldFault[] = upload === undefined ? [{ path: 'audio', message: 'is required' }] : [];
    const metadata = readMetadataWith(faults, told, context);
    if (upload === undefined || metadata === undefined) throw new Problem('invalid-input', { errors: faults });
    const name = fileName ?? upload.fileName;
    const audio = await recogniseAudio(upload.path, {
      ...(metadata.format === undefined ? {} : { format: metadata.format }),
      ...(name === undefined ? {} : { fileName: name }),
    });
    const ingested = await ingest(door.platform, await door.ingestSettings(caller), caller, metadata, upload, audio);
    return {
      status: ingested.outcome === 'duplicate' ? 200 : 201,
      headers: { Location: `/api/v1/recordings/${ingested.recordingId}` },
      body: await door.present(ingested.recordingId, caller),
    };
  } finally {
    await discardUpload(upload);
  }
}

/** All that is wrong with a push is told at once, the missing file included. */
function readMetadataWith(faults: FieldFault[], told: Record<string, unknown>, context: ReadingContext) {
  try {
    return readMetadata(told, context);
  } catch (error) {
    if (!(error instanceof Problem) || error.errors === undefined) throw error;
    faults.push(...error.errors);
    return undefined;
  }
}

async function takeRaw(door: Door, caller: Machine, request: Request, told: Record<string, unknown>): Promise<Answer> {
  // Wrong fields are told before a gigabyte is read.
  const context = await door.readingContext(caller);
  readMetadata(told, context);
  const upload = await receiveRaw(request, door.limits);
  return await take(door, caller, upload, told, typeof told['fileName'] === 'string' ? told['fileName'] : undefined);
}

/** FreeSWITCH's PUT tells no start: the call is then taken to have begun at receipt, which the audio's length corrects. */
function startedAtOr(query: Record<string, unknown>, now: Date): Record<string, unknown> {
  return query['startedAt'] === undefined ? { ...query, startedAt: now.toISOString() } : query;
}

/** The operations of the plain door. */
export function httpDoor(door: Door): Operation<Caller>[] {
  return [
    operation({
      method: 'post',
      path: '/recordings',
      id: 'pushRecording',
      tag: 'recordings',
      summary: 'Push a recording',
      description:
        'Parts in any order; `audio` is the file. Fields come one by one or together as the JSON part `metadata`. Safe to repeat: the same bytes give the same recording.',
      action: 'recording.push',
      upload: {
        'multipart/form-data': {
          schema: pushSchema.extend({
            audio: z.string().meta({ format: 'binary', description: 'The recording' }),
            metadata: z.string().optional().meta({ description: 'All fields as one JSON object' }),
          }),
        },
      },
      replies: pushReplies,
      problems: pushProblems,
      async handle({ caller, request }) {
        const { file, fields } = await receiveMultipart(request, { ...door.limits, fileParts: ['audio'] });
        try {
          return await take(door, machineOf(caller), file, mergeFields(fields));
        } finally {
          await discardUpload(file);
        }
      },
    }),
    operation({
      method: 'put',
      path: '/recordings/by-call/{callId}',
      id: 'putRecording',
      tag: 'recordings',
      summary: 'Push a recording as a raw body, its fields as query parameters',
      action: 'recording.push',
      params: callParams,
      query: rawQuery,
      upload: { 'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) } },
      replies: pushReplies,
      problems: pushProblems,
      handle: ({ caller, params, query, request }) =>
        takeRaw(door, machineOf(caller), request, { ...query, callId: params.callId }),
    }),
    operation({
      method: 'put',
      path: '/push/{key}/recordings/{callId}',
      id: 'putRecordingWithKey',
      tag: 'recordings',
      summary: 'The same for clients that can only put their key into the address (FreeSWITCH)',
      action: 'recording.push',
      params: keyedCallParams,
      query: rawQuery.partial({ startedAt: true }),
      upload: { 'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) } },
      replies: pushReplies,
      problems: pushProblems,
      handle: ({ caller, params, query, request }) =>
        takeRaw(door, machineOf(caller), request, { ...startedAtOr(query, door.platform.clock.now()), callId: params.callId }),
    }),
    operation({
      method: 'patch',
      path: '/recordings/by-call/{callId}',
      id: 'changeRecordingMetadata',
      tag: 'recordings',
      summary: 'Tell metadata later or again; it may shorten the retention period, never lengthen it',
      action: 'recording.push',
      params: callParams,
      query: z.object({ part: z.string().min(1).max(80).default('0') }),
      body: laterSchema,
      replies: { 200: { description: 'The recording as it now is', schema: recordingSchema } },
      problems: ['retention-ended'],
      async handle({ caller, params, query, body }) {
        const machine = machineOf(caller);
        const change = readLaterMetadata(body, await door.readingContext(machine));
        const call = { sourceId: machine.sourceId, callId: params.callId, part: query.part };
        const id = await changeMetadata(door.platform, machine, call, change);
        return { status: 200, body: await door.present(id, machine) };
      },
    }),
  ];
}
