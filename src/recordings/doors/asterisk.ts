import { createHash } from 'node:crypto';
import { readAfter, readStart, writtenInUtc } from '../call-times.js';
import type { CallRecord } from '../call-record.js';
import type { CsvRow } from '../csv.js';
import { isWithheld, isWithheldName, normaliseNumber } from '../numbers.js';
import type { Disposition } from '../recording.js';

/**
 * Asterisk's call data records as `cdr_csv` writes them (`cdr/cdr_csv.c`), without a header; and FreePBX's and others'
 * with one. Which columns there are depends on `loguniqueid`, `loguserfield` and `newcdrcolumns`, and is told by their
 * number.
 */

const base = [
  'accountcode', 'src', 'dst', 'dcontext', 'clid', 'channel', 'dstchannel', 'lastapp', 'lastdata', 'start', 'answer', 'end',
  'duration', 'billsec', 'disposition', 'amaflags',
];
const added = ['peeraccount', 'linkedid', 'sequence'];

const uniqueIdPattern = /^(?:.+-)?\d{9,10}\.\d+$/;

/** The columns of a row without a header; undefined for a number of fields that Asterisk does not write. */
function columnsOf(fields: readonly string[]): string[] | undefined {
  switch (fields.length) {
    case 16: return base;
    case 17:
    case 20: {
      const column = uniqueIdPattern.test(fields[16] ?? '') ? 'uniqueid' : 'userfield';
      return [...base, column, ...(fields.length === 20 ? added : [])];
    }
    case 18: return [...base, 'uniqueid', 'userfield'];
    case 19: return [...base, ...added];
    case 21: return [...base, 'uniqueid', 'userfield', ...added];
    default: return undefined;
  }
}

/** A row by column, its texts made fit to keep: control characters go, and nothing is longer than 300 characters. */
type Named = Record<string, string>;

function named(columns: readonly string[], fields: readonly string[]): Named {
  // eslint-disable-next-line no-control-regex -- they are what is taken out
  const text = (field: string) => field.replace(/[\u0000-\u001f\u007f]/g, '').trim().slice(0, 300);
  const row: Named = {};
  columns.forEach((column, index) => { row[column] = text(fields[index] ?? ''); });
  return row;
}

/** A header, as FreePBX's export and `cdr_custom` have one: it names the columns. */
export function isHeader(fields: readonly string[]): boolean {
  const names = fields.map((field) => field.trim().toLowerCase());
  return names.includes('uniqueid') && (names.includes('calldate') || names.includes('start'));
}

const dispositionNames: Record<string, Disposition> = {
  ANSWERED: 'answered', 'NO ANSWER': 'no_answer', NOANSWER: 'no_answer', CANCEL: 'no_answer', BUSY: 'busy', FAILED: 'failed',
  CONGESTION: 'congestion',
};

/**
 * The name in `"Name" <number>`. Asterisk escapes quotes and backslashes in it, and what PJSIP hands on still has the
 * escapes of the SIP header (RFC 3261 §25.1 quoted-string): twice, then.
 */
export function nameOfClid(clid: string): string | null {
  const quoted = /^\s*"((?:\\.|[^\\])*)"\s*(?:<[^<>]*>)?\s*$/.exec(clid)?.[1];
  const once = quoted?.replace(/\\(.)/g, '$1').replace(/\\(["\\])/g, '$1');
  const name = (once ?? /^([^<"]*)<[^<>]*>\s*$/.exec(clid)?.[1] ?? '').trim();
  return name === '' || isWithheld(name) || /^\+?[\d\s()-]+$/.test(name) ? null : name.slice(0, 200);
}

/** Whether the caller withheld their number: the one place that says so goes before another that still has it. */
const withheld = (row: Named) =>
  [row['src'], row['cnum'], row['clid']].some((told) => isWithheld(told)) ||
  isWithheldName(/^\s*"?([^"<]*)"?\s*(?:<|$)/.exec(row['clid'] ?? '')?.[1]);

/** Which queue a record is about: what the application Queue was given first. */
const queueOf = (row: Named) => (row['lastapp'] === 'Queue' ? (row['lastdata'] ?? '').split(',')[0]?.trim() || null : null);

/** Without a sequence, records of one channel are told apart by what they say. */
const sequenceOf = (row: Named) =>
  row['sequence'] || createHash('sha256').update(JSON.stringify(row)).digest('hex').slice(0, 16);

export interface RowFault {
  line: number;
  message: string;
}

export interface ReadRows {
  records: CallRecord[];
  faults: RowFault[];
}

export interface RowContext {
  timeZone: string;
  country: string;
}

const wholeSeconds = (text: string | undefined) => (/^\d{1,7}$/.test(text ?? '') ? Number(text) * 1000 : undefined);

/** Reads rows, with or without a header. Rows that cannot be read are told by line; the others count. Never throws. */
export function readCallRows(rows: readonly CsvRow[], context: RowContext): ReadRows {
  const faults: RowFault[] = [];
  let header: string[] | undefined;
  const read: { line: number; row: Named }[] = [];
  for (const { line, fields } of rows) {
    if (isHeader(fields)) {
      header = fields.map((field) => field.trim().toLowerCase());
      continue;
    }
    const columns = header ?? columnsOf(fields);
    if (columns === undefined || fields.length !== columns.length)
      faults.push({ line, message: `has ${fields.length} columns` });
    else read.push({ line, row: named(columns, fields) });
  }
  const startOf = (row: Named) => row['start'] ?? row['calldate'] ?? '';
  const inUtc = writtenInUtc(
    read.map(({ row }) => ({ uniqueId: row['uniqueid'] ?? '', startedAt: startOf(row) })),
    context.timeZone,
  );
  const records: CallRecord[] = [];
  for (const { line, row } of read) {
    const uniqueId = row['uniqueid'] ?? '';
    const start = readStart(startOf(row), uniqueId, context.timeZone, inUtc);
    if (uniqueId === '') faults.push({ line, message: 'has no unique id (loguniqueid=yes in cdr.conf)' });
    else if (start === undefined) faults.push({ line, message: 'has no time of start' });
    else records.push(recordOf(row, uniqueId, start, context));
  }
  return { records, faults };
}

function recordOf(row: Named, uniqueId: string, start: { at: Date; timeZone: string }, context: RowContext): CallRecord {
  const billedMs = wholeSeconds(row['billsec']);
  const durationMs = wholeSeconds(row['duration']) ?? billedMs ?? 0;
  const endedAt = readAfter(row['end'] ?? '', start.timeZone, start.at) ?? new Date(start.at.getTime() + durationMs);
  const disposition = dispositionNames[(row['disposition'] ?? '').toUpperCase()] ?? 'unknown';
  const answered = readAfter(row['answer'] ?? '', start.timeZone, start.at);
  const computed = disposition === 'answered' && billedMs !== undefined ? new Date(endedAt.getTime() - billedMs) : null;
  const hides = withheld(row);
  return {
    uniqueId,
    sequence: sequenceOf(row),
    callKey: row['linkedid'] || uniqueId,
    startedAt: start.at,
    answeredAt: answered ?? computed,
    endedAt,
    billedMs: billedMs ?? null,
    disposition,
    callerNumber: hides ? null : normaliseNumber(row['cnum'] || row['src'], context.country),
    callerName: hides ? null : (nameOfClid(row['clid'] ?? '') ?? (row['cnam'] || null)),
    callerWithheld: hides,
    calleeNumber: normaliseNumber(row['did'] || row['dst'], context.country),
    channel: row['channel'] || null,
    peerChannel: row['dstchannel'] || null,
    application: row['lastapp'] || null,
    // The records of the whole call tell who was reached: a Local channel leads on to another.
    agent: null,
    queue: queueOf(row),
    recordingName: row['recordingfile'] || null,
    holds: [],
  };
}
