import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../src/config.js';
import { systemClock } from '../src/platform/clock.js';
import { createLog } from '../src/platform/log.js';
import { findPackage } from '../src/platform/package.js';
import { instantOfWallTime } from '../src/recordings/times.js';
import { startService, type Service } from '../src/service.js';
import { sampleCalls, supportNumber, type SampleCall } from './samples/calls.js';
import { sampleTickets, type SampleTicket } from './samples/tickets.js';

/**
 * The whole service on embedded backends in a folder that is thrown away, with a PBX and a helpdesk that push sample
 * calls and tickets through the real API, as theirs would. `--port N`; `--fast` pushes everything at once.
 */

const { values: told } = parseArgs({ options: { port: { type: 'string', default: '8080' }, fast: { type: 'boolean', default: false } } });
const { folder, version, uiFolder } = findPackage(import.meta.dirname);
const timeZone = 'Europe/Amsterdam';

const people = [
  { role: 'trainer', name: 'Thea Trainer', email: 'trainer@opname.example' },
  { role: 'privacy_officer', name: 'Petra Privacy', email: 'officer@opname.example' },
  { role: 'administrator', name: 'Ad Ministrator', email: 'admin@opname.example' },
  { role: 'auditor', name: 'Fons Toezicht', email: 'auditor@opname.example' },
  { role: 'agent', name: 'Sanne Support', email: 'sanne@opname.example' },
] as const;

/** Easy to type, different at every start: the demo may be reachable by others. */
const passwordOf = (role: string) => `${role.replace('_', '-')}-${randomBytes(4).toString('hex')}`;

class Client {
  constructor(
    readonly base: string,
    readonly headers: Record<string, string> = {},
  ) {}

  async send(method: string, address: string, body?: object | FormData): Promise<Record<string, unknown>> {
    const form = body instanceof FormData;
    const response = await fetch(`${this.base}/api/v1${address}`, {
      method,
      headers: { ...this.headers, ...(body === undefined || form ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${address} was answered ${response.status}: ${await response.text()}`);
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0];
    if (cookie !== undefined) this.headers['Cookie'] = cookie;
    return (await response.json()) as Record<string, unknown>;
  }
}

/** Today's date in the organisation's time zone, `days` back, at a time of day; never later than a moment ago. */
function at(daysAgo: number, timeOfDay: string): Date {
  const today = new Intl.DateTimeFormat('sv-SE', { timeZone }).format(new Date());
  const wall = new Date(`${today}T${timeOfDay}:00Z`).getTime() - daysAgo * 86_400_000;
  return new Date(Math.min(instantOfWallTime(wall, timeZone), Date.now() - 120_000));
}

async function pushCall(pbx: Client, call: SampleCall, index: number): Promise<void> {
  const startedAt = at(call.daysAgo, call.timeOfDay);
  const form = new FormData();
  const fields: Record<string, string | undefined> = {
    callId: `${Math.floor(startedAt.getTime() / 1000)}.${index}`,
    startedAt: startedAt.toISOString(),
    endedAt: new Date(startedAt.getTime() + call.durationMs).toISOString(),
    direction: call.direction,
    caller: call.caller,
    callerName: call.callerName,
    callee: call.callee,
    agent: call.agent,
    queue: call.queue,
    ticket: call.ticket,
    holds: call.holds === undefined ? undefined : JSON.stringify(call.holds),
  };
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value);
  const audio = await readFile(path.join(folder, 'scripts', 'samples', call.file));
  form.set('audio', new Blob([new Uint8Array(audio)]), call.file);
  await pbx.send('POST', '/recordings', form);
}

async function pushTicket(helpdesk: Client, ticket: SampleTicket): Promise<void> {
  const opened = at(ticket.daysAgo, ticket.timeOfDay);
  const after = (minutes: number) => new Date(Math.min(opened.getTime() + minutes * 60_000, Date.now() - 60_000)).toISOString();
  const messages = ticket.messages.map(({ minutesLater, ...message }, index) => ({
    externalId: `${ticket.number}-${index + 1}`,
    at: after(minutesLater),
    contentType: 'text/plain',
    ...message,
  }));
  const { number, subject, category, requester, status } = ticket;
  const closedAt = status === 'closed' ? messages.at(-1)?.at : undefined;
  await helpdesk.send('PUT', `/tickets/by-external/${number}`, {
    number, subject, category, requester, status, messages,
    createdAt: opened.toISOString(),
    ...(closedAt === undefined ? {} : { closedAt }),
  });
}

async function prepare(service: Service, passwords: ReadonlyMap<string, string>): Promise<{ pbx: Client; helpdesk: Client }> {
  const base = service.url ?? '';
  const admin = new Client(base);
  const signIn = people.find((person) => person.role === 'administrator');
  await admin.send('POST', '/session', { email: signIn?.email, password: passwords.get('administrator') });
  for (const person of people)
    if (person.role !== 'administrator')
      await admin.send('POST', '/users', {
        ...person,
        password: passwords.get(person.role),
        locale: 'nl',
        ...(person.role === 'agent' ? { extensions: ['201'] } : {}),
      });
  await admin.send('PUT', '/organisation', {
    controller: 'Voorbeeld Internet BV',
    address: 'Voorbeeldlaan 1, 3430 AA Nieuwegein',
    privacyEmail: 'privacy@opname.example',
    ownNumbers: [supportNumber],
    holidays: [],
  });
  const machine = async (name: string, role: string) => {
    const { key } = await admin.send('POST', '/keys', { name, role });
    return new Client(base, { Authorization: `Bearer ${String(key)}` });
  };
  return { pbx: await machine('Telefooncentrale', 'pbx'), helpdesk: await machine('Helpdesk', 'helpdesk') };
}

async function main(): Promise<void> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'opname-demo-'));
  const passwords = new Map(people.map(({ role }) => [role as string, passwordOf(role)]));
  const config = readConfig({
    PORT: told.port,
    DATA_DIR: dataDir,
    LOG_LEVEL: 'error',
    PRIVACY_PORTAL: 'true',
    ADMIN_EMAIL: people[2].email,
    ADMIN_PASSWORD: passwords.get('administrator'),
  });
  process.stdout.write('Starting Opname on a database and a storage of its own …\n');
  const discard = () => rmSync(dataDir, { recursive: true, force: true });
  const service = await startService({
    config, clock: systemClock, log: createLog(config.logLevel), version, uiFolder, announce: () => undefined,
  }).catch((error: unknown) => {
    discard();
    throw error;
  });

  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    void service.close().finally(() => {
      discard();
      process.exit(0);
    });
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);

  const { pbx, helpdesk } = await prepare(service, passwords);
  const calls = [...sampleCalls].sort((a, b) => b.daysAgo - a.daysAgo);
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, told.fast ? 0 : ms));
  // Most are there before anyone has signed in; the rest come in while one looks.
  const later = told.fast ? 0 : 3;
  for (const ticket of sampleTickets) await pushTicket(helpdesk, ticket);
  for (const [index, call] of calls.slice(0, calls.length - later).entries()) await pushCall(pbx, call, index);

  process.stdout.write(`\nOpname ${version} is at ${service.url ?? ''}\n\n`);
  for (const { role, email } of people)
    process.stdout.write(`sign in as ${role.replace('_', ' ')}: ${email} / ${passwords.get(role) ?? ''}\n`);
  process.stdout.write('\nEverything in it is invented, and gone when you stop it (Ctrl-C).\n');

  for (const [index, call] of calls.slice(calls.length - later).entries()) {
    await pause(15_000);
    if (stopping) return;
    await pushCall(pbx, call, 100 + index);
    process.stdout.write(`The telephone exchange pushed a call (${call.subject}).\n`);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`opname: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
