import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { systemActor } from '../audit/log.js';
import { Problem } from '../platform/problem.js';
import { receiveAttachment, type AttachmentRules } from './attachment.js';
import type { TicketPlatform } from './receive.js';

/**
 * Fetches attachments that a helpdesk's delivery only names. An address is asked only where an administrator has given a
 * token for its origin: what a delivery says never makes the service call anyone else, redirects included.
 */

/** The worker's job: it finds what there is to do by state; a nudge only saves time. */
export const fetchJob = 'tickets.fetch';

export interface FetchSettings extends AttachmentRules {
  /** By origin (`https://helpdesk.example.nl`): the value of the Authorization header to send there. */
  helpdeskTokens: Readonly<Record<string, string>>;
  maxAttachmentBytes: number;
  /** For temporary files. */
  folder: string;
}

interface Wanted {
  id: string;
  ticket_id: string;
  source_id: string;
  ticket_external_id: string;
  external_id: string;
  message_external_id: string | null;
  file_name: string;
  content_type: string;
  supplied_at: Date;
  url: string;
  attempts: number;
}

const leaseMs = 10 * 60_000;
const answerTimeoutMs = 60_000;
const mostAttempts = 12;

async function claim({ clock, database }: TicketPlatform): Promise<Wanted | undefined> {
  const now = clock.now();
  const [wanted] = await database.query<Wanted>(
    `UPDATE attachment_fetches f SET attempts = f.attempts + 1, next_attempt_at = $2
     FROM tickets t
     WHERE t.id = f.ticket_id AND f.id = (
       SELECT w.id FROM attachment_fetches w
       WHERE w.failure_code IS NULL AND w.next_attempt_at <= $1
       ORDER BY w.next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING f.*, t.source_id, t.external_id AS ticket_external_id`,
    [now, new Date(now.getTime() + leaseMs)],
  );
  return wanted;
}

/** Fetches until nothing waits or `signal` aborts. */
export async function fetchAttachments(
  platform: TicketPlatform,
  settings: FetchSettings,
  signal: AbortSignal,
): Promise<{ fetched: number; failed: number }> {
  const outcome = { fetched: 0, failed: 0 };
  await mkdir(settings.folder, { recursive: true, mode: 0o700 });
  while (!signal.aborted) {
    const wanted = await claim(platform);
    if (wanted === undefined) break;
    try {
      await fetchOne(platform, settings, wanted, signal);
      outcome.fetched += 1;
    } catch (error) {
      if (signal.aborted) break;
      outcome.failed += 1;
      await noteFailure(platform, wanted, error);
    }
  }
  return outcome;
}

/** What waiting will not mend. */
class Unfetchable extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

async function fetchOne(platform: TicketPlatform, settings: FetchSettings, wanted: Wanted, signal: AbortSignal): Promise<void> {
  const token = URL.canParse(wanted.url) ? settings.helpdeskTokens[new URL(wanted.url).origin] : undefined;
  if (token === undefined) throw new Unfetchable('no-token');
  const answer = await fetch(wanted.url, {
    headers: { Authorization: token },
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]),
  });
  if (!answer.ok || answer.body === null) {
    await answer.body?.cancel();
    throw answer.status === 404 || answer.status === 410 ? new Unfetchable('gone-at-helpdesk') : new Error('refused');
  }
  const file = path.join(settings.folder, `fetch-${randomUUID()}`);
  try {
    const upload = await save(Readable.fromWeb(answer.body as ReadableStream), file, settings.maxAttachmentBytes, signal);
    await receiveAttachment(
      platform,
      settings,
      systemActor('tickets'),
      { sourceId: wanted.source_id, externalId: wanted.ticket_external_id },
      {
        externalId: wanted.external_id,
        messageExternalId: wanted.message_external_id,
        fileName: wanted.file_name,
        contentType: wanted.content_type,
        at: wanted.supplied_at,
      },
      upload,
    );
  } finally {
    await rm(file, { force: true });
  }
  // It is a piece now, with a date of its own.
  await platform.database.query('DELETE FROM attachment_fetches WHERE id = $1', [wanted.id]);
}

async function save(body: Readable, file: string, maxBytes: number, signal: AbortSignal) {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        done(new Unfetchable('too-large'));
        return;
      }
      sha256.update(chunk);
      md5.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(body, measure, createWriteStream(file, { mode: 0o600, flags: 'wx' }), { signal });
  return { content: file, bytes, sha256: sha256.digest('hex'), md5: md5.digest('hex') };
}

/** Asked again after a minute, then two, at most six hours; given up after about a day. Its code tells why, not its text. */
async function noteFailure({ clock, database, log }: TicketPlatform, wanted: Wanted, error: unknown): Promise<void> {
  const final =
    error instanceof Unfetchable
      ? error.code
      : error instanceof Problem && error.status < 500
        ? error.code
        : wanted.attempts >= mostAttempts
          ? 'gave-up'
          : null;
  const waitMs = Math.min(6 * 3_600_000, 60_000 * 2 ** Math.min(wanted.attempts - 1, 12));
  // What is given up keeps no name and no address; a new delivery may name it again.
  await database.query(
    `UPDATE attachment_fetches SET next_attempt_at = $2, failure_code = $3,
       url = CASE WHEN $3::text IS NULL THEN url ELSE '' END, file_name = CASE WHEN $3::text IS NULL THEN file_name ELSE '' END
     WHERE id = $1`,
    [wanted.id, new Date(clock.now().getTime() + waitMs), final],
  );
  log.warn({ error, ticketId: wanted.ticket_id, attempts: wanted.attempts, code: final }, 'attachment not fetched');
}
