import type { Transaction } from 'sequelize';
import type { ChannelMap } from '../access/caller.js';
import type { Database } from '../platform/database.js';

/** The rows of a recording and its versions, and how they are read. */

export type Direction = 'inbound' | 'outbound' | 'internal';

/** An interval of a recording, in milliseconds from its beginning. */
export interface Interval {
  startMs: number;
  endMs: number;
}

export type Leg = 'caller' | 'agent';

/** How a call ended, by its call data record. */
export const dispositions = ['answered', 'no_answer', 'busy', 'failed', 'congestion', 'unknown'] as const;
export type Disposition = (typeof dispositions)[number];

/** The call went on to somebody else. */
export interface Transfer {
  /** ISO 8601. */
  at: string;
  /** Extension, number or name of the device, as the PBX has it. */
  to: string;
}

export interface RecordingRow {
  id: string;
  source_id: string;
  call_id: string;
  part: string;
  linked_id: string | null;
  direction: Direction;
  caller_number: string | null;
  caller_name: string | null;
  caller_withheld: boolean;
  callee_number: string | null;
  callee_name: string | null;
  agent: string | null;
  queue: string | null;
  ticket_number: string | null;
  started_at: Date;
  ended_at: Date | null;
  holds: Interval[];
  channel_map: ChannelMap;
  /** The newest committed version; 0 while the first is still coming in. */
  version: number;
  created_at: Date;
  retain_until: Date;
  purge_intent: object | null;
  /** What call data records told: see `call-facts.ts`. */
  disposition: Disposition | null;
  answered_at: Date | null;
  billed_ms: number | null;
  transfers: Transfer[];
  call_data_at: Date | null;
  /** Whose side it is, of a call recorded in one file a side. */
  leg: Leg | null;
  /** The recording in whose player this side is heard together with the other. */
  leg_of: string | null;
  /** Its playback copy was made of both sides. */
  sides_joined: boolean;
  /** What all parts and records of a call have in common: its linked id, else its id. */
  call_key: string;
}

const recordingNames = Object.keys({
  id: 0, source_id: 0, call_id: 0, part: 0, linked_id: 0, direction: 0, caller_number: 0, caller_name: 0, caller_withheld: 0,
  callee_number: 0, callee_name: 0, agent: 0, queue: 0, ticket_number: 0, started_at: 0, ended_at: 0, holds: 0,
  channel_map: 0, version: 0, created_at: 0, retain_until: 0, purge_intent: 0, disposition: 0, answered_at: 0, billed_ms: 0,
  transfers: 0, call_data_at: 0, leg: 0, leg_of: 0, sides_joined: 0, call_key: 0,
} satisfies Record<keyof RecordingRow, 0>);

/** The columns of `recordings`, as those of the table `alias`. */
export const recordingColumns = (alias: string) => recordingNames.map((name) => `${alias}.${name}`).join(', ');

/** `receiving` (not acknowledged, invisible) → `received` → `ready`, or `failed` with the original untouched. */
export type VersionState = 'receiving' | 'received' | 'ready' | 'failed';

export interface VersionRow {
  id: string;
  recording_id: string;
  number: number | null;
  state: VersionState;
  original_key: string;
  file_extension: string;
  bytes: number;
  sha256: string;
  md5: string;
  container: string;
  codec: string;
  channels: number;
  sample_rate_hz: number;
  duration_ms: number;
  truncated: boolean;
  ffmpeg_input: object | null;
  received_at: Date;
  playback_key: string | null;
  playback_bytes: number | null;
  playback_sha256: string | null;
  playback_duration_ms: number | null;
  waveform_key: string | null;
  processed_at: Date | null;
  attempts: number;
  next_attempt_at: Date;
  failure_code: string | null;
}

/** Where the objects of a version live. Everything of a recording lies under one prefix, so that purge finds it all. */
export function objectKeys(recordingId: string, versionId: string, fileExtension: string) {
  const folder = `recordings/${recordingId}/${versionId}`;
  return {
    original: `${folder}/original.${fileExtension}`,
    playback: `${folder}/playback.m4a`,
    waveform: `${folder}/waveform.json`,
    // Of both sides of a call: names of their own, so that what goes with either side is known.
    bothPlayback: `${folder}/both-sides.m4a`,
    bothWaveform: `${folder}/both-sides.json`,
  };
}

/** A recording that can be seen (its first version is committed), with its newest version. */
export async function findRecording(
  database: Database,
  id: string,
  tx?: Transaction,
): Promise<{ recording: RecordingRow; version: VersionRow } | undefined> {
  const [recording] = await database.query<RecordingRow>('SELECT * FROM recordings WHERE id = $1 AND version > 0', [id], tx);
  if (recording === undefined) return undefined;
  const [version] = await database.query<VersionRow>(
    'SELECT * FROM recording_versions WHERE recording_id = $1 AND number = $2',
    [id, recording.version],
    tx,
  );
  return version === undefined ? undefined : { recording, version };
}

/** The recording of a call as its source names it, locked until `tx` ends. Rows still coming in are found too. */
export async function lockRecordingOfCall(
  database: Database,
  call: { sourceId: string; callId: string; part: string },
  tx: Transaction,
): Promise<RecordingRow | undefined> {
  const [recording] = await database.query<RecordingRow>(
    'SELECT * FROM recordings WHERE source_id = $1 AND call_id = $2 AND part = $3 FOR UPDATE',
    [call.sourceId, call.callId, call.part],
    tx,
  );
  return recording;
}
