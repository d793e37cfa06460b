import { z } from 'zod';
import type { Person } from '../access/caller.js';
import { viewOf } from '../access/policy.js';
import { maskNumber } from '../recordings/present.js';
import type { Interval, RecordingRow, VersionRow } from '../recordings/recording.js';
import { cutsOf, toPlayback } from '../recordings/timeline.js';
import type { AgreementRow, Revision } from './agreement.js';
import type { FoundAgreement } from './find-agreements.js';

/** Agreements as the API takes and tells them: times of the playback copy, names for those who see names. */

const summary = z.string().trim().min(1).max(2000);
const party = z.string().trim().min(1).max(200);
/** One name or several; `{name, role}` is written as `name (role)`. */
const parties = z
  .union([party, z.array(z.union([party, z.object({ name: party, role: party.optional() })])).min(1).max(20)])
  .transform((told) =>
    [told].flat().map((one) => (typeof one === 'string' ? one : one.role === undefined ? one.name : `${one.name} (${one.role})`)),
  );
const ticket = z.string().trim().max(80).nullable().transform((told) => (told === '' ? null : told));
const momentMs = z.int().min(0).max(86_400_000).meta({ description: 'Milliseconds of the playback copy, as the player shows them' });
export const reason = z.string().trim().min(1).max(2000);

const isForward = ({ startMs, endMs }: { startMs: number; endMs: number }) => endMs > startMs;
const backward = { path: ['endMs'], error: 'must lie after startMs' };

export const markSchema = z
  .object({ startMs: momentMs, endMs: momentMs, summary, parties, ticket: ticket.optional() })
  .refine(isForward, backward);

export const correctSchema = z
  .object({
    startMs: momentMs.optional(), endMs: momentMs.optional(), summary: summary.optional(), parties: parties.optional(),
    ticket: ticket.optional(), reason,
    revision: z.int().optional().meta({ description: 'The revision that was corrected; another one meanwhile is a conflict' }),
  })
  .refine(({ startMs, endMs }) => (startMs === undefined) === (endMs === undefined), {
    path: ['endMs'], error: 'goes together with startMs',
  })
  .refine(({ startMs = 0, endMs = 1 }) => isForward({ startMs, endMs }), backward);

const wordingShape = {
  startMs: z.int(),
  endMs: z.int(),
  summary: z.string(),
  parties: z.array(z.string()).nullable().meta({ description: 'Null where names are not shown' }),
  ticket: z.string().nullable(),
};

export const agreementSchema = z
  .object({
    id: z.uuid(),
    recordingId: z.uuid(),
    revision: z.int(),
    ...wordingShape,
    markedBy: z.object({ id: z.uuid(), name: z.string() }),
    markedAt: z.iso.datetime(),
    withdrawnAt: z.iso.datetime().nullable(),
    withdrawnReason: z.string().nullable(),
  })
  .meta({ id: 'Agreement' });

export const foundSchema = agreementSchema
  .extend({
    startedAt: z.iso.datetime(),
    caller: z.string().nullable(),
    callee: z.string().nullable(),
    agent: z.string().nullable(),
    channels: z.int(),
    retainUntil: z.iso.datetime().meta({ description: 'Marking does not move it: only a hold keeps the recording longer' }),
    held: z.boolean(),
  })
  .meta({ id: 'FoundAgreement' });

export const historySchema = agreementSchema
  .extend({
    history: z.array(
      z.object({
        revision: z.int(),
        ...wordingShape,
        changedBy: z.object({ id: z.uuid(), name: z.string() }),
        changedAt: z.iso.datetime(),
        reason: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'AgreementHistory' });

type Timed = Pick<AgreementRow, 'startMs' | 'endMs' | 'summary' | 'parties' | 'ticket'>;

const heardWording = (row: Timed, cuts: readonly Interval[], showNames: boolean) => ({
  startMs: toPlayback(row.startMs, cuts),
  endMs: toPlayback(row.endMs, cuts),
  summary: row.summary,
  parties: showNames ? row.parties : null,
  ticket: row.ticket,
});

/** Names of parties are shown to who sees names, and to who wrote them. */
const mayReadNames = (person: Person, row: AgreementRow) => viewOf(person.role).names || row.markedBy === person.userId;

export const presentAgreement = (row: AgreementRow, cuts: readonly Interval[], person: Person): z.input<typeof agreementSchema> => ({
  id: row.id,
  recordingId: row.recordingId,
  revision: row.revision,
  ...heardWording(row, cuts, mayReadNames(person, row)),
  markedBy: { id: row.markedBy, name: row.markedByName },
  markedAt: row.markedAt.toISOString(),
  withdrawnAt: row.withdrawnAt?.toISOString() ?? null,
  withdrawnReason: row.withdrawnReason,
});

/** What is cut from its playback copy. */
export const cutsIn = ({ recording, version }: { recording: RecordingRow; version: VersionRow }): Interval[] =>
  cutsOf(recording.holds, version.sample_rate_hz, version.duration_ms);

export function presentFound(row: FoundAgreement, person: Person, ownNumbers: readonly string[]): z.input<typeof foundSchema> {
  return {
    ...presentAgreement(row, cutsOf(row.holds, row.sampleRateHz, row.durationMs), person),
    startedAt: row.startedAt.toISOString(),
    caller: maskNumber(row.callerNumber, person.role, ownNumbers),
    callee: maskNumber(row.calleeNumber, person.role, ownNumbers),
    agent: row.agent,
    channels: row.channels,
    retainUntil: row.retainUntil.toISOString(),
    held: row.held,
  };
}

/** An agreement with every wording it had. */
export function presentHistory(
  row: AgreementRow, revisions: readonly Revision[], cuts: readonly Interval[], person: Person,
): z.input<typeof historySchema> {
  const showNames = mayReadNames(person, row);
  return {
    ...presentAgreement(row, cuts, person),
    history: revisions.map((wording) => ({
      revision: wording.revision,
      ...heardWording(wording, cuts, showNames),
      changedBy: { id: wording.changedBy, name: wording.changedByName },
      changedAt: wording.changedAt.toISOString(),
      reason: wording.reason,
    })),
  };
}
