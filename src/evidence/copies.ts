import type { CopyOrder } from '../packages/originals.js';
import type { Database } from '../platform/database.js';
import { sidesOf } from '../recordings/legs.js';
import type { Interval, RecordingRow, VersionRow } from '../recordings/recording.js';
import type { AgreementRow } from './agreement.js';
import type { KeptMask } from './order-evidence.js';

/** Which copies are made of a recording: the passages agreed upon, or the whole where none is marked. */

/** What a copy is made by: on the timeline of the recording that is copied. */
interface Plan {
  passages: (Interval & { agreementId: string; versionId: string })[];
  cuts: Interval[];
  masks: CopyOrder['masks'];
}

const passageOf = ({ id, versionId, startMs, endMs }: AgreementRow) => ({ agreementId: id, versionId, startMs, endMs });

const withoutId = ({ startMs, endMs, channel }: KeptMask) => ({ startMs, endMs, ...(channel === undefined ? {} : { channel }) });

/** By how much earlier `intervals` lie on a timeline that begins `byMs` later; what ends before its beginning is gone. */
function earlier<Stretch extends Interval>(intervals: readonly Stretch[], byMs: number): Stretch[] {
  return intervals
    .map((each) => ({ ...each, startMs: Math.max(0, each.startMs - byMs), endMs: each.endMs - byMs }))
    .filter(({ startMs, endMs }) => endMs > startMs);
}

/**
 * Of a call recorded in one file a side, agreements are marked on the recording that plays both; each side then gives its
 * own copy of the passage, from where it was at that moment.
 */
async function planOf(
  database: Database, recording: RecordingRow, versions: readonly VersionRow[],
  agreements: ReadonlyMap<string, readonly AgreementRow[]>, masks: readonly KeptMask[],
): Promise<Plan> {
  const standing = (id: string) => (agreements.get(id) ?? []).filter(({ withdrawnAt }) => withdrawnAt === null);
  const own = masks.filter(({ recordingId }) => recordingId === recording.id);
  const plain = { passages: standing(recording.id).map(passageOf), cuts: recording.holds, masks: own.map(withoutId) };
  const newest = versions.at(-1);
  if (recording.leg === null || newest === undefined) return plain;
  const leadingId = recording.leg_of ?? recording.id;
  const sides = await sidesOf(database, leadingId);
  if (sides?.[recording.leg].id !== newest.id) return plain;
  const [leading] = await database.query<RecordingRow>('SELECT * FROM recordings WHERE id = $1', [leadingId]);
  if (leading === undefined) return plain;
  const laterMs = recording.started_at.getTime() - Math.min(sides.caller.started_at.getTime(), sides.agent.started_at.getTime());
  const heard = masks.filter(({ recordingId, channel }) =>
    recordingId === leadingId && (channel === undefined || leading.channel_map[channel] === recording.leg));
  return {
    passages: [
      ...earlier(standing(leadingId).map(passageOf), laterMs).map((passage) => ({ ...passage, versionId: newest.id })),
      ...(leadingId === recording.id ? [] : plain.passages),
    ],
    cuts: earlier(leading.holds, laterMs),
    masks: earlier(heard.map(({ startMs, endMs }) => ({ startMs, endMs })), laterMs),
  };
}

/** The copies of each version, by its id: of its agreements' passages; of the newest, where nothing is marked, the whole. */
export async function copiesOf(
  database: Database, recording: RecordingRow, versions: readonly VersionRow[],
  agreements: ReadonlyMap<string, readonly AgreementRow[]>, masks: readonly KeptMask[],
): Promise<Map<string, CopyOrder[]>> {
  const { passages, ...common } = await planOf(database, recording, versions, agreements, masks);
  const orders = new Map(versions.map(({ id }) => [id, [] as CopyOrder[]]));
  const newest = versions.at(-1);
  if (passages.length === 0 && newest !== undefined)
    orders.get(newest.id)?.push({ kind: 'masked_copy', file: 'masked-copy.wav', agreementId: null, passage: undefined, ...common });
  for (const [index, { agreementId, versionId, startMs, endMs }] of passages.entries())
    orders.get(versionId)?.push({
      kind: 'clip', file: `clip-${String(index + 1).padStart(2, '0')}.wav`, agreementId, passage: { startMs, endMs }, ...common,
    });
  return orders;
}
