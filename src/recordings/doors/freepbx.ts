import { readStart } from '../call-times.js';
import { isExtension } from '../numbers.js';
import type { Direction, Leg } from '../recording.js';

/**
 * What FreePBX (and Issabel, and whoever names files as it does) puts into the name of a recording:
 * `${type}-${dest}-${from}-YYYYMMDD-HHMMSS-${UNIQUEID}.${format}`, below `YYYY/MM/DD/`. Read from the right: what stands
 * left may hold hyphens of its own.
 */
export interface RecordingName {
  /** The unique id of the channel. */
  callId: string;
  /** `in` or `out` for one side of the call, `0` for the mixed file. */
  part: string;
  leg: Leg | undefined;
  /** The wall time in the name: local time, or UTC where the unique id shows that. */
  startedAt: Date;
  direction: Direction | undefined;
  /** As the name has them: empty when withheld. */
  caller: string;
  callee: string;
  queue: string | undefined;
  agent: string | undefined;
}

/** ConfBridge appends the epoch; one file a side has its direction behind the unique id. A name may hold a line end (`s`). */
const pattern = /^(.*)-(\d{8})-(\d{6})-((?:[^/]+-)?\d{9,10}\.\d+?)(?:-(in|out)|-\d{9,10})?\.(\w{2,6})$/s;

const extensions = new Set([
  'wav', 'wav49', 'wav16', 'gsm', 'mp3', 'ulaw', 'ul', 'alaw', 'al', 'sln', 'sln16', 'g722', 'raw', 'opus', 'ogg', 'flac',
]);

/** Queues and ring groups are called from outside; `external` is a call from outside in newer versions. */
const directionOfType: Record<string, Direction> = { in: 'inbound', external: 'inbound', q: 'inbound', rg: 'inbound', out: 'outbound', internal: 'internal' };

/** Reads the name of a file; undefined when it is not named so. Any text is fine. */
export function readRecordingName(path: string, timeZone: string): RecordingName | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const match = pattern.exec(name);
  if (match === null || !extensions.has((match[6] ?? '').toLowerCase())) return undefined;
  const [, left = '', day = '', time = '', callId = '', side] = match;
  const wall = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)} ${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}`;
  const startedAt = readStart(wall, callId, timeZone, false)?.at;
  if (startedAt === undefined) return undefined;
  const [type = '', ...parties] = left.split('-');
  // The last is who called; a withheld number leaves it empty. A number holds no hyphen, a destination might.
  const caller = parties.length > 1 ? (parties.pop() ?? '') : '';
  const callee = parties.join('-');
  const isQueue = type === 'q' || type === 'rg';
  // `out-<dialled>-<extension>`: the caller is ours.
  const agent = type === 'out' ? caller : callee;
  return {
    callId,
    part: side ?? '0',
    leg: side === 'in' ? 'caller' : side === 'out' ? 'agent' : undefined,
    startedAt,
    direction: Object.hasOwn(directionOfType, type) ? directionOfType[type] : undefined,
    caller,
    callee,
    queue: isQueue ? callee : undefined,
    agent: !isQueue && isExtension(agent) ? agent : undefined,
  };
}

/** What the name of a file tells, in the fields of the plain door; none when it is not named so. */
export function fieldsOfName(path: string, timeZone: string): Record<string, unknown> {
  const name = readRecordingName(path, timeZone);
  if (name === undefined) return {};
  const { startedAt, ...fields } = name;
  return Object.fromEntries(
    Object.entries({ ...fields, startedAt: startedAt.toISOString() }).filter(([, value]) => value !== undefined && value !== ''),
  );
}
