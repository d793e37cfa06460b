import type { Caller } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import type { Database } from '../platform/database.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { RecordingRow, VersionRow } from '../recordings/recording.js';
import { closedToTraining, heldToTell, knowerOf } from '../retention/hold.js';
import { refuseDeleted } from '../retention/tombstone.js';
import { findOneTicket, type FoundTicket } from './find-tickets.js';
import type { Basis } from './link.js';
import { presentTicket, type PresentedTicket } from './present.js';
import type { PieceRow, PieceVersionRow } from './ticket.js';

/** Opens one ticket: its thread and the calls beside it, each with its own date. */

type ReadPlatform = Pick<Platform, 'clock' | 'database'>;

/** A piece with the version of it that is shown. */
export type ShownPiece = PieceRow &
  Pick<
    PieceVersionRow,
    'bytes' | 'sha256' | 'content_type' | 'said_at' | 'sender' | 'internal' | 'body' | 'body_text' | 'file_name' | 'scan' | 'object_key'
  > & { versions: number };

/** A recording that belongs to a ticket, and why. */
export type LinkedRecording = Pick<
  RecordingRow,
  'id' | 'direction' | 'caller_number' | 'caller_name' | 'callee_number' | 'callee_name' | 'agent' | 'started_at' | 'retain_until'
> &
  Pick<VersionRow, 'state' | 'duration_ms'> & {
    basis: Basis[];
    reason: string | null;
    decided_by: string | null;
    decided_at: Date | null;
  };

/** SQL: the columns of a `LinkedRecording` that come from recording `r` and its version `v`. */
export const recordingFacts = `r.id, r.direction, r.caller_number, r.caller_name, r.callee_number, r.callee_name, r.agent,
  r.started_at, r.retain_until, v.state, v.duration_ms`;
export const newestVersion = 'JOIN recording_versions v ON v.recording_id = r.id AND v.number = r.version';

/** SQL: recordings `r` that the caller may know of at `now`. */
export function visibleRecording(caller: Caller, now: string): string {
  const { role } = caller;
  const kept = `r.retain_until > ${now}`;
  const until = role === 'privacy_officer' ? `(${kept} OR ${heldToTell('recording', 'r.id', now, knowerOf(caller))})` : kept;
  const open = role === 'trainer' ? `AND NOT ${closedToTraining('recording', 'r.id')}` : '';
  return `r.version > 0 AND r.purge_intent IS NULL AND ${until} ${open}`;
}

/** The pieces that may be shown: within their periods, or held and asked for by an officer. */
export async function piecesOf(database: Database, ticketId: string, now: Date, heldToo: boolean): Promise<ShownPiece[]> {
  return (await piecesOfEach(database, [ticketId], now, heldToo ? [ticketId] : [])).get(ticketId) ?? [];
}

/** The pieces of several tickets, by ticket: of those in `heldToo` also what is held past its period. */
export async function piecesOfEach(
  database: Database, ticketIds: readonly string[], now: Date, heldToo: readonly string[],
): Promise<Map<string, ShownPiece[]>> {
  const rows = await database.query<ShownPiece>(
    `SELECT p.*, v.bytes, v.sha256, v.content_type, v.said_at, v.sender, v.internal, v.body, v.body_text, v.file_name, v.scan,
       v.object_key,
       (SELECT count(*) FROM ticket_piece_versions w WHERE w.piece_id = p.id AND w.state = 'kept') AS versions
     FROM ticket_pieces p JOIN ticket_piece_versions v ON v.id = p.current_version_id
     WHERE p.ticket_id = ANY ($1::uuid[]) AND p.purge_intent IS NULL AND (p.retain_until > $2 OR p.ticket_id = ANY ($3::uuid[]))
     ORDER BY p.supplied_at, p.kind DESC, p.external_id`,
    [[...ticketIds], now, [...heldToo]],
  );
  const pieces = new Map<string, ShownPiece[]>(ticketIds.map((id) => [id, []]));
  for (const row of rows) pieces.get(row.ticket_id)?.push(row);
  return pieces;
}

/** The calls of a ticket, newest first. One side of a call is heard in the recording that plays both, where that is there too. */
export async function recordingsOf(database: Database, caller: Caller, ticketId: string, now: Date): Promise<LinkedRecording[]> {
  return await database.query<LinkedRecording>(
    `SELECT ${recordingFacts}, l.basis, l.reason, l.decided_by, l.decided_at
     FROM ticket_recordings l JOIN recordings r ON r.id = l.recording_id ${newestVersion}
     WHERE l.ticket_id = $1 AND ${visibleRecording(caller, '$2')}
       AND NOT EXISTS (SELECT FROM ticket_recordings m WHERE m.ticket_id = l.ticket_id AND m.recording_id = r.leg_of)
     ORDER BY r.started_at DESC, r.id DESC LIMIT 200`,
    [ticketId, now],
  );
}

/**
 * The ticket, if this role may see it now.
 * @throws Problem `not-found`, `retention-ended` from the end of its last piece on (a held one stays open to the officer)
 */
export async function requireTicket({ clock, database }: ReadPlatform, caller: Caller, id: string): Promise<FoundTicket> {
  const { role } = caller;
  const now = clock.now();
  const ticket = await findOneTicket(database, role, id, now, knowerOf(caller));
  if (ticket === undefined) {
    await refuseDeleted(database, 'ticket', id);
    throw new Problem('not-found');
  }
  const heldForOfficer = ticket.held && role === 'privacy_officer';
  if (ticket.purge_intent !== null || (ticket.retain_until <= now && !heldForOfficer))
    throw new Problem('retention-ended', { members: { deletedAt: ticket.retain_until.toISOString() } });
  return ticket;
}

/** The ticket as this caller sees it. @throws Problem as `requireTicket` */
export async function readTicket(platform: ReadPlatform, caller: Caller, id: string): Promise<PresentedTicket> {
  const { clock, database } = platform;
  const { role } = caller;
  const ticket = await requireTicket(platform, caller, id);
  const now = clock.now();
  const [pieces, recordings, organisation] = await Promise.all([
    piecesOf(database, id, now, ticket.held && role === 'privacy_officer'),
    // A helpdesk is answered with what it sent, not with what others did with it.
    caller.kind === 'machine' ? [] : recordingsOf(database, caller, id, now),
    organisationOf(database),
  ]);
  return presentTicket(ticket, pieces, recordings, role, organisation.ownNumbers);
}

/** @throws Problem `not-found` when there is no such recording or this role may not know of it, `retention-ended` */
export async function requireRecording({ clock, database }: ReadPlatform, caller: Caller, id: string): Promise<void> {
  const [row] = await database.query(`SELECT 1 FROM recordings r WHERE r.id = $1 AND ${visibleRecording(caller, '$2')}`, [id, clock.now()]);
  if (row !== undefined) return;
  const [past] = await database.query<{ until: Date }>(
    `SELECT retain_until AS until FROM recordings WHERE id = $1 AND version > 0 AND retain_until <= $2`,
    [id, clock.now()],
  );
  if (past !== undefined) throw new Problem('retention-ended', { members: { deletedAt: past.until.toISOString() } });
  await refuseDeleted(database, 'recording', id);
  throw new Problem('not-found');
}
