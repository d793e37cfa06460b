import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import type { Database } from '../platform/database.js';
import { findRecording, type RecordingRow, type VersionRow } from '../recordings/recording.js';
import { cutsOf, toPlayback, toRecording } from '../recordings/timeline.js';
import { restrictIn } from '../retention/restrict.js';
import { addProcesses, takeInWithin } from './intake.js';
import { findRequest, record, referenceOf, type PrivacyContext, type RequestRow } from './request.js';
import type { Right } from './rights.js';

/**
 * Somebody hears or reads that a person asks for a right, and says so: that moment is its receipt. It becomes a draft, which
 * the officer goes on with. Flagged again while it is a draft, it stays one request on the earlier clock.
 */

type Found = { recording: RecordingRow; version: VersionRow };
type Origin = { kind: 'recording'; found: Found; atMs: number | undefined } | { kind: 'ticket'; id: string };

export interface Told {
  rights: readonly Right[];
  /** What was said, in the words of who heard it. */
  note: string;
}

const cutsIn = ({ recording, version }: Found) => cutsOf(recording.holds, version.sample_rate_hz, version.duration_ms);

/** The number of the person outside, where the call shows one. */
function phonesOf({ recording }: Found): string[] {
  const number = recording.direction === 'outbound' ? recording.callee_number : recording.caller_number;
  return number !== null && recording.direction !== 'internal' && /^\+\d{6,}$/.test(number) ? [number] : [];
}

/**
 * Flags a request to the officer. An objection closes the call it was made in to training, and the caller's other calls
 * with it. @returns the request it became
 */
export async function flagRequest(
  context: PrivacyContext,
  person: Person,
  origin: Origin,
  told: Told,
): Promise<{ reference: string; closedToTraining: boolean }> {
  const { platform } = context;
  const { clock, database } = platform;
  const id = origin.kind === 'ticket' ? origin.id : origin.found.recording.id;
  const startMs = origin.kind === 'ticket' ? undefined : origin.atMs;
  // Where it is in the recording as it came in, which no later cut moves.
  const atMs =
    startMs === undefined || origin.kind === 'ticket' ? null : toRecording({ startMs, endMs: startMs }, cutsIn(origin.found)).startMs;
  const closedToTraining = told.rights.includes('objection');
  const requestId = await database.inTransaction(async (tx) => {
    await database.advisoryLock(tx, `privacy.flag.${id}`, 'exclusive');
    const draft = await draftOf(database, tx, origin.kind, id);
    const made = draft?.id ?? (await takeInWithin(context, tx, person, {
      receivedAt: clock.now(), channel: origin.kind === 'recording' ? 'call' : 'ticket', rights: told.rights,
      requesterKind: 'person', subject: origin.kind === 'recording' ? { phones: phonesOf(origin.found) } : {}, representative: null,
      locale: 'nl', details: told.note, secret: false, origin: { kind: origin.kind, id, atMs },
    }));
    if (draft !== undefined) {
      await addProcesses(context, tx, draft.id, told.rights, draft.received_at);
      await record(platform, tx, person, draft, 'flagged', { rights: [...told.rights], atMs }, told.note === '' ? undefined : told.note);
    }
    if (closedToTraining)
      await restrictIn(platform, tx, { kind: 'person', id: person.userId }, {
        kind: origin.kind, itemId: id, purpose: 'training', ground: 'objection', requestId: made,
      });
    return made;
  });
  return { reference: referenceOf(await findRequest(database, requestId)), closedToTraining };
}

async function draftOf(database: Database, tx: Transaction, kind: string, id: string): Promise<RequestRow | undefined> {
  const [row] = await database.query<RequestRow>(
    `SELECT * FROM privacy_requests WHERE origin_kind = $1 AND origin_id = $2 AND state = 'draft' AND NOT secret
     ORDER BY received_at, id LIMIT 1 FOR UPDATE`,
    [kind, id],
    tx,
  );
  return row;
}

/** What was flagged in a call so far. */
export interface Flag {
  reference: string;
  rights: Right[];
  /** In milliseconds of the playback copy. */
  atMs: number | null;
  flaggedAt: string;
}

/** What was flagged in a call, so that who hears it next does not do so again. */
export async function flagsOf(database: Database, found: Found): Promise<Flag[]> {
  const rows = await database.query<Pick<RequestRow, 'year' | 'number'> & { rights: Right[] | null; atMs: number | null; at: Date }>(
    `SELECT q.year, q.number, e.details -> 'rights' AS rights, (e.details -> 'atMs')::int AS "atMs", e.at
     FROM privacy_requests q JOIN privacy_events e ON e.request_id = q.id AND e.kind = 'flagged'
     WHERE q.origin_kind = 'recording' AND q.origin_id = $1 AND NOT q.secret ORDER BY e.at, e.id`,
    [found.recording.id],
  );
  const cuts = cutsIn(found);
  return rows.map(({ rights, atMs, at, ...request }) => ({
    reference: referenceOf(request),
    rights: rights ?? [],
    atMs: atMs === null ? null : toPlayback(atMs, cuts),
    flaggedAt: at.toISOString(),
  }));
}

/** Where a request began, with its place in the call as it is heard; the place goes with the recording. */
export async function originOf(
  database: Database,
  { origin_kind: kind, origin_id: id, origin_at_ms: atMs }: RequestRow,
): Promise<{ kind: 'recording' | 'ticket'; id: string; atMs: number | null } | null> {
  if (kind === null || id === null) return null;
  const found = kind === 'recording' && atMs !== null ? await findRecording(database, id) : undefined;
  return { kind, id, atMs: found === undefined || atMs === null ? null : toPlayback(atMs, cutsIn(found)) };
}
