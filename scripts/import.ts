import { createHash } from 'node:crypto';
import { appendFileSync, createReadStream, existsSync, openAsBlob, readFileSync } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isHeader } from '../src/recordings/doors/asterisk.js';
import { readRecordingName } from '../src/recordings/doors/freepbx.js';
import { parseCsv } from '../src/recordings/csv.js';

/**
 * Brings the archive of an Asterisk or FreePBX in, through the API and so by its rules. Safe to interrupt and to repeat:
 * what was settled stands in a file beside it, and the service knows the bytes that it has.
 */

const usage = `npm run import -- DIR [--cdr FILE] [--url URL] [--key KEY | --source NAME] [--state FILE] [--parallel N]

  DIR         a folder of recordings named as FreePBX names them, such as /var/spool/asterisk/monitor
  --cdr       Master.csv, or FreePBX's export with a header
  --url       where Opname is (http://localhost:8080)
  --key       the key of the PBX (or OPNAME_KEY)
  --source    instead: the name of the PBX; asks an administrator's sign-in from OPNAME_EMAIL and OPNAME_PASSWORD,
              makes a key for this import and revokes it at the end
  --state     what was settled already (opname-import-….state in the current folder)
  --parallel  uploads at once (4)
`;

const extensions = /\.(wav|wav49|wav16|gsm|mp3|ulaw|ul|alaw|al|sln|sln16|g722|raw|opus|ogg|flac)$/i;
/** The service decides by the day; this is only so old that no clock or zone could matter. */
const surelyOverMs = 93 * 86_400_000;
const mostTries = 8;
const cdrPartBytes = 1_000_000;

class Fault extends Error {}

interface Found {
  file: string;
  relative: string;
  bytes: number;
}

/** Every file below `folder`, in no particular order. Links are not followed. */
async function* filesOf(folder: string, root = folder): AsyncGenerator<Found> {
  for await (const entry of await opendir(folder)) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesOf(file, root);
    else if (entry.isFile()) yield { file, relative: path.relative(root, file), bytes: (await stat(file)).size };
  }
}

/** What was settled in earlier runs: a digest of path and size, one a line, with what became of it. */
class Settled {
  readonly #known = new Set<string>();

  constructor(readonly file: string) {
    if (!existsSync(file)) return;
    for (const line of readFileSync(file, 'utf8').split('\n')) if (/^[0-9a-f]{32} \S+$/.test(line)) this.#known.add(line.slice(0, 32));
    // A line that was torn by a power cut must not spoil the next.
    appendFileSync(file, '\n');
  }

  static nameOf({ relative, bytes }: Found): string {
    return createHash('sha256').update(`${relative}\0${bytes}`).digest('hex').slice(0, 32);
  }

  has(found: Found): boolean {
    return this.#known.has(Settled.nameOf(found));
  }

  add(found: Found, outcome: string): void {
    appendFileSync(this.file, `${Settled.nameOf(found)} ${outcome}\n`);
  }
}

/** What became of the files so far, and how fast. */
class Progress {
  readonly #outcomes = new Map<string, number>();
  readonly #startedAtMs = performance.now();
  #bytes = 0;
  total = 0;
  settled = 0;

  count(outcome: string, bytes = 0): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.settled += 1;
    this.#bytes += bytes;
  }

  of(outcome: string): number {
    return this.#outcomes.get(outcome) ?? 0;
  }

  countWhere(applies: (outcome: string) => boolean): number {
    return [...this.#outcomes].reduce((sum, [outcome, count]) => sum + (applies(outcome) ? count : 0), 0);
  }

  line(): string {
    const seconds = (performance.now() - this.#startedAtMs) / 1000;
    const here = this.settled - this.of('settled before');
    const rate = here / Math.max(seconds, 0.001);
    const left = rate > 0 ? (this.total - this.settled) / rate : 0;
    const clock = `${Math.floor(left / 3600)}:${String(Math.floor((left % 3600) / 60)).padStart(2, '0')}:${String(Math.floor(left % 60)).padStart(2, '0')}`;
    return `${this.settled} of ${this.total}, ${rate.toFixed(1)} a second, ${(this.#bytes / 1e6 / Math.max(seconds, 0.001)).toFixed(1)} MB/s, ${clock} left · ${this.report()}`;
  }

  report(): string {
    return [...this.#outcomes].map(([outcome, count]) => `${outcome} ${count}`).join(', ');
  }
}

interface Answered {
  status: number;
  code: string;
  body: Record<string, unknown>;
}

class Client {
  constructor(readonly url: string, readonly headers: Record<string, string> = {}) {}

  async send(method: string, address: string, body?: string | FormData, type?: string): Promise<Answered & { cookie: string }> {
    const response = await fetch(`${this.url}/api/v1${address}`, {
      method,
      headers: { ...this.headers, ...(type === undefined ? {} : { 'Content-Type': type }) },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    let answered: Record<string, unknown> = {};
    try {
      answered = JSON.parse(text) as Record<string, unknown>;
    } catch {
      // A proxy's page, or nothing: the status is what counts.
    }
    const cookie = response.headers.getSetCookie().map((each) => each.split(';')[0]).join('; ');
    return { status: response.status, code: String(answered['code'] ?? response.status), body: answered, cookie };
  }

  /** Tries again while the service is away or busy. @throws Fault when the key is wrong: then nothing will go */
  async patiently(method: string, address: string, body: () => Promise<string | FormData>, type?: string): Promise<Answered> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.send(method, address, await body(), type).catch((error: unknown) => {
        if (tries >= mostTries) throw error;
        return undefined;
      });
      if (answer?.status === 401 || answer?.status === 403) throw new Fault(`The service does not take this key (${answer.code}).`);
      const again = answer === undefined || answer.status >= 500 || answer.status === 429 || answer.status === 408;
      if (answer !== undefined && (!again || tries >= mostTries)) return answer;
      await sleep(Math.min(500 * 2 ** tries, 30_000));
    }
  }
}

/** Why a file need not be asked about; undefined for one that is to be sent. */
function skipReason(found: Found, nowMs: number): string | undefined {
  if (!extensions.test(found.file)) return 'not a recording';
  if (found.bytes <= 44) return 'empty-recording';
  const name = readRecordingName(found.relative, 'UTC');
  if (name === undefined) return 'name not understood';
  return nowMs - name.startedAt.getTime() > surelyOverMs ? 'retention-over' : undefined;
}

async function send(client: Client, found: Found): Promise<string> {
  const answer = await client.patiently('POST', '/recordings', async () => {
    const form = new FormData();
    form.set('audio', await openAsBlob(found.file), path.basename(found.file));
    return form;
  });
  return answer.status === 201 ? 'done' : answer.status === 200 ? 'there already' : answer.code;
}

/** Refusals that asking again would not change; the others are failures, tried again by the next run. */
const final = /^(done|there already|not-audio|empty-recording|retention-over|direction-not-covered|number-excluded|too-large)$/;
/** What was not asked about at all. */
const skipped = new Set(['settled before', 'not a recording', 'name not understood']);

async function importRecordings(client: Client, folder: string, settled: Settled, parallel: number, progress: Progress): Promise<void> {
  for await (const _found of filesOf(folder)) progress.total += 1;
  const files = filesOf(folder);
  const nowMs = Date.now();
  const worker = async (): Promise<void> => {
    for (;;) {
      const next = await files.next();
      if (next.done === true) return;
      const found = next.value;
      const reason = settled.has(found) ? 'settled before' : skipReason(found, nowMs);
      if (reason !== undefined) {
        progress.count(reason);
        continue;
      }
      const outcome = await send(client, found);
      if (final.test(outcome)) settled.add(found, outcome.replace(' ', '-'));
      progress.count(outcome, found.bytes);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

/** Sends a CDR file in parts of whole lines, each with the header if there is one. */
async function importCdr(client: Client, file: string): Promise<Record<string, number>> {
  const sum: Record<string, number> = { stored: 0, known: 0, expired: 0, faults: 0 };
  let header = '';
  let part: string[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (part.length === 0) return;
    const text = `${header}${part.join('\n')}\n`;
    part = [];
    bytes = 0;
    const answer = await client.patiently('POST', '/cdr', () => Promise.resolve(text), 'text/csv');
    if (answer.status === 200)
      for (const name of ['stored', 'known', 'expired']) sum[name] = (sum[name] ?? 0) + Number(answer.body[name]);
    const faults = answer.status === 200 ? answer.body['faults'] : answer.body['errors'];
    sum['faults'] = (sum['faults'] ?? 0) + (Array.isArray(faults) ? faults.length : 1);
  };
  let first = true;
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    if (first && isHeader(parseCsv(line)[0]?.fields ?? [])) header = `${line}\n`;
    else part.push(line);
    first = false;
    bytes += line.length;
    if (bytes >= cdrPartBytes) await flush();
  }
  await flush();
  return sum;
}

interface Access {
  client: Client;
  close(): Promise<void>;
}

/** A client with the key that was given, or with one that is made for this import and revoked behind it. */
async function signIn(url: string, key: string | undefined, source: string | undefined): Promise<Access> {
  const withKey = (told: string) => new Client(url, { Authorization: `Bearer ${told}` });
  if (key !== undefined) return { client: withKey(key), close: () => Promise.resolve() };
  const { OPNAME_EMAIL: email, OPNAME_PASSWORD: password } = process.env;
  if (source === undefined || email === undefined || password === undefined) throw new Fault(usage);
  const session = await new Client(url).send('POST', '/session', JSON.stringify({ email, password }), 'application/json');
  if (session.status !== 200) throw new Fault('The administrator could not sign in.');
  const administrator = new Client(url, { Cookie: session.cookie });
  const wanted = JSON.stringify({ name: 'Import', role: 'pbx', source });
  const made = await administrator.send('POST', '/keys', wanted, 'application/json');
  if (made.status !== 201) throw new Fault(`No key could be made for this source (${made.code}).`);
  return {
    client: withKey(String(made.body['key'])),
    close: async () => void (await administrator.send('DELETE', `/keys/${String(made.body['id'])}`)),
  };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      cdr: { type: 'string' }, url: { type: 'string', default: 'http://localhost:8080' }, key: { type: 'string' },
      source: { type: 'string' }, state: { type: 'string' }, parallel: { type: 'string', default: '4' },
    },
  });
  const [folder] = positionals;
  if (folder === undefined || !(await stat(folder)).isDirectory()) throw new Fault(usage);
  const root = path.resolve(folder);
  const state = values.state ?? `opname-import-${createHash('sha256').update(root).digest('hex').slice(0, 8)}.state`;
  const parallel = Math.min(Math.max(1, Number(values.parallel) || 4), 32);
  const access = await signIn(values.url.replace(/\/+$/, ''), values.key ?? process.env['OPNAME_KEY'], values.source);
  const progress = new Progress();
  const shown = setInterval(() => process.stderr.write(`${progress.line()}\n`), process.stderr.isTTY ? 1000 : 10_000);
  try {
    await importRecordings(access.client, root, new Settled(state), parallel, progress);
    process.stderr.write(`${progress.line()}\n`);
    process.stdout.write(`Recordings: ${progress.settled} files; ${progress.report()}\n`);
    if (values.cdr !== undefined) {
      const sum = await importCdr(access.client, values.cdr);
      process.stdout.write(`Call data: ${Object.entries(sum).map(([name, count]) => `${name} ${count}`).join(', ')}\n`);
    }
  } finally {
    clearInterval(shown);
    await access.close();
  }
  const failed = progress.countWhere((outcome) => !final.test(outcome) && !skipped.has(outcome));
  if (failed > 0) process.stdout.write(`${failed} could not be settled: run the same command again.\n`);
  return failed > 0 ? 1 : 0;
}

main().then(
  (code) => { process.exitCode = code; },
  (error: unknown) => {
    process.stderr.write(`import: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof Fault ? 64 : 1;
  },
);
