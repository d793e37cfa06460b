import { z } from 'zod';
import { parse } from '../platform/http.js';
import { Problem, type FieldFault } from '../platform/problem.js';
import type { ChannelMap } from '../access/caller.js';
import { isExtension, isWithheld, normaliseNumber } from './numbers.js';
import { readAfter } from './call-times.js';
import { readInstant } from './times.js';
import type { Direction, Interval } from './recording.js';

/** What a PBX tells of a call, whichever way it tells it: as multipart fields, query parameters or JSON. */

const line = (max: number) => z.string().trim().max(max);
const json = <Schema extends z.ZodType>(schema: Schema) =>
  z.union([
    schema,
    z.string().transform((value, context) => {
      try {
        return JSON.parse(value) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    }).pipe(schema),
  ]);

const interval = z
  .object({ startMs: z.number().int().min(0).max(86_400_000), endMs: z.number().int().min(1).max(86_400_000) })
  .refine(({ startMs, endMs }) => endMs > startMs, 'ends before it starts');

export const channelsSchema = z.array(z.enum(['caller', 'agent'])).min(1).max(2);

/** The fields of a push that may also be told later (`PATCH`). */
const tellable = {
  linkedId: line(200).optional(),
  direction: z.enum(['inbound', 'outbound', 'internal']).optional(),
  caller: line(200).optional(),
  callerName: line(200).optional(),
  callee: line(200).optional(),
  agent: line(80).optional(),
  queue: line(80).optional(),
  endedAt: line(40).optional(),
  channels: json(channelsSchema).optional(),
  holds: json(z.array(interval).max(500)).optional(),
  ticket: line(80).optional(),
};

const callId = line(200).min(1, 'is required');
const part = line(80).min(1).default('0');

/** What a push may say, as `POST /recordings` takes it. */
export const pushSchema = z.object({
  callId,
  part,
  startedAt: line(40).min(1, 'is required'),
  sha256: z.string().trim().toLowerCase().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits').optional(),
  format: z.enum(['ulaw', 'alaw', 'sln', 'sln16', 'gsm', 'g722', 'raw2']).optional(),
  leg: z
    .enum(['caller', 'agent'])
    .optional()
    .meta({ description: 'Whose side this is, of a call recorded in one file a side; the sides are played together' }),
  ...tellable,
});

/** What `PATCH /recordings/by-call/{callId}` takes. */
export const laterSchema = z.object({ startedAt: line(40).optional(), ...tellable });

type Told = Partial<Omit<z.output<typeof pushSchema>, 'callId' | 'part'>>;

/** Metadata with numbers normalised and instants read. Fields that were not told are absent. */
export interface Metadata {
  callId: string;
  part: string;
  startedAt: Date;
  endedAt: Date | null;
  linkedId: string | null;
  direction: Direction;
  callerNumber: string | null;
  callerName: string | null;
  /** The PBX said that the caller withheld their number: no later report may fill it in. */
  callerWithheld: boolean;
  calleeNumber: string | null;
  calleeName: string | null;
  agent: string | null;
  queue: string | null;
  channelMap: ChannelMap;
  holds: Interval[];
  ticketNumber: string | null;
  sha256: string | null;
  format: string | undefined;
  leg: 'caller' | 'agent' | null;
}

/** What metadata is read against: the source's settings, the organisation's numbers and the time of receipt. */
export interface ReadingContext {
  timeZone: string;
  country: string;
  channelMap: ChannelMap;
  ownNumbers: readonly string[];
  now: Date;
}

const dayMs = 86_400_000;

function instant(told: string | undefined, path: string, context: ReadingContext, faults: FieldFault[]): Date | null {
  if (told === undefined || told === '') return null;
  const read = readInstant(told, context.timeZone);
  if (read === undefined) faults.push({ path, message: 'is not an instant such as 2026-03-01T09:15:00+01:00' });
  else if (read.getTime() > context.now.getTime() + dayMs) faults.push({ path, message: 'lies more than a day ahead' });
  else return read;
  return null;
}

/** An end that is read in an hour that occurs twice is in the hour that follows the start. */
function endAfter(start: Date | null, end: Date | null, told: string | undefined, context: ReadingContext, faults: FieldFault[]): Date | null {
  if (start === null || end === null || end >= start) return end;
  const later = readAfter(told ?? '', context.timeZone, start);
  if (later !== undefined && later >= start) return later;
  faults.push({ path: 'endedAt', message: 'lies before the start' });
  return null;
}

const orNull = (told: string | undefined) => (told === undefined || told === '' ? null : told);

/** Inbound unless the numbers say otherwise: the caller is one of ours. */
function directionOf(told: Told, callerNumber: string | null, calleeNumber: string | null, own: readonly string[]): Direction {
  if (told.direction !== undefined) return told.direction;
  const ours = (number: string | null) => number !== null && (own.includes(number) || isExtension(number));
  if (!ours(callerNumber)) return 'inbound';
  return ours(calleeNumber) ? 'internal' : 'outbound';
}

/**
 * Reads the metadata of a push.
 * @throws Problem `invalid-input` with every fault at once.
 */
export function readMetadata(input: unknown, context: ReadingContext): Metadata {
  const told = parse(pushSchema, input);
  const faults: FieldFault[] = [];
  const startedAt = instant(told.startedAt, 'startedAt', context, faults);
  const endedAt = endAfter(startedAt, instant(told.endedAt, 'endedAt', context, faults), told.endedAt, context, faults);
  if (startedAt === null || faults.length > 0) throw new Problem('invalid-input', { errors: faults });
  const callerNumber = normaliseNumber(told.caller, context.country);
  const calleeNumber = normaliseNumber(told.callee, context.country);
  return {
    callId: told.callId,
    part: told.part,
    startedAt,
    endedAt,
    linkedId: orNull(told.linkedId),
    direction: directionOf(told, callerNumber, calleeNumber, context.ownNumbers),
    callerNumber,
    callerName: orNull(told.callerName),
    callerWithheld: isWithheld(told.caller),
    calleeNumber,
    calleeName: null,
    agent: orNull(told.agent),
    queue: orNull(told.queue),
    channelMap: told.channels ?? context.channelMap,
    holds: told.holds ?? [],
    ticketNumber: orNull(told.ticket),
    sha256: told.sha256 ?? null,
    format: told.format,
    leg: told.leg ?? null,
  };
}

/** Columns to change, by name, with their new values. */
export type MetadataChange = Partial<{
  linked_id: string | null;
  direction: Direction;
  caller_number: string | null;
  caller_name: string | null;
  caller_withheld: true;
  callee_number: string | null;
  agent: string | null;
  queue: string | null;
  started_at: Date;
  ended_at: Date | null;
  channel_map: ChannelMap;
  holds: Interval[];
  ticket_number: string | null;
}>;

/**
 * Reads metadata told later: only what was told changes.
 * @throws Problem `invalid-input` with every fault at once.
 */
export function readLaterMetadata(told: z.output<typeof laterSchema>, context: ReadingContext): MetadataChange {
  const faults: FieldFault[] = [];
  const change: MetadataChange = {};
  if (told.linkedId !== undefined) change.linked_id = orNull(told.linkedId);
  if (told.direction !== undefined) change.direction = told.direction;
  if (told.caller !== undefined) change.caller_number = normaliseNumber(told.caller, context.country);
  if (told.callerName !== undefined) change.caller_name = orNull(told.callerName);
  if (isWithheld(told.caller)) Object.assign(change, { caller_number: null, caller_name: null, caller_withheld: true });
  if (told.callee !== undefined) change.callee_number = normaliseNumber(told.callee, context.country);
  if (told.agent !== undefined) change.agent = orNull(told.agent);
  if (told.queue !== undefined) change.queue = orNull(told.queue);
  const startedAt = instant(told.startedAt, 'startedAt', context, faults);
  if (startedAt !== null) change.started_at = startedAt;
  const endedAt = endAfter(startedAt, instant(told.endedAt, 'endedAt', context, faults), told.endedAt, context, faults);
  if (endedAt !== null) change.ended_at = endedAt;
  if (told.channels !== undefined) change.channel_map = told.channels;
  if (told.holds !== undefined) change.holds = told.holds;
  if (told.ticket !== undefined) change.ticket_number = orNull(told.ticket);
  if (faults.length > 0) throw new Problem('invalid-input', { errors: faults });
  return change;
}
