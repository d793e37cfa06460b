import type { Request } from 'express';
import { z } from 'zod';
import type { Caller, Machine } from '../../access/caller.js';
import { operation, type Answer, type Operation } from '../../platform/http.js';
import { Problem } from '../../platform/problem.js';
import { changeMetadata } from '../change-metadata.js';
import { laterSchema, pushSchema, readLaterMetadata, readMetadata } from '../metadata.js';
import { recordingSchema } from '../present.js';
import { discardUpload, receiveMultipart, receiveRaw } from '../upload.js';
import { machineOf, type Door } from './door.js';
import { fieldsOfName } from './freepbx.js';
import { counted, pushProblems, pushReplies, takeUpload } from './take.js';

/** The plain door: multipart and raw pushes, metadata later, for every PBX that can speak HTTP. */

const callParams = z.object({ callId: z.string().min(1).max(200) });
const keyedCallParams = callParams.extend({ key: z.string() });
const rawQuery = pushSchema.omit({ callId: true }).extend({ fileName: z.string().max(300).optional() });

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

/** `startFromAudio`: FreeSWITCH's PUT tells no start; receipt less the length of the audio is nearest. */
function takeRaw(
  door: Door,
  machine: Machine,
  request: Request,
  told: Record<string, unknown>,
  startFromAudio = false,
): Promise<Answer> {
  return counted(door, machine, async () => {
    // Wrong fields are told before a gigabyte is read.
    const context = door.readingContext(machine);
    readMetadata(startFromAudio ? { startedAt: context.now.toISOString(), ...told } : told, context);
    const upload = await receiveRaw(request, door.limits);
    const fileName = typeof told['fileName'] === 'string' ? told['fileName'] : undefined;
    return await takeUpload(door, machine, upload, told, { fileName, startFromAudio });
  });
}

/**
 * FreeSWITCH wants the audio format as the extension of the address (`<uuid>.wav`). The call id stays as it was put; its
 * call data record knows the bare uuid, which the link then finds.
 */
function linkedByUuid(callId: string): { linkedId?: string } {
  const uuid = /^(.+)\.(?:wav|mp3|ogg|opus|flac|gsm|raw|r8)$/i.exec(callId)?.[1];
  return uuid === undefined ? {} : { linkedId: uuid };
}

/** A push without a call id may be one of a file that FreePBX named: the name tells it, and more. */
function namedFields(machine: Machine, told: Record<string, unknown>, fileName: string | undefined): Record<string, unknown> {
  return told['callId'] === undefined && fileName !== undefined ? fieldsOfName(fileName, machine.timeZone) : {};
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
        'Parts in any order; `audio` is the file. Fields come one by one or together as the JSON part `metadata`. Safe to repeat: the same bytes give the same recording. Without `callId`, a file named as FreePBX names them tells it itself.',
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
      handle({ caller, request }) {
        const machine = machineOf(caller);
        return counted(door, machine, async () => {
          const { file, fields } = await receiveMultipart(request, { ...door.limits, fileParts: ['audio'] });
          try {
            const told = mergeFields(fields);
            return await takeUpload(door, machine, file, { ...namedFields(machine, told, file?.fileName), ...told });
          } finally {
            await discardUpload(file);
          }
        });
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
        takeRaw(
          door,
          machineOf(caller),
          request,
          { ...linkedByUuid(params.callId), ...only(query, Object.keys(rawQuery.shape)), callId: params.callId },
          true,
        ),
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
      problems: ['retention-ended', 'number-excluded'],
      async handle({ caller, params, query, body }) {
        const machine = machineOf(caller);
        const change = readLaterMetadata(body, door.readingContext(machine));
        const call = { sourceId: machine.sourceId, callId: params.callId, part: query.part };
        const id = await changeMetadata(door.platform, machine, call, change);
        return { status: 200, body: await door.present(id, machine) };
      },
    }),
  ];
}
