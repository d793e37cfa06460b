import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readConfig, type Config } from '../src/config.js';
import { systemClock } from '../src/platform/clock.js';
import { createLog } from '../src/platform/log.js';
import { findPackage } from '../src/platform/package.js';
import { startService } from '../src/service.js';
import { Client } from './demo/client.js';
import { coach, evaluate, markAgreement, transcribe } from './demo/coaching.js';
import { handleRequests, placeHold, sealEvidence } from './demo/officers.js';
import { addPerson, administrator, people, sanne, secondOfficer, signIn } from './demo/people.js';
import { pushCall, pushTicket } from './demo/push.js';
import { setStage, type Stage } from './demo/stage.js';
import { sampleCalls, supportNumber } from './samples/calls.js';
import { sampleTickets } from './samples/tickets.js';

/**
 * The whole service on embedded backends in a folder that is thrown away, with a PBX and a helpdesk that push sample
 * calls and tickets through the real API, as theirs would, and people who have begun to work with them. `--port N`;
 * `--fast` pushes everything at once.
 */

const { values: told } = parseArgs({ options: { port: { type: 'string', default: '8080' }, fast: { type: 'boolean', default: false } } });
const { folder, version, uiFolder } = findPackage(import.meta.dirname);
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Unless told `--fast` these come in while one looks; nobody has worked with them yet. */
const comeLater = ['password-refused.wav', 'one-way-audio.opus'];
const laterAfterMs = 15_000;

/** In this order: an evidence package holds the agreements that are marked by then. */
const parts: readonly { of: string; make: (stage: Stage) => Promise<void> }[] = [
  { of: 'coaching', make: coach },
  { of: 'evaluations', make: evaluate },
  { of: 'an agreement', make: markAgreement },
  { of: 'transcripts', make: transcribe },
  { of: 'a hold', make: placeHold },
  { of: 'privacy requests', make: handleRequests },
  { of: 'evidence', make: sealEvidence },
];

/** Accounts, the organisation, and keys for the machines. */
async function prepare(admin: Client): Promise<{ pbx: Client; helpdesk: Client; sanneId: string }> {
  const ids = new Map<string, string>();
  await signIn(admin, administrator);
  for (const person of people) if (person !== administrator) ids.set(person.email, await addPerson(admin, person));
  await admin.send('PUT', '/organisation', {
    controller: 'Voorbeeld Internet BV',
    address: 'Voorbeeldlaan 1, 3430 AA Nieuwegein',
    privacyEmail: 'privacy@opname.example',
    ownNumbers: [supportNumber],
    holidays: [],
  });
  const machine = async (name: string, role: string) => {
    const { key } = await admin.send('POST', '/keys', { name, role });
    return new Client(admin.base, admin.stopping, { Authorization: `Bearer ${String(key)}` });
  };
  const pbx = await machine('Telefooncentrale', 'pbx');
  return { pbx, helpdesk: await machine('Helpdesk', 'helpdesk'), sanneId: ids.get(sanne.email) ?? '' };
}

/** Pushes the samples, tells how to sign in, then lets people work with them. */
async function fill(url: string, stopping: AbortSignal): Promise<void> {
  const admin = new Client(url, stopping);
  const { pbx, helpdesk, sanneId } = await prepare(admin);
  const calls = [...sampleCalls].sort((a, b) => b.daysAgo - a.daysAgo);
  const isLater = (file: string) => !told.fast && comeLater.includes(file);
  const pushed = new Map<string, string>();
  const push = async (call: (typeof calls)[number]) => {
    pushed.set(call.file, await pushCall(pbx, path.join(folder, 'scripts', 'samples'), call, calls.indexOf(call)));
  };
  for (const ticket of sampleTickets) await pushTicket(helpdesk, ticket);
  for (const call of calls) if (!isLater(call.file)) await push(call);

  say(`\nOpname ${version} is at ${url}\n`);
  for (const { role, email, password } of people) say(`sign in as ${role.replace('_', ' ')}: ${email} / ${password}`);
  say(`\nA second officer approves what the first decided: ${secondOfficer.email} / ${secondOfficer.password}`);
  say('Everything in it is invented, and gone when you stop it (Ctrl-C).');

  await work(admin, sanneId, pushed);
  for (const call of calls.filter(({ file }) => isLater(file))) {
    await sleep(laterAfterMs, undefined, { signal: stopping });
    await push(call);
    say(`The telephone exchange pushed a call (${call.subject}).`);
  }
}

/** A part that fails is told; the service and the other parts go on. */
async function work(admin: Client, sanneId: string, pushed: ReadonlyMap<string, string>): Promise<void> {
  const stage = await setStage(admin, sanneId, pushed);
  const failed: string[] = [];
  for (const { of, make } of parts)
    await make(stage).catch((error: unknown) => {
      admin.stopping.throwIfAborted();
      failed.push(of);
      process.stderr.write(`opname: the sample of ${of} is not complete: ${messageOf(error)}\n`);
    });
  if (failed.length === 0) say('\nWhat people did with it is in as well: coaching, evaluations, evidence, requests, a hold.');
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function main(): Promise<void> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'opname-demo-'));
  // Whichever way it ends. A database that was left running in it stops by itself once its folder is gone.
  process.once('exit', () => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const config = readConfig({
    PORT: told.port,
    DATA_DIR: dataDir,
    LOG_LEVEL: 'error',
    PRIVACY_PORTAL: 'true',
    ADMIN_EMAIL: administrator.email,
    ADMIN_PASSWORD: administrator.password,
  });

  const stop = new AbortController();
  let askedAtMs = 0;
  const ask = () => {
    // In a terminal Ctrl-C reaches us twice within moments: from the terminal, and passed on by npm.
    if (stop.signal.aborted && performance.now() - askedAtMs > 1000) process.exit(1);
    if (stop.signal.aborted) return;
    askedAtMs = performance.now();
    stop.abort();
  };
  process.on('SIGINT', ask).on('SIGTERM', ask);

  say('Starting Opname on a database and a storage of its own …');
  // What goes wrong because it is being stopped is no failure; Ctrl-C also ends the program that makes the database.
  await run(config, stop.signal).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  process.exit(0);
}

async function run(config: Config, stopping: AbortSignal): Promise<void> {
  const service = await startService({
    config, clock: systemClock, log: createLog(config.logLevel), version, uiFolder, announce: () => undefined,
  });
  try {
    await fill(service.url ?? '', stopping);
    if (!stopping.aborted) await once(stopping, 'abort');
  } finally {
    await service.close();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`opname: ${messageOf(error)}\n`);
  process.exit(1);
});
