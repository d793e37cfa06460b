import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../platform/identifier.js';
import type { Database } from '../platform/database.js';
import type { Platform } from '../platform/platform.js';
import type { FieldFault, ProblemCode } from '../platform/problem.js';
import type { Leg, VersionState } from './recording.js';

/**
 * The last things that came in from each source, for whoever connects a PBX and waits for its first call. Of a refused push
 * only the reason is kept: its code, and which fields were wrong, never what stood in them.
 */

type Base = Pick<Platform, 'clock' | 'database' | 'log'>;

export type ArrivalKind = 'recording' | 'call_data' | 'test';
export type ArrivalOutcome = 'received' | 'duplicate' | ProblemCode;

export interface Arrival {
  kind: ArrivalKind;
  outcome: ArrivalOutcome;
  faults?: readonly FieldFault[] | undefined;
  recordingId?: string | undefined;
  /** Of call data: how many records. */
  stored?: number | undefined;
}

type Waiting = Arrival & { id: string; sourceId: string; at: Date };

/** Written once a second, the newest only: a busy PBX costs one small statement. */
const gatherMs = 1000;
const mostGathered = 20;
const mostKept = 50;
const keptMs = 24 * 3_600_000;
const mostFaults = 10;

/** Gathers what arrives and writes it a moment later. What a process that is killed had gathered is lost, and only that. */
export class Arrivals {
  #waiting: Waiting[] = [];
  #isGathering = false;

  constructor(readonly platform: Base) {}

  note(sourceId: string, arrival: Arrival): void {
    const { clock } = this.platform;
    this.#waiting.push({ ...arrival, id: newId(clock), sourceId, at: clock.now() });
    const own = this.#waiting.filter((each) => each.sourceId === sourceId);
    if (own.length > mostGathered) this.#waiting = this.#waiting.filter((each) => each !== own[0]);
    if (!this.#isGathering) void this.#writeSoon();
  }

  async #writeSoon(): Promise<void> {
    this.#isGathering = true;
    await sleep(gatherMs, undefined, { ref: false });
    this.#isGathering = false;
    await this.flush().catch((error: unknown) => this.platform.log.warn({ error }, 'arrivals not noted'));
  }

  /** Writes what was gathered, and drops what is no longer among the newest of its source. */
  async flush(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    const { database } = this.platform;
    await database.query(
      `INSERT INTO ingest_arrivals (id, source_id, at, kind, outcome, faults, recording_id, stored)
       SELECT id, source_id, at, kind, outcome, faults, recording_id, stored FROM jsonb_to_recordset($1::jsonb) AS arrival
         (id uuid, source_id uuid, at timestamptz, kind text, outcome text, faults jsonb, recording_id uuid, stored int)`,
      [
        JSON.stringify(
          waiting.map(({ id, sourceId, at, kind, outcome, faults, recordingId, stored }) => ({
            id, source_id: sourceId, at: at.toISOString(), kind, outcome, faults: (faults ?? []).slice(0, mostFaults),
            recording_id: recordingId ?? null, stored: stored ?? null,
          })),
        ),
      ],
    );
    for (const sourceId of new Set(waiting.map((each) => each.sourceId)))
      await database.query(
        `DELETE FROM ingest_arrivals WHERE source_id = $1 AND (at, id) <
           (SELECT at, id FROM ingest_arrivals WHERE source_id = $1 ORDER BY at DESC, id DESC OFFSET $2 LIMIT 1)`,
        [sourceId, mostKept - 1],
      );
  }
}

const ofProcess = new WeakMap<object, Arrivals>();

/** The arrivals of this process: one for all doors. */
export function arrivalsOf(platform: Base & Pick<Platform, 'metrics'>): Arrivals {
  const known = ofProcess.get(platform.metrics) ?? new Arrivals(platform);
  ofProcess.set(platform.metrics, known);
  return known;
}

/** Drops arrivals of before yesterday: they are for who is looking now. */
export async function dropOldArrivals({ clock, database }: Pick<Platform, 'clock' | 'database'>): Promise<void> {
  await database.query('DELETE FROM ingest_arrivals WHERE at < $1', [new Date(clock.now().getTime() - keptMs)]);
}

/** What about a recording that came in well may still not be as it should. */
export type ArrivalRemark = 'time_differs' | 'no_caller' | 'no_agent' | 'one_channel' | 'not_playable' | 'truncated';

export interface SeenArrival {
  id: string;
  at: Date;
  kind: ArrivalKind;
  outcome: ArrivalOutcome;
  faults: FieldFault[];
  stored: number | null;
  /** What became of it, without numbers and names; null when nothing was kept, or it is gone. */
  recording: ArrivedRecording | null;
}

export interface ArrivedRecording {
  state: VersionState;
  callId: string;
  part: string;
  direction: string;
  startedAt: Date;
  durationMs: number;
  channels: number;
  codec: string;
  remarks: ArrivalRemark[];
}

interface Row {
  id: string;
  at: Date;
  kind: ArrivalKind;
  outcome: ArrivalOutcome;
  faults: FieldFault[];
  stored: number | null;
  callId: string | null;
  part: string;
  direction: string;
  startedAt: Date;
  hasCaller: boolean;
  hasAgent: boolean;
  leg: Leg | null;
  state: VersionState;
  durationMs: number;
  channels: number;
  codec: string;
  truncated: boolean;
}

/** A test call is sent within minutes of its end; a start further off points at a wrong time zone, or at an old recording. */
const timeDiffersMs = 20 * 60_000;
const aheadMs = 2 * 60_000;

function remarksOf(row: Row): ArrivalRemark[] {
  const sinceEndMs = row.at.getTime() - row.startedAt.getTime() - row.durationMs;
  const remarks: [ArrivalRemark, boolean][] = [
    ['time_differs', sinceEndMs > timeDiffersMs || sinceEndMs < -aheadMs],
    ['no_caller', !row.hasCaller],
    ['no_agent', !row.hasAgent],
    ['one_channel', row.channels < 2 && row.leg === null],
    ['not_playable', row.state === 'failed'],
    ['truncated', row.truncated],
  ];
  return remarks.filter(([, applies]) => applies).map(([remark]) => remark);
}

/** What came in from a source since a moment, newest first. */
export async function arrivalsSince(database: Database, sourceId: string, since: Date): Promise<SeenArrival[]> {
  const rows = await database.query<Row>(
    `SELECT a.id, a.at, a.kind, a.outcome, a.faults, a.stored, r.call_id AS "callId", r.part, r.direction,
       r.started_at AS "startedAt", r.caller_number IS NOT NULL OR r.caller_withheld AS "hasCaller",
       r.agent IS NOT NULL AS "hasAgent", r.leg, v.state, v.duration_ms AS "durationMs", v.channels, v.codec, v.truncated
     FROM ingest_arrivals a
     LEFT JOIN recordings r ON r.id = a.recording_id AND r.version > 0 AND r.purge_intent IS NULL
     LEFT JOIN recording_versions v ON v.recording_id = r.id AND v.number = r.version
     WHERE a.source_id = $1 AND a.at >= $2 ORDER BY a.at DESC, a.id DESC LIMIT $3`,
    [sourceId, since, mostKept],
  );
  return rows.map((row) => {
    const { id, at, kind, outcome, faults, stored, callId, part, direction, startedAt, state, durationMs, channels, codec } = row;
    const recording =
      callId === null
        ? null
        : { state, callId, part, direction, startedAt, durationMs, channels, codec, remarks: remarksOf(row) };
    return { id, at, kind, outcome, faults, stored, recording };
  });
}
