import type { Bag } from '../packages/bag.js';
import type { Platform } from '../platform/platform.js';
import { policiesInForce } from '../retention/policies.js';
import { statementPath, type Changes, type ContentRecording } from '../packages/verifier/layout.js';
import type { RecordingRow, VersionRow } from '../recordings/recording.js';
import { promised } from '../retention/policy.js';
import { changesOf } from '../recordings/history.js';
import { revisionsOf, type AgreementRow } from './agreement.js';
import type { Custody } from './custody.js';

/** What is known of a recording, as files of a package: itself, its agreements, what keeps it, until when. */

/** A recording with everything that is packed of it. */
export interface Packed {
  recording: RecordingRow & { source_name: string };
  versions: VersionRow[];
  agreements: AgreementRow[];
  withdrawn: AgreementRow[];
  custody: Custody;
  /** Folders, as in the list of contents. */
  place: Pick<ContentRecording, 'audio' | 'records' | 'proofs'>;
}

type Base = Pick<Platform, 'database'>;

/**
 * Writes `custody.jsonl` and what its lines are about: `recording.json`, `changes.json`, `agreement.json`, `holds.json` and
 * `policy.json`; a statement of the person concerned (art. 16 GDPR) also as a text of its own. @returns paths of those
 */
export async function writeRecords(platform: Base, bag: Bag, packed: Packed): Promise<string[]> {
  const folder = packed.place.records;
  await bag.addText(`${folder}custody.jsonl`, packed.custody.text);
  await bag.addJson(`${folder}recording.json`, recordingFacts(packed));
  await bag.addJson(`${folder}agreement.json`, {
    timeline: 'milliseconds of the recording as received, hold music included',
    agreements: await Promise.all(packed.agreements.map((agreement) => agreementFacts(platform, agreement))),
    withdrawn: packed.withdrawn.map(({ id, markedAt, withdrawnAt }) => ({ id, markedAt, withdrawnAt })),
  });
  const retention = await retentionHolds(platform, packed);
  await bag.addJson(`${folder}holds.json`, { music: packed.recording.holds, retention });
  await bag.addJson(`${folder}policy.json`, await policyFacts(platform, packed));
  return await writeChanges(platform, bag, packed);
}

/** Each change with what stood there before, by whom and when. */
async function writeChanges({ database }: Base, bag: Bag, { custody, place, recording }: Packed): Promise<string[]> {
  const changes = (await changesOf(database, recording.id)).flatMap(({ id, fields, statement, salt }) => {
    const act = custody.changes.get(id);
    return act === undefined ? [] : [{ id, at: act.at, by: act.actor, fields, statement, salt }];
  });
  const file: Changes = {
    format: 'opname-changes/1',
    recordingId: recording.id,
    changes,
  };
  await bag.addJson(`${place.records}changes.json`, file);
  const statements: string[] = [];
  for (const { statement } of changes) {
    if (statement === null) continue;
    const path = statementPath(place.records, statements.length);
    await bag.addText(path, statement);
    statements.push(path);
  }
  return statements;
}

function recordingFacts({ recording, versions }: Packed) {
  return {
    id: recording.id,
    source: { id: recording.source_id, name: recording.source_name },
    callId: recording.call_id,
    part: recording.part,
    direction: recording.direction,
    caller: { number: recording.caller_number, name: recording.caller_name },
    callee: { number: recording.callee_number, name: recording.callee_name },
    agent: recording.agent,
    queue: recording.queue,
    ticket: recording.ticket_number,
    startedAt: recording.started_at,
    endedAt: recording.ended_at,
    channelMap: recording.channel_map,
    // Of a call recorded in one file a side: whose this is, and with which recording it is played together.
    leg: recording.leg,
    legOf: recording.leg_of,
    versions: versions.map((version) => ({
      versionId: version.id,
      number: version.number,
      sha256: version.sha256,
      bytes: version.bytes,
      container: version.container,
      codec: version.codec,
      channels: version.channels,
      sampleRateHz: version.sample_rate_hz,
      durationMs: version.duration_ms,
      truncated: version.truncated,
      receivedAt: version.received_at,
    })),
  };
}

async function agreementFacts({ database }: Base, agreement: AgreementRow) {
  const { id, versionId, revision, startMs, endMs, summary, parties, ticket } = agreement;
  return {
    id, versionId, revision, startMs, endMs, summary, parties, ticket,
    markedBy: agreement.markedByName,
    markedAt: agreement.markedAt,
    // A digest of each wording and its salt stands in the custody file, and with it in the audit chain.
    history: (await revisionsOf(database, id)).filter((wording) => wording.revision <= revision).map(({ changedBy: _id, changedByName, ...wording }) => ({
      ...wording, changedBy: changedByName,
    })),
  };
}

/** Holds without their reasons, which are the house's own; one that custody keeps silent about is told to nobody. */
async function retentionHolds({ database }: Base, { custody, recording }: Packed): Promise<object[]> {
  return await database.query(
    `SELECT id, ground, placed_at AS "placedAt", confirmed_at AS "confirmedAt", review_at AS "reviewAt",
       released_at AS "releasedAt", ends_at AS "endsAt"
     FROM holds WHERE category = 'recording' AND item_id = $1 AND id = ANY ($2::uuid[]) ORDER BY placed_at, id`,
    [recording.id, [...custody.holdIds]],
  );
}

async function policyFacts({ database }: Base, { recording }: Packed) {
  const policies = await policiesInForce(database);
  const inForce = (name: 'recording' | 'package') => {
    const policy = policies.find((each) => each.category === name) ?? promised[name];
    return { amount: policy.amount, unit: policy.unit, countedFrom: promised[name].countedFrom };
  };
  return {
    purposes: ['training', 'evidence of agreements'],
    ground: 'legitimate interest, art. 6(1)(f) GDPR',
    recording: { ...inForce('recording'), retainUntil: recording.retain_until, frozenAt: recording.created_at },
    package: { ...inForce('package'), never: 'kept past the deletion of what it contains' },
  };
}
