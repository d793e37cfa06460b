import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { append } from '../audit/log.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { lockKept } from '../recordings/kept.js';
import { shareIn } from '../recordings/share.js';
import { periodInForce } from '../retention/policies.js';
import { endOfPeriod } from '../retention/policy.js';
import { checkAnswers, emptyContent, isSame, type Content } from './evaluation-content.js';
import { scoreOf } from './score.js';
import { scorecardOf } from './scorecard.js';

/**
 * A trainer's evaluation of one of an agent's calls: a draft that is saved as it is written, submitted versions that are
 * never altered, the agent's acknowledgement and response. Its content goes with the recording; the outcome stays a year.
 */

export type EvaluationPlatform = Pick<Platform, 'clock' | 'database'>;

export interface EvaluationRow {
  id: string;
  recording_id: string;
  agent_id: string;
  evaluator_id: string;
  scorecard_id: string;
  scorecard_version: number;
  /** How often it was submitted. */
  version: number;
  /** Counts the drafts that were saved: who saves says on which one. */
  revision: number;
  draft: Content | null;
  revise_reason: string | null;
  created_at: Date;
  saved_at: Date;
}

const act = (
  person: Person,
  action: string,
  row: Pick<EvaluationRow, 'id' | 'recording_id'>,
  details: { [name: string]: string | number } = {},
) => ({
  actor: actorOf(person),
  action,
  object: { type: 'evaluation', id: row.id },
  details: { recordingId: row.recording_id, ...details },
});

/** Locks an evaluation, after its recording, as everything does that writes about a recording. @throws Problem `not-found` */
async function lockEvaluation(base: EvaluationPlatform, tx: Transaction, id: string): Promise<EvaluationRow> {
  const { database } = base;
  const [known] = await database.query<{ recordingId: string }>(
    'SELECT recording_id AS "recordingId" FROM evaluations WHERE id = $1',
    [id],
    tx,
  );
  if (known === undefined) throw new Problem('not-found');
  await lockKept(base, tx, known.recordingId);
  const [row] = await database.query<EvaluationRow>('SELECT * FROM evaluations WHERE id = $1 FOR UPDATE', [id], tx);
  if (row === undefined) throw new Problem('not-found');
  return row;
}

/** The draft of this very trainer, locked. @throws Problem `not-found` for another's, `conflict` when it was submitted */
async function lockDraft(base: EvaluationPlatform, tx: Transaction, person: Person, id: string) {
  const row = await lockEvaluation(base, tx, id);
  if (row.evaluator_id !== person.userId) throw new Problem('not-found');
  if (row.draft === null)
    throw new Problem('conflict', {
      detail: 'This evaluation was submitted; revise it to change it.',
      members: { version: row.version },
    });
  return { ...row, draft: row.draft };
}

/** Begins an evaluation, or finds the draft that this trainer began. @throws Problem `not-found`, `retention-ended`, `conflict` */
export async function beginEvaluation(
  base: EvaluationPlatform,
  person: Person,
  of: { recordingId: string; recordingVersion: number; agentId: string; scorecardId: string },
): Promise<{ id: string; begun: boolean }> {
  const { clock, database } = base;
  return await database.inTransaction(async (tx) => {
    await lockKept(base, tx, of.recordingId);
    const scorecard = await scorecardOf(database, of.scorecardId, undefined, tx);
    if (scorecard.archivedAt !== null) throw new Problem('conflict', { detail: 'This scorecard is in use no longer.' });
    const id = newId(clock);
    const [inserted] = await database.query(
      `INSERT INTO evaluations (id, recording_id, recording_version, agent_id, evaluator_id, scorecard_id, scorecard_version,
         draft, created_at, saved_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $9)
       ON CONFLICT (recording_id, evaluator_id, scorecard_id, agent_id) WHERE version = 0 DO NOTHING RETURNING id`,
      [
        id,
        of.recordingId,
        of.recordingVersion,
        of.agentId,
        person.userId,
        scorecard.id,
        scorecard.version,
        JSON.stringify(emptyContent),
        clock.now(),
      ],
      tx,
    );
    if (inserted !== undefined) {
      await append(
        database,
        clock,
        tx,
        act(person, 'evaluation.begun', { id, recording_id: of.recordingId }, { agentId: of.agentId }),
      );
      return { id, begun: true };
    }
    const [known] = await database.query<{ id: string }>(
      `SELECT id FROM evaluations WHERE recording_id = $1 AND evaluator_id = $2 AND scorecard_id = $3 AND agent_id = $4 AND version = 0`,
      [of.recordingId, person.userId, of.scorecardId, of.agentId],
      tx,
    );
    if (known === undefined) throw new Problem('conflict', { detail: 'This evaluation was just submitted.' });
    return { id: known.id, begun: false };
  });
}

const changedMeanwhile = (revision: number) =>
  new Problem('conflict', { detail: 'This draft was saved elsewhere meanwhile.', members: { revision } });

/**
 * Saves a draft over revision `seen`. The same content again changes nothing, so that a save whose answer got lost can be
 * repeated.
 * @throws Problem `not-found`, `conflict` (submitted, or saved elsewhere), `invalid-input`, `retention-ended`
 */
export async function saveDraft(
  base: EvaluationPlatform,
  person: Person,
  id: string,
  seen: number,
  content: Content,
): Promise<void> {
  const { clock, database } = base;
  await database.inTransaction(async (tx) => {
    const row = await lockDraft(base, tx, person, id);
    if (isSame(row.draft, content)) return;
    if (row.revision !== seen) throw changedMeanwhile(row.revision);
    checkAnswers(content, (await scorecardOf(database, row.scorecard_id, row.scorecard_version, tx)).sections, false);
    await database.query(
      'UPDATE evaluations SET draft = $2::jsonb, revision = revision + 1, saved_at = $3 WHERE id = $1',
      [id, JSON.stringify(content), clock.now()],
      tx,
    );
  });
}

/** Throws a draft away: the evaluation with it if it was never submitted. @throws Problem `not-found`, `conflict` */
export async function discardDraft(base: EvaluationPlatform, person: Person, id: string): Promise<void> {
  const { clock, database } = base;
  await database.inTransaction(async (tx) => {
    const row = await lockDraft(base, tx, person, id);
    if (row.version === 0) await database.query('DELETE FROM evaluations WHERE id = $1', [id], tx);
    else
      await database.query(
        'UPDATE evaluations SET draft = NULL, revise_reason = NULL, revision = revision + 1 WHERE id = $1',
        [id],
        tx,
      );
    await append(database, clock, tx, act(person, 'evaluation.draft_discarded', row));
  });
}

/**
 * Submits draft revision `seen` as the next version, computes its score, and keeps the outcome for its own period, counted
 * from the first submission. Repeated, it is the same submission.
 * @throws Problem `not-found`, `conflict`, `invalid-input` naming what is not answered, `retention-ended`
 */
export async function submitEvaluation(
  base: EvaluationPlatform,
  person: Person,
  id: string,
  told: { revision: number; share: boolean; timeZone: string },
): Promise<void> {
  const { clock, database } = base;
  await database.inTransaction(async (tx) => {
    const before = await lockEvaluation(base, tx, id);
    const again = await database.query(
      'SELECT 1 FROM evaluation_versions WHERE evaluation_id = $1 AND version = $2 AND from_revision = $3',
      [id, before.version, told.revision],
      tx,
    );
    if (before.evaluator_id === person.userId && before.draft === null && again.length > 0) return;
    const row = await lockDraft(base, tx, person, id);
    if (row.revision !== told.revision) throw changedMeanwhile(row.revision);
    const { sections: content } = await scorecardOf(database, row.scorecard_id, row.scorecard_version, tx);
    checkAnswers(row.draft, content, true);
    const { score, sections } = scoreOf(
      content,
      new Map(row.draft.answers.map(({ questionId, value }) => [questionId, value])),
    );
    const now = clock.now();
    const version = row.version + 1;
    await database.query(
      `INSERT INTO evaluation_versions (evaluation_id, version, content, score, sections, reason, from_revision, submitted_at)
       VALUES ($1, $2, $3::jsonb, $4, $5::jsonb, $6, $7, $8)`,
      [id, version, JSON.stringify(row.draft), score, JSON.stringify(sections), row.revise_reason, row.revision, now],
      tx,
    );
    await database.query(
      'UPDATE evaluations SET version = $2, draft = NULL, revise_reason = NULL, revision = revision + 1 WHERE id = $1',
      [id, version],
      tx,
    );
    await database.query(
      `INSERT INTO evaluation_outcomes (evaluation_id, agent_id, scorecard_id, scorecard_version, score, sections, evaluated_at, retain_until)
       VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8)
       ON CONFLICT (evaluation_id) DO UPDATE SET score = excluded.score, sections = excluded.sections`,
      [
        id,
        row.agent_id,
        row.scorecard_id,
        row.scorecard_version,
        score,
        JSON.stringify(sections),
        now,
        endOfPeriod(now, await periodInForce(database, 'evaluation', tx), told.timeZone),
      ],
      tx,
    );
    if (told.share) await shareIn(base, tx, person, row.recording_id, row.agent_id, undefined);
    await append(database, clock, tx, act(person, 'evaluation.submitted', row, { agentId: row.agent_id, version }));
  });
}

/** Opens a submitted evaluation for change; what was submitted stays as it is. @throws Problem `not-found`, `conflict` when it is open */
export async function reviseEvaluation(
  base: EvaluationPlatform,
  person: Person,
  id: string,
  reason: string,
): Promise<void> {
  const { clock, database } = base;
  await database.inTransaction(async (tx) => {
    const row = await lockEvaluation(base, tx, id);
    if (row.evaluator_id !== person.userId) throw new Problem('not-found');
    if (row.draft !== null) throw new Problem('conflict', { detail: 'This evaluation is open already.' });
    await database.query(
      `UPDATE evaluations e SET draft = v.content, revise_reason = $2, revision = e.revision + 1, saved_at = $3
       FROM evaluation_versions v WHERE e.id = $1 AND v.evaluation_id = e.id AND v.version = e.version`,
      [id, reason, clock.now()],
      tx,
    );
    await append(database, clock, tx, act(person, 'evaluation.revised', row, { version: row.version }));
  });
}

/**
 * The agent has read version `version`, and may say something to it; said anew, what was said before stays beside it.
 * @throws Problem `not-found`, `conflict` when a newer version was submitted meanwhile
 */
export async function answerEvaluation(
  base: EvaluationPlatform,
  person: Person,
  id: string,
  told: { version: number; response: string | undefined },
): Promise<void> {
  const { clock, database } = base;
  await database.inTransaction(async (tx) => {
    const row = await lockEvaluation(base, tx, id);
    if (row.agent_id !== person.userId || row.version === 0) throw new Problem('not-found');
    if (row.version !== told.version)
      throw new Problem('conflict', {
        detail: 'A newer version was submitted meanwhile.',
        members: { version: row.version },
      });
    await database.query(
      `UPDATE evaluation_versions SET acknowledged_at = coalesce(acknowledged_at, $3), response = coalesce($4, response),
         responded_at = CASE WHEN $4::text IS NULL OR $4 = response THEN responded_at ELSE $3 END,
         earlier_responses = CASE WHEN $4 <> response
           THEN earlier_responses || jsonb_build_object('response', response, 'respondedAt', responded_at)
           ELSE earlier_responses END
       WHERE evaluation_id = $1 AND version = $2`,
      [id, told.version, clock.now(), told.response ?? null],
      tx,
    );
    await append(
      database,
      clock,
      tx,
      act(person, told.response === undefined ? 'evaluation.acknowledged' : 'evaluation.responded', row, {
        version: told.version,
      }),
    );
  });
}
