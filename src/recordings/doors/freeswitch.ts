import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import type { Caller } from '../../access/caller.js';
import { operation, type Operation } from '../../platform/http.js';
import { Problem } from '../../platform/problem.js';
import type { CallRecord, Hold } from '../call-record.js';
import { isExtension, isWithheld, isWithheldName, normaliseNumber } from '../numbers.js';
import type { Disposition } from '../recording.js';
import { storeCallRecords } from '../store-call-records.js';
import { receiveText } from '../upload.js';
import { storedSchema } from './cdr.js';
import { machineOf, type Door } from './door.js';

/**
 * Call data of FreeSWITCH: `mod_xml_cdr` and `mod_json_cdr`. The body is `cdr=…` (percent-encoded or base64) or the bare
 * document, and its Content-Type is not to be believed (`disable-100-continue` makes every body a form). Values are
 * percent-encoded once more by default.
 */

const maxBytes = 4 * 1024 * 1024;

/** A percent-encoded text; a text that is none stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The document in a body: XML or JSON, however it is wrapped; undefined when there is none. */
export function documentOf(body: string): string | undefined {
  const text = body.trim();
  const value = /^(?:[^=<{]*&)?cdr=([^&]*(?:&(?!\w+=)[^&]*)*)/s.exec(text)?.[1] ?? text;
  const isDocument = (candidate: string) => /^\s*[<{]/.test(candidate);
  if (isDocument(value)) return value.trim();
  const unescaped = decoded(value.replace(/\+/g, '%20'));
  if (isDocument(unescaped)) return unescaped.trim();
  const base64 = decoded(value).replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/_-]+=*$/.test(base64)) return undefined;
  const fromBase64 = Buffer.from(base64, 'base64').toString('utf8');
  return isDocument(fromBase64) ? fromBase64.trim() : undefined;
}

/** What both modules tell: channel variables, and the times of hold. */
interface Told {
  variables: Record<string, string>;
  holds: Hold[];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : isRecord(value) ? textOf(value['#text']) : '';

/** Epoch seconds, milliseconds or microseconds, as FreeSWITCH mixes them; undefined for 0: it did not happen. */
function instantOf(text: string | undefined): Date | undefined {
  if (text === undefined || !/^\d{9,17}$/.test(text)) return undefined;
  const ms = Number(text) / (text.length >= 15 ? 1000 : text.length >= 12 ? 1 : 0.001);
  return ms > 0 && ms < 8.64e15 ? new Date(Math.floor(ms)) : undefined;
}

function holdBetween(on: string, off: string): Hold[] {
  const from = instantOf(on);
  const to = instantOf(off);
  return from === undefined || to === undefined || to <= from ? [] : [{ from: from.toISOString(), to: to.toISOString() }];
}

/** `hold_events` as `{{on,off},{on,off}}`. */
function holdEvents(text: string | undefined): Hold[] {
  return [...(text ?? '').matchAll(/\{\s*(\d+)\s*,\s*(\d+)\s*\}/g)].flatMap((match) => holdBetween(match[1] ?? '', match[2] ?? ''));
}

function variablesOf(value: unknown): Record<string, string> {
  // eslint-disable-next-line no-control-regex -- they are what is taken out
  const fit = (text: string) => decoded(text).toWellFormed().replace(/[\u0000-\u001f\u007f]/g, '').trim().slice(0, 2000);
  return isRecord(value)
    ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, fit(textOf(listOf(each)[0]))]))
    : {};
}

const xml = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: true,
});

function readXml(document: string): Told | undefined {
  // No record has a document type; one that has wants entities expanded.
  if (/<!(?:DOCTYPE|ENTITY)/i.test(document)) return undefined;
  const parsed: unknown = xml.parse(document);
  const cdr = isRecord(parsed) ? parsed['cdr'] : undefined;
  if (!isRecord(cdr)) return undefined;
  const holdRecords = listOf(cdr['hold-record']).flatMap((each) => (isRecord(each) ? listOf(each['hold']) : []));
  const holds = holdRecords.flatMap((hold) => (isRecord(hold) ? holdBetween(textOf(hold['@on']), textOf(hold['@off'])) : []));
  return { variables: variablesOf(cdr['variables']), holds };
}

function readJson(document: string): Told | undefined {
  const cdr: unknown = JSON.parse(document);
  if (!isRecord(cdr)) return undefined;
  const holdRecords = listOf(cdr['hold_record'] ?? cdr['hold-record']);
  const holds = holdRecords.flatMap((hold) => (isRecord(hold) ? holdBetween(textOf(hold['on']), textOf(hold['off'])) : []));
  return { variables: variablesOf(cdr['variables']), holds };
}

/** What a body tells; undefined when it is no call data record. Never throws. */
export function readTold(body: string): Told | undefined {
  const document = documentOf(body);
  if (document === undefined) return undefined;
  try {
    const told = document.startsWith('<') ? readXml(document) : readJson(document);
    if (told === undefined) return undefined;
    return told.holds.length > 0 ? told : { ...told, holds: holdEvents(told.variables['hold_events']) };
  } catch {
    return undefined;
  }
}

/** Q.850 causes by name (`switch_types.h`). */
function dispositionOf(cause: string, isAnswered: boolean): Disposition {
  if (isAnswered) return 'answered';
  if (cause === 'USER_BUSY') return 'busy';
  if (/CONGESTION|NORMAL_CIRCUIT/.test(cause)) return 'congestion';
  if (/^(NO_ANSWER|NO_USER_RESPONSE|ORIGINATOR_CANCEL|ALLOTTED_TIMEOUT|NORMAL_CLEARING|CALL_REJECTED|LOSE_RACE|PICKED_OFF)$/.test(cause)) return 'no_answer';
  return cause === '' ? 'unknown' : 'failed';
}

/**
 * The record of a leg; undefined without a uuid or a start. A number that the caller withheld stays unknown, whatever the
 * variables that hold the network's own headers say: those are not looked at.
 */
export function recordOf({ variables, holds }: Told, country: string): CallRecord | undefined {
  const uniqueId = (variables['uuid'] ?? '').slice(0, 200);
  const startedAt = instantOf(variables['start_uepoch']) ?? instantOf(variables['start_epoch']);
  if (uniqueId === '' || startedAt === undefined) return undefined;
  const answeredAt = instantOf(variables['answer_uepoch']) ?? instantOf(variables['answer_epoch']) ?? null;
  const billedMs = /^\d{1,10}$/.test(variables['billmsec'] ?? '') ? Number(variables['billmsec']) : null;
  const endedAt = instantOf(variables['end_uepoch']) ?? instantOf(variables['end_epoch']) ?? answeredAt ?? startedAt;
  const number = variables['caller_id_number'] ?? variables['effective_caller_id_number'] ?? variables['sip_from_user'];
  const hides =
    isWithheld(number) || isWithheldName(variables['caller_id_name']) || isWithheld(variables['sip_from_user']) ||
    /\b(?:full|number|id|user|yes|hide_number)\b/.test(`${variables['privacy'] ?? ''} ${variables['sip_from_privacy'] ?? ''} ${variables['sip_h_Privacy'] ?? ''}`) ||
    variables['privacy_hide_number'] === 'true';
  const agent = normaliseNumber(variables['cc_agent'] ?? variables['dialed_user'] ?? variables['last_sent_callee_id_number'], country);
  const text = (value: string | undefined, max = 200) => (value === undefined || value === '' ? null : value.slice(0, max));
  return {
    uniqueId,
    sequence: '',
    callKey: (variables['originating_leg_uuid'] || variables['originator'] || uniqueId).slice(0, 200),
    startedAt,
    answeredAt,
    endedAt: endedAt < startedAt ? startedAt : endedAt,
    billedMs,
    disposition: dispositionOf(variables['hangup_cause'] ?? '', answeredAt !== null),
    callerNumber: hides ? null : normaliseNumber(number, country),
    callerName: hides ? null : text(variables['caller_id_name']),
    callerWithheld: hides,
    calleeNumber: normaliseNumber(variables['destination_number'] ?? variables['sip_to_user'] ?? variables['sip_req_user'], country),
    channel: text(variables['channel_name']),
    peerChannel: text(variables['bridge_channel']),
    application: text(variables['last_app'], 80),
    agent: isExtension(agent) ? agent : null,
    queue: text(variables['cc_queue']?.split('@')[0], 80),
    recordingName: null,
    holds,
  };
}

/** `POST /push/{key}/cdr/freeswitch`. */
export function freeswitchDoor(door: Door): Operation<Caller>[] {
  return [
    operation({
      method: 'post',
      path: '/push/{key}/cdr/freeswitch',
      id: 'pushCallDataFromFreeswitch',
      tag: 'recordings',
      summary: 'A call data record of mod_xml_cdr or mod_json_cdr',
      description: 'Taken as it comes: XML or JSON, bare or as `cdr=…`, percent-encoded or base64, under any Content-Type. Intervals of hold are cut from the playback copy.',
      action: 'cdr.push',
      params: z.object({ key: z.string() }),
      query: z.object({ uuid: z.string().max(200).optional() }),
      upload: { 'text/xml': { schema: z.string() }, 'application/json': { schema: z.string() } },
      replies: { 200: { description: 'What became of it', schema: storedSchema } },
      problems: ['invalid-input', 'too-large'],
      async handle({ caller, request }) {
        const machine = machineOf(caller);
        const context = door.readingContext(machine);
        const told = readTold(await receiveText(request, maxBytes));
        const record = told === undefined ? undefined : recordOf(told, context.country);
        if (record === undefined) {
          const faults = [{ path: 'cdr', message: 'is not a call data record of FreeSWITCH' }];
          door.arrivals.note(machine.sourceId, { kind: 'call_data', outcome: 'invalid-input', faults });
          throw new Problem('invalid-input', { errors: faults });
        }
        const outcome = await storeCallRecords(door.platform, machine, [record]);
        door.arrivals.note(machine.sourceId, { kind: 'call_data', outcome: 'received', stored: outcome.stored });
        return { status: 200, body: { ...outcome, faults: [] } };
      },
    }),
  ];
}
