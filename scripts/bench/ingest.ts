import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { MovableClock } from '../../src/platform/clock.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgres.js';
import { startEmbeddedS3 } from '../../src/platform/embedded/s3/server.js';
import { createLog } from '../../src/platform/log.js';

/**
 * `npm run bench -- ingest [PUSHES] [MEGABYTES] [AT-ONCE]`: pushes of recordings through the API (200 a round of 1 MB, 16 at
 * once), against the same client's PutObject of as many bytes straight into the same storage. The service runs as it is
 * started by `npm start`, as ROLE=web: what becomes of a recording afterwards (copy, waveform) is not in the figures. Storage
 * and database are processes of their own. Rounds take turns and medians are compared, so that other work on the machine
 * weighs on both alike.
 *
 * S3_ENDPOINT with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY name another storage, as for `npm run test:real-s3`, and
 * S3_PIDS its processes (`"812 813"`) when they run here, so that their processor time is counted too.
 */

const credentials = {
  accessKeyId: process.env['AWS_ACCESS_KEY_ID'] ?? 'bench',
  secretAccessKey: process.env['AWS_SECRET_ACCESS_KEY'] ?? 'bench-secret',
};
const root = path.join(import.meta.dirname, '..', '..');
const log = createLog('error');

/** A process of its own that only stores: this file, started with the folder. */
async function storeOnly(folder: string): Promise<void> {
  const storage = await startEmbeddedS3({ folder, ...credentials, clock: new MovableClock(), log });
  process.stdout.write(`${storage.endpoint}\n`);
  await once(process, 'SIGTERM');
  await storage.close();
  process.exit(0);
}

const [pushes = 200, megabytes = 1, atOnce = 16] = process.argv.slice(3).map(Number);
const rounds = 5;
const warmUp = megabytes > 2 ? 0 : 400;
const bytesEach = Math.round(megabytes * 1_000_000);

/** A stereo WAV of noise; a few bytes are other in each. */
const recording = randomBytes(bytesEach);
recording.write('RIFF____WAVEfmt ', 0, 'latin1');
recording.writeUInt32LE(bytesEach - 8, 4);
Buffer.from('10000000010002004038000000e1000004001000', 'hex').copy(recording, 16);
recording.writeUInt32LE(8000, 24);
recording.writeUInt32LE(32_000, 28);
recording.write('data', 36, 'latin1');
recording.writeUInt32LE(bytesEach - 44, 40);

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Does `work` so many times, some at once, each with bytes of its own. @returns how many a second */
async function rate(count: number, work: (bytes: Buffer) => Promise<void>): Promise<number> {
  let left = count;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      const own = Buffer.from(recording);
      while (left > 0) {
        left -= 1;
        randomBytes(16).copy(own, 1000);
        await work(own);
      }
    }),
  );
  return (count * 1000) / (performance.now() - startedAt);
}

const agent = new Agent({ keepAlive: true, maxSockets: atOnce });

async function ask(url: string, method: string, headers: Record<string, string>, ...body: Buffer[]): Promise<{ status: number; text: string; cookie: string }> {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const asked = request(url, { method, agent, headers: { ...headers, 'Content-Length': length } });
  for (const part of body) asked.write(part);
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode ?? 0, text, cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '' };
}

/** The push as curl and the uploader make it. */
async function push(url: string, key: string, bytes: Buffer): Promise<void> {
  const boundary = randomUUID();
  const field = (name: string, value: string) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const head =
    field('callId', randomUUID()) + field('startedAt', new Date(Date.now() - 60_000).toISOString()) + field('caller', '+31850000101') +
    `--${boundary}\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n`;
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': `multipart/form-data; boundary=${boundary}` };
  const answer = await ask(`${url}/api/v1/recordings`, 'POST', headers, Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`));
  if (answer.status !== 201) throw new Error(`a push was answered ${answer.status}: ${answer.text}`);
}

/** The highest memory a process had since `forget`, in MB. */
const peakOf = async (pid: number | undefined) =>
  Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000);

/** How much processor time a process took so far, with all that it started and is there, in ms. */
async function processorMs(pid: number | undefined): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'latin1')).replace(/^.*\) /, '').split(' ');
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1')).trim();
  const theirs = await Promise.all(children === '' ? [] : children.split(' ').map((child) => processorMs(Number(child)).catch(() => 0)));
  // Counted in hundredths of a second.
  return (Number(fields[11]) + Number(fields[12])) * 10 + theirs.reduce((sum, each) => sum + each, 0);
}

/** Processor time in ms so far of: client, service, database, storage. That of a storage elsewhere is not known (0). */
type Spent = number[];

async function spentElsewhere(): Promise<number> {
  const pids = (process.env['S3_PIDS'] ?? '').split(' ').filter((pid) => pid !== '');
  const each = await Promise.all(pids.map((pid) => processorMs(Number(pid))));
  return each.reduce((sum, ms) => sum + ms, 0);
}

async function spentSoFar(service: ChildProcess, storage: ChildProcess | undefined): Promise<Spent> {
  const [all, ofService, ofStorage] = [await processorMs(process.pid), await processorMs(service.pid), storage ? await processorMs(storage.pid) : 0];
  const { user, system } = process.cpuUsage();
  const client = (user + system) / 1000;
  return [client, ofService, all - client - ofService - ofStorage, storage ? ofStorage : await spentElsewhere()];
}

function told(rounds: readonly Spent[]): string {
  const each = ['client', 'service', 'database', 'storage'].map((who, at) => `${who} ${median(rounds.map((spent) => spent[at] ?? 0)).toFixed(1)}`);
  return `${median(rounds.map((spent) => spent.reduce((sum, ms) => sum + ms, 0))).toFixed(1)} ms (${each.join(', ')})`;
}

async function firstLine(child: ChildProcess | undefined): Promise<string> {
  if (child === undefined) return '';
  const [chunk] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  return chunk.toString().trim();
}

async function main(): Promise<void> {
  await once(spawn(process.execPath, ['--import', 'tsx', 'scripts/build.ts', '--if-needed'], { cwd: root, stdio: 'inherit' }), 'exit');
  const folder = await mkdtemp(path.join(tmpdir(), 'opname-bench-'));
  const children: ChildProcess[] = [];
  const start = (args: string[], env: Record<string, string>) => {
    const node = [...(process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? []), '--max-semi-space-size=4', '--enable-source-maps', ...args];
    const child = spawn(process.execPath, node, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env, MALLOC_ARENA_MAX: '2' } });
    children.push(child);
    return child;
  };
  const server = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), log });
  try {
    const elsewhere = process.env['S3_ENDPOINT'];
    const storage = elsewhere === undefined ? start(['--import', 'tsx', 'scripts/bench/ingest.ts', 'storage', path.join(folder, 's3')], {}) : undefined;
    const endpoint = elsewhere ?? (await firstLine(storage));
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const url = `http://127.0.0.1:${port}`;
    const service = start(['dist/src/main.js'], {
      PORT: String(port), HOST: '127.0.0.1', DATA_DIR: path.join(folder, 'data'), DATABASE_URL: server.url, ROLE: 'web', LOG_LEVEL: 'error',
      S3_ENDPOINT: endpoint, S3_REGION: 'us-east-1', S3_BUCKET: 'bench-ingest', S3_FORCE_PATH_STYLE: 'true',
      S3_ACCESS_KEY_ID: credentials.accessKeyId, S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      SIGNING_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      ADMIN_EMAIL: 'administrator@example.test', ADMIN_PASSWORD: 'correct horse battery',
    });
    service.stdout?.resume();
    while ((await ask(`${url}/readyz`, 'GET', {}).catch(() => undefined))?.status !== 200) await sleep(200);
    const json = { 'Content-Type': 'application/json' };
    const { cookie } = await ask(`${url}/api/v1/session`, 'POST', json, Buffer.from(JSON.stringify({ email: 'administrator@example.test', password: 'correct horse battery' })));
    const made = await ask(`${url}/api/v1/keys`, 'POST', { ...json, Cookie: cookie }, Buffer.from(JSON.stringify({ name: 'bench', role: 'pbx' })));
    const { key } = JSON.parse(made.text) as { key: string };

    const raw = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    const put = async (bytes: Buffer) => void (await raw.send(new PutObjectCommand({ Bucket: 'bench-ingest', Key: `bare/${randomUUID()}`, Body: bytes })));
    const ours: number[] = [];
    const theirs: number[] = [];
    const spent: Record<'push' | 'put', Spent[]> = { push: [], put: [] };
    // The first round warms both up: what runs often is compiled by the engine as it goes, and that costs more than the work.
    for (let round = 0; round <= rounds; round += 1) {
      const count = round === 0 ? Math.max(pushes, warmUp) : pushes;
      const before = await spentSoFar(service, storage);
      const straight = await rate(count, put);
      const between = await spentSoFar(service, storage);
      const through = await rate(count, (bytes) => push(url, key, bytes));
      const after = await spentSoFar(service, storage);
      if (round === 0) continue;
      theirs.push(straight);
      ours.push(through);
      spent.put.push(between.map((ms, at) => (ms - (before[at] ?? 0)) / pushes));
      spent.push.push(after.map((ms, at) => (ms - (between[at] ?? 0)) / pushes));
    }
    const shown = (value: number) => `${value.toFixed(1)} a second, ${((value * bytesEach) / 1e6).toFixed(1)} MB/s`;
    process.stdout.write(
      `${rounds} rounds of ${pushes} recordings of ${megabytes} MB, ${atOnce} at once\n` +
        `  pushes     ${shown(median(ours))}\n  PutObject  ${shown(median(theirs))}\n` +
        `  ratio      ${(median(ours) / median(theirs)).toFixed(2)} (aim: 0.8 or more)\n` +
        `  processor  ${told(spent.push)} a push\n             ${told(spent.put)} a PutObject\n` +
        `  memory     ${await peakOf(service.pid)} MB at most in the service\n`,
    );
  } finally {
    for (const child of children) child.kill('SIGTERM');
    await Promise.all(children.map((child) => (child.exitCode === null ? once(child, 'exit') : undefined)));
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

if (process.argv[2] === 'storage') await storeOnly(process.argv[3] ?? '');
else await main();
process.exit(0);
