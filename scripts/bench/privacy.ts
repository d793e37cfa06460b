import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { speechLike } from '../../test/support/audio.js';
import { startProgram, type RunningProgram } from '../../test/support/process.js';

/**
 * A privacy request about a great deal, end to end, on the program as it is started with `npm start` and everything embedded:
 * `npm run bench -- privacy [recordings] [tickets]`. Pushes them all through the API, then goes from intake to the closed
 * request, and says how long each step took and how much memory the program had meanwhile. What must hold: a search well
 * under ten seconds, a package whose memory does not grow with what is in it.
 */

const recordings = Number(process.argv[3] ?? 500);
const tickets = Number(process.argv[4] ?? 2000);
const searchAimMs = 10_000;
/** What building the package may take beyond what the program had before it. */
const packageAimBytes = 200 * 1024 * 1024;
const phone = '+31685000500';
const password = 'correct horse battery';

interface Caller {
  ask<T>(method: string, address: string, body?: object | FormData): Promise<T>;
  download(address: string, file: string): Promise<void>;
}

function callerOf(url: string, headers: Record<string, string>): Caller {
  async function send(method: string, address: string, body?: object | FormData): Promise<Response> {
    const isForm = body instanceof FormData;
    const answer = await fetch(`${url}/api/v1${address}`, {
      method,
      headers: { ...headers, ...(body === undefined || isForm ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${address} was answered ${answer.status}: ${(await answer.text()).slice(0, 2000)}`);
    return answer;
  }
  return {
    ask: async <T>(method: string, address: string, body?: object | FormData) => {
      const text = await (await send(method, address, body)).text();
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    download: async (address, file) => {
      const { body } = await send('GET', address);
      if (body !== null) await pipeline(Readable.fromWeb(body), createWriteStream(file));
    },
  };
}

async function signedIn(url: string, email: string): Promise<Caller> {
  const answer = await fetch(`${url}/api/v1/session`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email, password }),
  });
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return callerOf(url, { Cookie: cookie });
}

async function residentBytes({ child }: RunningProgram): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`;

/** How long a step took, and how much more memory the program had at its most. */
async function step(program: RunningProgram, name: string, work: () => Promise<unknown>): Promise<{ ms: number; grewBytes: number }> {
  const before = await residentBytes(program);
  let most = before;
  const watch = setInterval(() => void residentBytes(program).then((bytes) => (most = Math.max(most, bytes)), () => undefined), 100);
  const startedAt = performance.now();
  await work();
  const ms = performance.now() - startedAt;
  clearInterval(watch);
  console.log(`${name.padEnd(28)} ${(ms / 1000).toFixed(2).padStart(8)} s   memory ${megabytes(before)}, at most +${megabytes(most - before)}`);
  return { ms, grewBytes: most - before };
}

async function fill(program: RunningProgram, pbx: Caller, helpdesk: Caller): Promise<void> {
  const now = Date.now();
  const each = async (count: number, work: (index: number) => Promise<void>) => {
    let next = 0;
    await Promise.all(Array.from({ length: 4 }, async () => {
      for (let index = next++; index < count; index = next++) await work(index);
    }));
  };
  await each(recordings, async (index) => {
    const form = new FormData();
    const fields = {
      callId: randomUUID(), startedAt: new Date(now - (index + 1) * 3_600_000).toISOString(), caller: phone, callee: '+31850000001', agent: '201',
    };
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    const audio = speechLike({ seconds: 6, seed: index });
    form.set('audio', new Blob([new Uint8Array(audio)]), 'call.wav');
    await pbx.ask('POST', '/recordings', form);
  });
  await each(tickets, async (index) => {
    const at = new Date(now - (index + 1) * 600_000).toISOString();
    await helpdesk.ask('PUT', `/tickets/by-external/t${index}`, {
      number: `T${index}`, subject: `Vraag ${index}`, category: 'support', status: 'closed', createdAt: at,
      requester: { name: 'Anna Jansen', email: 'anna@example.test', phone, organisation: 'Bedrijf' },
      messages: [
        { externalId: 'm1', at, from: 'customer', body: `Hij doet het niet. ${'x'.repeat(500)}`, contentType: 'text/plain' },
        { externalId: 'm2', at, from: 'agent', body: 'Zet hem uit en weer aan.', contentType: 'text/plain' },
      ],
    });
  });
  void program;
}

interface Item {
  itemId: string;
}

async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'opname-bench-'));
  const program = await startProgram(path.join(folder, 'data'), {
    ADMIN_EMAIL: 'admin@example.test', ADMIN_PASSWORD: password, LOG_LEVEL: 'error', MALLOC_ARENA_MAX: '2', NODE_OPTIONS: '--max-semi-space-size=4',
  });
  try {
    const admin = await signedIn(program.url, 'admin@example.test');
    for (const name of ['one', 'two'])
      await admin.ask('POST', '/users', { email: `${name}@example.test`, name, role: 'privacy_officer', password });
    const [officer, second] = [await signedIn(program.url, 'one@example.test'), await signedIn(program.url, 'two@example.test')];
    const keyOf = async (role: string) => (await admin.ask<{ key: string }>('POST', '/keys', { name: role, role })).key;
    const machine = async (role: string) => callerOf(program.url, { Authorization: `Bearer ${await keyOf(role)}` });
    const [pbx, helpdesk] = [await machine('pbx'), await machine('helpdesk')];
    await step(program, `push ${recordings} and ${tickets}`, () => fill(program, pbx, helpdesk));
    await step(program, 'process the recordings', async () => {
      for (;;) {
        const { items } = await officer.ask<{ items: { state: string }[] }>('GET', '/recordings?limit=200');
        if (items.every(({ state }) => state !== 'received')) return;
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    });

    const base = '/privacy-requests';
    const { id } = await officer.ask<{ id: string }>('POST', base, {
      receivedAt: new Date().toISOString(), channel: 'email', rights: ['access', 'restriction', 'portability'], locale: 'nl',
      subject: { name: 'Anna Jansen', emails: ['anna@example.test'], phones: [phone] },
    });
    await officer.ask('POST', `${base}/${id}/identity`, { method: 'known_email', outcome: 'verified' });
    let found: { recordings: Item[]; tickets: Item[] } = { recordings: [], tickets: [] };
    const search = await step(program, 'search', async () => {
      found = await officer.ask('POST', `${base}/${id}/search`);
    });
    if (found.recordings.length !== recordings || found.tickets.length !== tickets)
      throw new Error(`found ${found.recordings.length} recordings and ${found.tickets.length} tickets`);
    await step(program, 'search again', () => officer.ask('POST', `${base}/${id}/search`));
    const decisions = [
      ...found.recordings.flatMap(({ itemId }) => ['access', 'restriction'].map((right) => ({ itemId, right, decision: 'grant' }))),
      ...found.tickets.flatMap(({ itemId }) => ['access', 'restriction', 'portability'].map((right) => ({ itemId, right, decision: 'grant' }))),
    ];
    await step(program, `decide ${decisions.length} times`, async () => {
      for (let from = 0; from < decisions.length; from += 1000)
        await officer.ask('POST', `${base}/${id}/items`, { decisions: decisions.slice(from, from + 1000) });
    });
    await step(program, 'approve', () => second.ask('POST', `${base}/${id}/approve`));
    await step(program, 'letter', () => officer.download(`${base}/${id}/letter?format=pdf`, path.join(folder, 'letter.pdf')));
    const zip = path.join(folder, 'answer.zip');
    const made = await step(program, 'package', () => officer.download(`${base}/${id}/package`, zip));
    await step(program, 'close', () => officer.ask('POST', `${base}/${id}/close`));
    console.log(`the package has ${megabytes((await stat(zip)).size)}, SHA-256 ${createHash('sha256').update(await readFile(zip)).digest('hex').slice(0, 16)}…`);
    const holds = search.ms < searchAimMs && made.grewBytes < packageAimBytes;
    console.log(holds ? 'both aims hold' : 'AN AIM WAS MISSED');
    if (!holds) process.exitCode = 1;
  } finally {
    await program.end('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
