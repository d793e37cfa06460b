import { z } from 'zod';
import type { Role } from '../access/caller.js';
import { viewOf } from '../access/policy.js';
import { isExtension } from './numbers.js';
import type { RecordingRow, VersionRow } from './recording.js';

/**
 * A recording as the API shows it. What each role sees of the people in it is decided here, on the server: officers see
 * all, trainers and agents the last three digits and no names, administrators neither.
 */

const party = z.object({ number: z.string().nullable(), name: z.string().nullable() });

export const recordingSchema = z
  .object({
    id: z.uuid(),
    source: z.string().meta({ description: 'Name of the PBX it came from' }),
    sourceId: z.uuid(),
    callId: z.string(),
    part: z.string(),
    version: z.int(),
    state: z.enum(['received', 'ready', 'failed']),
    direction: z.enum(['inbound', 'outbound', 'internal']),
    caller: party,
    callee: party,
    agent: z.string().nullable(),
    queue: z.string().nullable(),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
    durationMs: z.int().meta({ description: 'Measured from the audio' }),
    channels: z.int(),
    channelMap: z.array(z.enum(['caller', 'agent'])).meta({ description: 'Who is heard on each channel, left first' }),
    codec: z.string(),
    bytes: z.int(),
    sha256: z.string(),
    truncated: z.boolean(),
    receivedAt: z.iso.datetime(),
    retainUntil: z.iso.datetime(),
    held: z.boolean(),
    restricted: z.boolean(),
    tickets: z.array(z.object({ id: z.uuid(), number: z.string(), subject: z.string().nullable() })),
    agreements: z.array(z.object({ id: z.uuid(), startMs: z.int(), endMs: z.int(), summary: z.string().nullable() })),
  })
  .meta({ id: 'Recording' });

export type PresentedRecording = z.input<typeof recordingSchema>;

/** What is shown beside the rows themselves. */
export interface RecordingContext {
  sourceName: string;
  held: boolean;
  restricted: boolean;
  tickets: PresentedRecording['tickets'];
  agreements: PresentedRecording['agreements'];
}

/** A number as `role` may see it: own numbers and extensions point at no outsider and stay whole. */
export function maskNumber(number: string | null, role: Role, ownNumbers: readonly string[]): string | null {
  const view = viewOf(role);
  if (number === null || view.number === 'hidden') return null;
  if (view.number === 'full' || isExtension(number) || ownNumbers.includes(number)) return number;
  return `•••${number.slice(-3)}`;
}

const maskName = (name: string | null, role: Role) => (viewOf(role).names ? name : null);

/** The rows of a recording as `role` may see them. */
export function presentRecording(
  recording: RecordingRow,
  version: Pick<
    VersionRow,
    'state' | 'duration_ms' | 'channels' | 'codec' | 'bytes' | 'sha256' | 'truncated' | 'received_at'
  >,
  context: RecordingContext,
  role: Role,
  ownNumbers: readonly string[],
): PresentedRecording {
  return {
    id: recording.id,
    source: context.sourceName,
    sourceId: recording.source_id,
    callId: recording.call_id,
    part: recording.part,
    version: recording.version,
    state: version.state === 'receiving' ? 'received' : version.state,
    direction: recording.direction,
    caller: {
      number: maskNumber(recording.caller_number, role, ownNumbers),
      name: maskName(recording.caller_name, role),
    },
    callee: {
      number: maskNumber(recording.callee_number, role, ownNumbers),
      name: maskName(recording.callee_name, role),
    },
    agent: recording.agent,
    queue: recording.queue,
    startedAt: recording.started_at.toISOString(),
    endedAt: recording.ended_at?.toISOString() ?? null,
    durationMs: version.duration_ms,
    channels: version.channels,
    channelMap: [...recording.channel_map],
    codec: version.codec,
    bytes: version.bytes,
    sha256: version.sha256,
    truncated: version.truncated,
    receivedAt: version.received_at.toISOString(),
    retainUntil: recording.retain_until.toISOString(),
    held: context.held,
    restricted: context.restricted,
    tickets: context.tickets,
    agreements: context.agreements,
  };
}
