import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { append, systemActor } from '../audit/log.js';
import { Problem } from '../platform/problem.js';
import type { StorePlatform } from './store.js';

/**
 * Looks for malware in attachments, where a scanner is configured: a clamd daemon, or any command. Until it has found a
 * file clean nobody can open it; a scanner that fails leaves it waiting, never let through.
 */

/** The worker's job: it finds what there is to do by state; a nudge only saves time. */
export const scanJob = 'tickets.scan';

/** Looks at one file. @throws when it cannot tell */
export type Scanner = (file: string, signal: AbortSignal) => Promise<'clean' | 'infected'>;

const scanTimeoutMs = 5 * 60_000;

/**
 * A scanner from its setting: `clamd://host:port`, `clamd:///path/to/socket`, or `exec:/usr/bin/clamscan --no-summary`,
 * a command that gets the file's name as its last argument and exits 0 for clean, 1 for infected, anything else for a fault
 * of its own (as clamscan does).
 * @throws Error when the setting is none of these
 */
export function createScanner(setting: string): Scanner {
  if (setting.startsWith('exec:')) {
    const [command, ...args] = setting.slice('exec:'.length).trim().split(/\s+/);
    if (command === undefined || command === '') throw new Error('names no command');
    return (file, signal) => runCommand(command, [...args, file], signal);
  }
  const address = URL.canParse(setting) ? new URL(setting) : undefined;
  if (address?.protocol !== 'clamd:') throw new Error('must begin with clamd:// or exec:');
  if (address.hostname === '' && address.pathname.length > 1)
    return (file, signal) => askClamd(() => connect({ path: decodeURIComponent(address.pathname) }), file, signal);
  const port = address.port === '' ? 3310 : Number(address.port);
  return (file, signal) => askClamd(() => connect({ host: address.hostname, port }), file, signal);
}

function runCommand(command: string, args: string[], signal: AbortSignal): Promise<'clean' | 'infected'> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { signal, timeout: scanTimeoutMs, maxBuffer: 1024 * 1024 }, (error) => {
      if (error === null) resolve('clean');
      else if (error.code === 1) resolve('infected');
      else reject(new Error('the scanner failed'));
    });
  });
}

/** clamd's INSTREAM: chunks with their length in front, an empty one at the end (clamd(8)). */
async function askClamd(open: () => Socket, file: string, signal: AbortSignal): Promise<'clean' | 'infected'> {
  const socket = open();
  socket.setTimeout(scanTimeoutMs, () => socket.destroy(new Error('the scanner does not answer')));
  const stop = () => socket.destroy(new Error('stopped'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    const answer = readAll(socket);
    // It may hang up early (its own size limit): what it said before that is what counts.
    const sent = pipeline(async function* () {
      yield Buffer.from('zINSTREAM\0', 'latin1');
      for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(chunk.length);
        yield Buffer.concat([length, chunk]);
      }
      yield Buffer.alloc(4);
    }, socket, { end: false });
    sent.catch(() => undefined);
    const text = await answer;
    if (/: OK\0?$/.test(text)) return 'clean';
    if (/ FOUND\0?$/.test(text)) return 'infected';
    throw new Error('the scanner could not tell');
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\0')) resolve(text);
    });
    socket.once('end', () => resolve(text));
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });
}

interface Claimed {
  id: string;
  piece_id: string;
  ticket_id: string;
  object_key: string;
  scan_attempts: number;
}

const leaseMs = 10 * 60_000;

async function claim({ clock, database }: StorePlatform): Promise<Claimed | undefined> {
  const now = clock.now();
  const [claimed] = await database.query<Claimed>(
    `UPDATE ticket_piece_versions v SET scan_attempts = v.scan_attempts + 1, next_attempt_at = $2
     FROM ticket_pieces p
     WHERE p.id = v.piece_id AND v.id = (
       SELECT w.id FROM ticket_piece_versions w JOIN ticket_pieces q ON q.id = w.piece_id
       WHERE w.scan = 'pending' AND w.state = 'kept' AND w.next_attempt_at <= $1 AND q.purge_intent IS NULL
       ORDER BY w.next_attempt_at LIMIT 1 FOR UPDATE OF w SKIP LOCKED)
     RETURNING v.id, v.piece_id, p.ticket_id, v.object_key, v.scan_attempts`,
    [now, new Date(now.getTime() + leaseMs)],
  );
  return claimed;
}

/** Scans until nothing waits or `signal` aborts. @returns how many of each outcome; failed ones are tried again later */
export async function scanPending(
  platform: StorePlatform,
  scanner: Scanner,
  folder: string,
  signal: AbortSignal,
): Promise<{ clean: number; infected: number; failed: number }> {
  const outcome = { clean: 0, infected: 0, failed: 0 };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  while (!signal.aborted) {
    const claimed = await claim(platform);
    if (claimed === undefined) break;
    const file = path.join(folder, `scan-${claimed.id}`);
    try {
      const stored = await platform.objects.read(claimed.object_key, { signal });
      if (stored === undefined) throw new Problem('storage-unavailable');
      await pipeline(stored.body, createWriteStream(file, { mode: 0o600 }), { signal });
      const found = await scanner(file, signal);
      await settleScan(platform, claimed, found);
      outcome[found] += 1;
    } catch (error) {
      if (signal.aborted) break;
      outcome.failed += 1;
      await putOff(platform, claimed);
      platform.log.warn({ error, pieceId: claimed.piece_id, attempts: claimed.scan_attempts }, 'attachment not scanned');
    } finally {
      await rm(file, { force: true });
    }
  }
  return outcome;
}

async function settleScan({ clock, database }: StorePlatform, claimed: Claimed, found: 'clean' | 'infected'): Promise<void> {
  await database.inTransaction(async (tx) => {
    const [settled] = await database.query(
      `UPDATE ticket_piece_versions SET scan = $2 WHERE id = $1 AND scan = 'pending' RETURNING id`,
      [claimed.id, found],
      tx,
    );
    if (settled === undefined) return;
    await append(database, clock, tx, {
      actor: systemActor('tickets'),
      action: 'ticket.attachment_scanned',
      object: { type: 'ticket', id: claimed.ticket_id },
      details: { pieceId: claimed.piece_id, versionId: claimed.id, found },
    });
  });
}

/** A scanner that is away is asked again after a minute, then two, at most an hour. */
async function putOff({ clock, database }: StorePlatform, claimed: Claimed): Promise<void> {
  const waitMs = Math.min(3_600_000, 60_000 * 2 ** Math.min(claimed.scan_attempts - 1, 10));
  await database.query('UPDATE ticket_piece_versions SET next_attempt_at = $2 WHERE id = $1', [
    claimed.id,
    new Date(clock.now().getTime() + waitMs),
  ]);
}
