import { createHash } from 'node:crypto';
import { constants, openAsBlob } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { importCallData } from './import/call-data.js';
import { Fault, signIn, type Client } from './import/client.js';
import { Progress } from './import/progress.js';
import { filesOf, Settled, skipReason, type Found } from './import/tree.js';

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
  --parallel  uploads at once (8; 48 at most)
`;

/** The service takes 64 at once from all: a PBX that pushes meanwhile is to find room. */
const mostParallel = 48;

/** Of a file that cannot be read now: the next run asks again. */
class Unreadable extends Error {}

async function send(client: Client, found: Found): Promise<string> {
  const audio = async (): Promise<FormData> => {
    const facts = await stat(found.file).catch((error: unknown) => error as NodeJS.ErrnoException);
    if (facts instanceof Error) throw new Unreadable(facts.code === 'ENOENT' ? 'gone meanwhile' : 'not readable');
    if (facts.size !== found.bytes) throw new Unreadable('still being written');
    const form = new FormData();
    await access(found.file, constants.R_OK).catch(() => {
      throw new Unreadable('not readable');
    });
    form.set('audio', await openAsBlob(found.file), path.basename(found.relative.toString('utf8')));
    return form;
  };
  try {
    const answer = await client.patiently('POST', '/recordings', audio);
    return answer.status === 201 ? 'done' : answer.status === 200 ? 'there already' : answer.code;
  } catch (error) {
    if (error instanceof Unreadable) return error.message;
    throw error;
  }
}

/** Refusals that asking again would not change; the others are failures, tried again by the next run. */
const final = /^(done|there already|not-audio|empty-recording|retention-over|direction-not-covered|number-excluded|too-large)$/;
/** What was not asked about at all. */
const skipped = new Set(['settled before', 'not a recording', 'name not understood', 'a link, not followed', 'gone meanwhile']);

interface Import {
  client: Client;
  settled: Settled;
  progress: Progress;
  parallel: number;
  /** Aborts when the whole import is to end. */
  stopping: AbortSignal;
}

async function importRecordings({ client, settled, progress, parallel, stopping }: Import, folder: Buffer): Promise<void> {
  // Counted beside: how many there are is only for the time that is left.
  const counting = (async () => {
    for await (const _found of filesOf(folder)) {
      if (stopping.aborted) return;
      progress.total += 1;
    }
  })();
  const files = filesOf(folder);
  const nowMs = Date.now();
  let failed: unknown;
  const worker = async (): Promise<void> => {
    while (!stopping.aborted && failed === undefined) {
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
  // The first that fails stops the others, each behind the file that it has under way.
  const ended = await Promise.allSettled(Array.from({ length: parallel }, () => worker().catch((error: unknown) => {
    failed ??= error;
    throw error;
  })));
  await counting;
  if (ended.some(({ status }) => status === 'rejected') && !stopping.aborted) throw failed;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      cdr: { type: 'string' }, url: { type: 'string', default: 'http://localhost:8080' }, key: { type: 'string' },
      source: { type: 'string' }, state: { type: 'string' }, parallel: { type: 'string', default: '8' },
    },
  });
  const [folder] = positionals;
  if (folder === undefined) throw new Fault(usage);
  if ((await stat(folder).catch(() => undefined))?.isDirectory() !== true) throw new Fault(`${folder} is no folder.`);
  if (values.cdr !== undefined && (await stat(values.cdr).catch(() => undefined))?.isFile() !== true) throw new Fault(`${values.cdr} is no file.`);
  const root = path.resolve(folder);
  const state = values.state ?? `opname-import-${createHash('sha256').update(root).digest('hex').slice(0, 8)}.state`;
  const parallel = Math.min(Math.max(1, Number(values.parallel) || 8), mostParallel);

  const stop = new AbortController();
  const onSignal = () => {
    // The second time at once: the key that was made for it, if any, is revoked by the next import.
    if (stop.signal.aborted) process.exit(130);
    process.stderr.write('Stopping behind what is under way; once more stops at once.\n');
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);

  const told = {
    key: values.key ?? process.env['OPNAME_KEY'], source: values.source, usage,
    email: process.env['OPNAME_EMAIL'], password: process.env['OPNAME_PASSWORD'],
  };
  const session = await signIn(values.url.replace(/\/+$/, ''), told, stop.signal);
  const progress = new Progress();
  const show = () => {
    const { away } = session.client;
    process.stderr.write(`${progress.line()}${away === undefined ? '' : ` · Opname is away or busy (${away.why}), waiting`}\n`);
  };
  const shown = setInterval(show, process.stderr.isTTY ? 1000 : 10_000);
  try {
    const settled = new Settled(state);
    await importRecordings({ client: session.client, settled, progress, parallel, stopping: stop.signal }, Buffer.from(root));
    show();
    process.stdout.write(`Recordings: ${progress.settled} files; ${progress.report()}\n`);
    if (values.cdr !== undefined && !stop.signal.aborted) {
      const sum = await importCallData(session.client, values.cdr, () => stop.signal.aborted);
      process.stdout.write(`Call data: ${Object.entries(sum).map(([name, count]) => `${name} ${count}`).join(', ')}\n`);
    }
  } finally {
    clearInterval(shown);
    await session.close();
  }
  if (stop.signal.aborted) {
    process.stdout.write('Interrupted: the same command goes on where it was.\n');
    return 130;
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
