import type { Transaction } from 'sequelize';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { actorOf, type Person } from '../access/caller.js';
import { append, type Actor } from '../audit/log.js';
import { Problem } from '../platform/problem.js';
import type { Upload } from '../recordings/upload.js';
import { isHeld } from '../retention/hold.js';
import { periodsInForce } from './period.js';
import { openPiece, openVersion, settleTicket, type OpenedVersion, type PieceContent } from './piece.js';
import { piecesOf, requireTicket, type ShownPiece } from './read-ticket.js';
import type { TicketPlatform, TicketRules } from './receive.js';
import { scanJob } from './scan.js';
import { abandonVersion, commitVersions } from './store.js';
import { earlier, lockTicket, type PieceRow, type TicketRow } from './ticket.js';

/** Attachments: taken in as their own pieces with their own dates, handed out to officers alone. */

export interface AttachmentRules extends TicketRules {
  /** Whether attachments wait for a malware scanner before anybody may open them. */
  scanned: boolean;
}

/** What is told of an attachment besides its bytes. */
export interface ToldAttachment {
  /** As the helpdesk calls it; its digest where the helpdesk has no name for it. */
  externalId: string;
  messageExternalId: string | null;
  fileName: string;
  contentType: string;
  /** When it was supplied; with its message, or at receipt, where that is not told. */
  at: Date | null;
}

export interface AttachmentReceived {
  outcome: 'created' | 'duplicate';
  ticketId: string;
  pieceId: string;
}

interface Opened {
  ticketId: string;
  piece: PieceRow;
  version: OpenedVersion;
  held: boolean;
}

/**
 * Stores an uploaded attachment. The upload is left to the caller.
 * @throws Problem `not-found` when there is no such ticket, `retention-over` when it may not be kept (any more),
 * `storage-unavailable`; nothing is kept then.
 */
export async function receiveAttachment(
  platform: TicketPlatform,
  rules: AttachmentRules,
  actor: Actor,
  named: { sourceId: string; externalId: string },
  told: ToldAttachment,
  upload: Pick<Upload, 'content' | 'bytes' | 'sha256' | 'md5'>,
): Promise<AttachmentReceived> {
  const opened = await platform.database.inTransaction((tx) => open(platform, rules, named, told, upload, tx));
  const { piece, version, held } = opened;
  const received = { ticketId: opened.ticketId, pieceId: piece.id };
  if (version.kept) return { outcome: 'duplicate', ...received };
  const row = { id: version.id, piece_id: piece.id, object_key: version.objectKey, last_received_at: version.receivedAt };
  try {
    await platform.objects.putFile(version.objectKey, upload.content, {
      bytes: upload.bytes,
      md5: upload.md5,
      sha256: upload.sha256,
      contentType: 'application/octet-stream',
      tags: { hold: held ? '1' : '0' },
    });
  } catch (error) {
    await abandonVersion(platform, row);
    throw error;
  }
  const kept = await commitVersions(platform, opened.ticketId, [row], held, actor);
  if (!kept.has(version.id)) throw new Problem('retention-over');
  if (rules.scanned) platform.jobs.nudge(scanJob);
  return { outcome: 'created', ...received };
}

async function open(
  platform: TicketPlatform,
  rules: AttachmentRules,
  named: { sourceId: string; externalId: string },
  told: ToldAttachment,
  upload: Pick<Upload, 'bytes' | 'sha256' | 'md5'>,
  tx: Transaction,
): Promise<Opened> {
  const { clock, database } = platform;
  const ticket = await lockTicket(database, tx, named);
  if (ticket === undefined || ticket.purge_intent !== null) throw new Problem('not-found');
  const message = await messageOf(platform, ticket, told.messageExternalId, tx);
  const at = told.at ?? message?.supplied_at ?? clock.now();
  const piece = await openPiece(
    platform,
    tx,
    ticket,
    { kind: 'attachment', externalId: told.externalId, messageExternalId: told.messageExternalId, at: earlier(at, message?.supplied_at) },
    // Of its own it has no category: it follows its ticket, and a message that is a contact form.
    message?.policy === 'contact_form' ? 'contact_form' : undefined,
    { periods: await periodsInForce(database, tx), timeZone: rules.timeZone },
  );
  if (piece === undefined) throw new Problem('retention-over');
  const content: PieceContent = {
    bytes: upload.bytes,
    sha256: upload.sha256,
    md5: upload.md5,
    contentType: told.contentType,
    toldAt: clock.now(),
    toldExactly: false,
    attachment: { fileName: told.fileName, scan: rules.scanned ? 'pending' : 'none' },
  };
  const version = await openVersion(platform, tx, piece, content);
  // The same bytes, told to have been supplied earlier: the piece follows that, and with it its ticket.
  if (version.kept) await settleTicket(database, tx, ticket.id);
  return { ticketId: ticket.id, piece, version, held: await isHeld(database, tx, 'ticket', ticket.id, clock.now()) };
}

async function messageOf(
  { database }: TicketPlatform,
  ticket: TicketRow,
  externalId: string | null,
  tx: Transaction,
): Promise<PieceRow | undefined> {
  if (externalId === null) return undefined;
  const [message] = await database.query<PieceRow>(
    `SELECT * FROM ticket_pieces WHERE ticket_id = $1 AND kind = 'message' AND external_id = $2`,
    [ticket.id, externalId],
    tx,
  );
  return message;
}

/**
 * The attachment, if this officer may open it.
 * @throws Problem `not-found`, `retention-ended`, `quarantined` until a configured scanner has found it clean
 */
export async function findAttachment(
  platform: Pick<TicketPlatform, 'clock' | 'database'>,
  person: Person,
  ticketId: string,
  attachmentId: string,
): Promise<ShownPiece> {
  const ticket = await requireTicket(platform, person, ticketId);
  const pieces = await piecesOf(platform.database, ticketId, platform.clock.now(), ticket.held);
  const piece = pieces.find((each) => each.id === attachmentId && each.kind === 'attachment');
  if (piece === undefined) throw new Problem('not-found');
  if (piece.scan === 'pending') throw new Problem('quarantined', { detail: 'It has not been scanned yet.', headers: { 'Retry-After': '10' } });
  if (piece.scan === 'infected') throw new Problem('quarantined', { detail: 'The scanner found malware in it.' });
  return piece;
}

/** `Content-Disposition` of a download whose name may hold anything (RFC 6266, RFC 8187). */
export function attachmentDisposition(fileName: string): string {
  const plain = fileName.replace(/[^\x20-\x7e]|["\\%;]/g, '_').slice(0, 150) || 'bijlage';
  const encoded = encodeURIComponent(fileName.slice(0, 200)).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/**
 * Streams an attachment as a download that no browser opens by itself, after the audit entry is committed.
 * @throws Problem `storage-unavailable`
 */
export async function serveAttachment(
  platform: Pick<TicketPlatform, 'clock' | 'database' | 'objects'>,
  person: Person,
  piece: ShownPiece,
  exchange: { response: Response; signal: AbortSignal },
): Promise<void> {
  const { clock, database, objects } = platform;
  const stored = await objects.read(piece.object_key, { signal: exchange.signal });
  if (stored === undefined) throw new Problem('storage-unavailable', { detail: 'The attachment is missing in storage.' });
  await database.inTransaction((tx) =>
    append(database, clock, tx, {
      actor: actorOf(person),
      action: 'ticket.attachment_read',
      object: { type: 'ticket', id: piece.ticket_id },
      details: { pieceId: piece.id, sha256: piece.sha256 },
    }),
  );
  exchange.response.set({
    'Content-Type': 'application/octet-stream',
    'Content-Length': String(stored.bytes),
    'Content-Disposition': attachmentDisposition(piece.file_name ?? ''),
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Cache-Control': 'private, no-store',
  });
  try {
    await pipeline(stored.body, exchange.response, { signal: exchange.signal });
  } catch (error) {
    // Who leaves breaks the stream off: that is no fault of anybody's.
    if (!exchange.signal.aborted && !exchange.response.destroyed) throw error;
  }
}
