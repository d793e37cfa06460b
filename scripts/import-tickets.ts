import { createReadStream } from 'node:fs';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse';

/**
 * Takes an existing export of a helpdesk in, through the API like any helpdesk does:
 *
 *   tsx scripts/import-tickets.ts --url https://opname.example.nl --key-file key.txt export.jsonl
 *
 * JSON lines: a ticket a line in the form of `PUT /tickets/by-external/{externalId}`, with its `externalId`. CSV: a message
 * a line with a header; the columns stand in docs/helpdesk/api.md. How far it came is kept beside the file
 * (`export.jsonl.progress`): started again it goes on there. Every step may be repeated without harm.
 */

const usage = `usage: import-tickets --url <address> (--key-file <file> | key in OPNAME_KEY) [--format jsonl|csv] [--at-once N] <file>`;

interface Ticket {
  externalId: string;
  [field: string]: unknown;
}

/** A ticket with the number of the line it ends at. */
interface Read {
  line: number;
  ticket: Ticket | undefined;
  fault?: string;
}

async function* readJsonLines(file: string): AsyncGenerator<Read> {
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    line += 1;
    if (text.trim() === '') continue;
    try {
      const ticket = JSON.parse(text.replace(/^\uFEFF/, '')) as Ticket;
      if (typeof ticket?.externalId !== 'string' && typeof ticket?.externalId !== 'number') yield { line, ticket: undefined, fault: 'has no externalId' };
      else yield { line, ticket: { ...ticket, externalId: String(ticket.externalId) } };
    } catch {
      yield { line, ticket: undefined, fault: 'is not JSON' };
    }
  }
}

type Row = Record<string, string>;

const given = (row: Row, names: readonly string[]) =>
  Object.fromEntries(names.filter((name) => (row[name] ?? '') !== '').map((name) => [name, row[name]]));

/** The ticket that a line of CSV tells of, without its message. */
function ticketOf(row: Row): Ticket {
  const requester = { name: row['requesterName'], email: row['requesterEmail'], phone: row['requesterPhone'], organisation: row['organisation'] };
  const told = Object.fromEntries(Object.entries(requester).filter(([, value]) => (value ?? '') !== ''));
  return {
    externalId: row['externalId'] ?? '',
    ...given(row, ['number', 'subject', 'category', 'status', 'agent', 'createdAt', 'closedAt', 'updatedAt']),
    ...(Object.keys(told).length === 0 ? {} : { requester: told }),
    messages: [],
  };
}

const messageOf = (row: Row) => ({
  externalId: row['messageId'],
  at: row['messageAt'],
  from: row['messageFrom'] === 'agent' ? 'agent' : 'customer',
  internal: /^(1|true|yes|ja)$/i.test(row['messageInternal'] ?? ''),
  body: row['messageBody'] ?? '',
  contentType: (row['messageContentType'] ?? '') === '' ? 'text/plain' : row['messageContentType'],
});

/** Lines of one ticket that follow each other become one delivery. */
async function* readCsv(file: string): AsyncGenerator<Read> {
  const rows = createReadStream(file).pipe(parse({ columns: true, bom: true, skip_empty_lines: true, info: true, relax_column_count: true }));
  let ticket: Ticket | undefined;
  let line = 0;
  for await (const { record, info } of rows as AsyncIterable<{ record: Row; info: { lines: number } }>) {
    if ((record['externalId'] ?? '') === '') {
      yield { line: info.lines, ticket: undefined, fault: 'has no externalId' };
      continue;
    }
    if (ticket !== undefined && ticket.externalId !== record['externalId']) {
      yield { line, ticket };
      ticket = undefined;
    }
    ticket ??= ticketOf(record);
    if ((record['messageId'] ?? '') !== '') (ticket['messages'] as object[]).push(messageOf(record));
    line = info.lines;
  }
  if (ticket !== undefined) yield { line, ticket };
}

/** How far it came: every line up to and including `line` is done. */
interface Progress {
  line: number;
  bytes: number;
  done: number;
  /** Past their retention period: rightly not taken. */
  over: number;
  skipped: number;
}

const summary = ({ done, over, skipped }: Progress) => `${done} tickets, ${over} past their retention period, ${skipped} skipped`;

async function readProgress(file: string, bytes: number): Promise<Progress> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const fresh = { line: 0, bytes, done: 0, over: 0, skipped: 0 };
  if (text === undefined) return fresh;
  const progress = JSON.parse(text) as Progress;
  if (progress.bytes !== bytes) throw new Error(`${file} is of another export: remove it to begin anew`);
  return progress;
}

/** Written aside and renamed: whoever kills the import finds the one or the other, never half of it. */
async function writeProgress(file: string, progress: Progress): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(progress)}\n`);
  await rename(`${file}.new`, file);
}

/** Tells the service of one ticket; waits while it is away. @returns what was wrong with it, if anything */
async function put(url: string, key: string, { externalId, ...ticket }: Ticket): Promise<string | undefined> {
  const address = `${url}/api/v1/tickets/by-external/${encodeURIComponent(externalId)}`;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(address, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(ticket),
    }).catch(() => undefined);
    if (answer?.ok === true) {
      await answer.arrayBuffer();
      return undefined;
    }
    const problem = (await answer?.json().catch(() => ({}))) as { code?: string; errors?: { path: string; message: string }[] } | undefined;
    if (answer?.status === 401 || answer?.status === 403) throw new Error('The key is refused');
    if (answer !== undefined && answer.status < 500 && answer.status !== 429)
      return `${problem?.code ?? answer.status} ${(problem?.errors ?? []).map((error) => `${error.path} ${error.message}`).join('; ')}`.trim();
    if (attempt === 10) throw new Error('The service does not answer');
    await sleep(Math.min(30_000, 500 * 2 ** attempt));
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      'key-file': { type: 'string' },
      format: { type: 'string' },
      'at-once': { type: 'string', default: '4' },
    },
  });
  const [file] = positionals;
  const key = values['key-file'] === undefined ? process.env['OPNAME_KEY'] : (await readFile(values['key-file'], 'utf8')).trim();
  const atOnce = Number(values['at-once']);
  if (file === undefined || values.url === undefined || key === undefined || key === '' || !(atOnce >= 1 && atOnce <= 32)) throw new Error(usage);
  const format = values.format ?? (file.endsWith('.csv') ? 'csv' : 'jsonl');
  if (format !== 'csv' && format !== 'jsonl') throw new Error(usage);
  const url = values.url.replace(/\/+$/, '');
  const progressFile = `${file}.progress`;
  const progress = await readProgress(progressFile, (await stat(file)).size);
  if (progress.line > 0) console.error(`going on after line ${progress.line}`);

  let batch: Read[] = [];
  const flush = async () => {
    // One ticket's deliveries stay in order: two of the same are never under way together.
    const last = new Map<string, Promise<unknown>>();
    const outcomes = await Promise.all(
      batch.map(async (read) => {
        if (read.ticket === undefined) return { read, fault: read.fault };
        const { ticket } = read;
        const sent = (last.get(ticket.externalId) ?? Promise.resolve()).then(() => put(url, key, ticket));
        last.set(ticket.externalId, sent);
        return { read, fault: await sent };
      }),
    );
    for (const { read, fault } of outcomes) {
      if (fault === undefined) progress.done += 1;
      else if (fault.startsWith('retention-over')) progress.over += 1;
      else {
        progress.skipped += 1;
        console.error(`\nline ${read.line}: ${fault}`);
      }
      progress.line = Math.max(progress.line, read.line);
    }
    batch = [];
    await writeProgress(progressFile, progress);
    process.stderr.write(`\r${summary(progress)}, line ${progress.line}`);
  };
  for await (const read of format === 'csv' ? readCsv(file) : readJsonLines(file)) {
    if (read.line <= progress.line) continue;
    batch.push(read);
    if (batch.length >= atOnce) await flush();
  }
  if (batch.length > 0) await flush();
  console.error(`\ndone: ${summary(progress)}`);
  if (progress.skipped > 0) process.exitCode = 1;
}

await main().catch((error: unknown) => {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
});
