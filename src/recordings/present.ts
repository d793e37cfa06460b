import { z } from 'zod';
import type { Role } from '../access/caller.js';
import { viewOf } from '../access/policy.js';
import { isExtension } from './numbers.js';
import { dispositions, type RecordingRow, type VersionRow } from './recording.js';

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
    agentName: z.string().nullable().meta({ description: 'Of the account that has the agent’s extension' }),
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
    disposition: z.enum(dispositions).nullable().meta({ description: 'How the call ended, once its call data came' }),
    answeredAt: z.iso.datetime().nullable(),
    billedMs: z.int().nullable().meta({ description: 'As the PBX counted it; never the length of the audio' }),
    transfers: z.array(z.object({ at: z.iso.datetime(), to: z.string().nullable() })),
    linkedId: z.string().nullable(),
    leg: z.enum(['caller', 'agent']).nullable().meta({ description: 'Whose side this is, of a call in one file a side' }),
    legOf: z.uuid().nullable().meta({ description: 'The recording that plays both sides' }),
    receivedAt: z.iso.datetime(),
    retainUntil: z.iso.datetime(),
    held: z.boolean(),
    restricted: z.boolean(),
    tickets: z.array(
      z.object({
        id: z.uuid(),
        number: z.string(),
        subject: z.string().nullable(),
        basis: z.array(z.string()).meta({ description: 'What the link rests on' }),
        retainUntil: z.iso.datetime().meta({ description: 'The ticket has a clock of its own' }),
      }),
    ),
    agreements: z.array(z.object({ id: z.uuid(), startMs: z.int(), endMs: z.int(), summary: z.string().nullable() })),
  })
  .meta({ id: 'Recording' });

export type PresentedRecording = z.input<typeof recordingSchema>;

/** What is shown beside the rows themselves. */
export interface RecordingContext {
  sourceName: string;
  /** Who answers on the agent's extension, where an account says so. */
  agentName?: string | null;
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

/** Whom a call went on to is an extension or a device; a number that was dialled is masked as any other, wherever it stands. */
function maskParty(party: string, role: Role, ownNumbers: readonly string[]): string | null {
  if (/^\+?\d+$/.test(party)) return maskNumber(party, role, ownNumbers);
  return party.replace(/\+?\d{7,}/g, (number) => maskNumber(number, role, ownNumbers) ?? '•••');
}

const maskName = (name: string | null, role: Role) => (viewOf(role).names ? name : null);

/** What is shown of the newest version. */
export type PresentedVersion = Pick<
  VersionRow,
  'state' | 'duration_ms' | 'channels' | 'codec' | 'bytes' | 'sha256' | 'truncated' | 'received_at'
>;

/** The rows of a recording as `role` may see them. */
export function presentRecording(
  recording: RecordingRow,
  version: PresentedVersion,
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
    agentName: context.agentName ?? null,
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
    disposition: recording.disposition,
    answeredAt: recording.answered_at?.toISOString() ?? null,
    billedMs: recording.billed_ms,
    transfers: recording.transfers.map(({ at, to }) => ({ at, to: maskParty(to, role, ownNumbers) })),
    linkedId: recording.linked_id,
    leg: recording.leg,
    legOf: recording.leg_of,
    receivedAt: version.received_at.toISOString(),
    retainUntil: recording.retain_until.toISOString(),
    held: context.held,
    restricted: context.restricted,
    tickets: context.tickets,
    agreements: context.agreements,
  };
}
