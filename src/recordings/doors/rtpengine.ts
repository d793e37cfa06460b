import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { Caller } from '../../access/caller.js';
import { operation, type Operation } from '../../platform/http.js';
import { Problem, type ProblemCode } from '../../platform/problem.js';
import type { Leg } from '../recording.js';
import { discardUpload, receiveMultipart } from '../upload.js';
import { machineOf, type Door } from './door.js';
import { counted, pushProblems, pushReplies, takeUpload } from './take.js';

/**
 * rtpengine's recording daemon (`recording-daemon/notify.c`, from mr11.3): a POST with the file in the part `ngfile`,
 * which since mr13.5.1 has neither file name nor type, and everything else in headers. It repeats on every answer but 2xx,
 * so what can never be kept is answered 200 with the reason in `code`.
 */

/** Told once and for ever: repeating the same file would not help. */
const neverKept: ReadonlySet<ProblemCode> = new Set([
  'not-audio', 'empty-recording', 'retention-over', 'direction-not-covered', 'number-excluded', 'too-large',
]);

/** Node reads headers as Latin-1; rtpengine writes UTF-8. */
function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[`x-recording-${name}`];
  const text = Array.isArray(value) ? value[0] : value;
  if (text === undefined) return undefined;
  // eslint-disable-next-line no-control-regex -- a header cannot hold them; a proxy's folding might
  return Buffer.from(text, 'latin1').toString('utf8').replace(/[\u0000-\u001f]/g, ' ').trim() || undefined;
}

/** `k:v|k:v`; a value may hold colons. The first of equal keys counts. */
export function readMetadataHeader(text: string | undefined): Map<string, string> {
  const told = new Map<string, string>();
  for (const pair of (text ?? '').split('|')) {
    const colon = pair.indexOf(':');
    const key = pair.slice(0, colon).trim().toLowerCase();
    if (colon > 0 && !told.has(key)) told.set(key, pair.slice(colon + 1).trim());
  }
  return told;
}

/** Epoch seconds with a fraction, as an ISO instant. */
function instantOf(epoch: string | undefined): string | undefined {
  if (epoch === undefined || !/^\d{1,11}(\.\d{1,9})?$/.test(epoch)) return undefined;
  return new Date(Math.floor(Number(epoch) * 1000)).toISOString();
}

const sides: Record<string, Leg> = { caller: 'caller', callee: 'agent', agent: 'agent', a: 'caller', b: 'agent' };

/** Which side a single is: by its label, never by its order. */
function legOf(label: string | undefined, tagMetadata: ReadonlyMap<string, string>): Leg | undefined {
  const said = (label ?? tagMetadata.get('label') ?? tagMetadata.get('leg') ?? '').toLowerCase();
  return Object.hasOwn(sides, said) ? sides[said] : undefined;
}

/** What the headers tell, in the fields of the plain door. */
export function fieldsOfHeaders(headers: IncomingHttpHeaders): Record<string, unknown> {
  const metadata = readMetadataHeader(header(headers, 'call-metadata') ?? header(headers, 'db-metadata'));
  const label = header(headers, 'label');
  const fileName = header(headers, 'file-name') ?? '';
  const isSingle = header(headers, 'kind') === 'single';
  const stream = header(headers, 'tag') ?? /-([0-9a-f]{8})(?:\.\w+)?$/.exec(fileName)?.[1];
  const leg = isSingle ? legOf(label, readMetadataHeader(header(headers, 'tag-metadata'))) : undefined;
  const first = (...keys: string[]) => keys.map((key) => metadata.get(key)).find((value) => value !== undefined && value !== '');
  const told = {
    callId: header(headers, 'call-id'),
    part: isSingle ? (label ?? leg ?? stream ?? 'single') : '0',
    leg,
    linkedId: first('linkedid', 'linked_id'),
    startedAt: instantOf(header(headers, 'stream-start-time')) ?? instantOf(header(headers, 'call-start-time')),
    direction: first('direction'),
    caller: first('caller', 'from', 'src'),
    callerName: first('name', 'caller_name', 'callername'),
    callee: first('callee', 'to', 'dst'),
    agent: first('agent', 'extension'),
    queue: first('queue'),
    ticket: first('ticket'),
  };
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
}

/** `POST /push/{key}/rtpengine`. */
export function rtpengineDoor(door: Door): Operation<Caller>[] {
  return [
    operation({
      method: 'post',
      path: '/push/{key}/rtpengine',
      id: 'pushFromRtpengine',
      tag: 'recordings',
      summary: "The notification of rtpengine's recording daemon",
      description:
        'The file is the part `ngfile`; what is known of the call stands in `X-Recording-` headers. Answered 2xx when the file is kept, there already, or can never be kept (then with the reason in `code`).',
      action: 'recording.push',
      params: z.object({ key: z.string() }),
      upload: { 'multipart/form-data': { schema: z.object({ ngfile: z.string().meta({ format: 'binary' }) }) } },
      replies: {
        200: {
          description: 'There already, or never to be kept',
          schema: z.union([pushReplies[200].schema, z.object({ code: z.string(), title: z.string() })]),
        },
        201: pushReplies[201],
      },
      problems: pushProblems,
      async handle({ caller, request }) {
        const machine = machineOf(caller);
        try {
          return await counted(door, machine, async () => {
            const { file } = await receiveMultipart(request, { ...door.limits, fileParts: ['ngfile'] });
            try {
              return await takeUpload(door, machine, file, fieldsOfHeaders(request.headers));
            } finally {
              await discardUpload(file);
            }
          });
        } catch (error) {
          if (error instanceof Problem && neverKept.has(error.code))
            return { status: 200, body: { code: error.code, title: error.title } };
          throw error;
        }
      },
    }),
  ];
}
