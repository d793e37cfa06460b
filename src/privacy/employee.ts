import type { Transaction } from 'sequelize';
import type { Database } from '../platform/database.js';
import type { Person } from '../access/caller.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';

/**
 * Requests of people who work here: besides the calls, what was said of them at work. Whoever evaluates or leads them does
 * not handle their request, nor do they themselves: to those it is not there.
 */

/** SQL over `q`: may the person whose id is `userIdSql` not handle this request, nor know of it? */
export const keptFrom = (userIdSql: string): string => `(${userIdSql}::uuid = ANY (q.kept_from) OR q.employee_id IS NOT NULL AND (
    q.employee_id = ${userIdSql}::uuid
    OR EXISTS (SELECT FROM evaluations e WHERE e.agent_id = q.employee_id AND e.evaluator_id = ${userIdSql}::uuid)
    OR EXISTS (SELECT FROM recording_shares s WHERE s.agent_id = q.employee_id AND s.shared_by = ${userIdSql}::uuid)))`;

/** @throws Problem `not-found` for who may not handle this request */
export async function refuseKeptFrom(database: Database, person: Person, requestId: string): Promise<void> {
  const [kept] = await database.query(`SELECT 1 FROM privacy_requests q WHERE q.id = $1 AND ${keptFrom('$2')}`, [requestId, person.userId]);
  if (kept !== undefined) throw new Problem('not-found');
}

export interface Evaluated {
  at: Date;
  recordingId: string;
  scorecard: string;
  score: number | null;
  answers: { question: string; answer: string; note: string | null }[];
  notes: string[];
  summary: string | null;
  response: string | null;
}

/** What was written about an employee's work. Who wrote it is told by role: that is theirs, not the employee's. */
export interface Work {
  evaluations: Evaluated[];
  /** Of evaluations whose recording is gone: score and date are what is left. */
  outcomes: { at: Date; score: number | null }[];
  comments: { at: Date; recordingId: string; kind: string; role: string; text: string }[];
  /** Calls that were drawn at random to be evaluated. */
  samples: { at: Date; size: number }[];
}

interface EvaluationRow {
  at: Date;
  recordingId: string;
  scorecard: string;
  score: number | null;
  content: { answers: { questionId: string; value: unknown; note: string | null }[]; notes: { text: string }[]; summary: string | null };
  sections: { questions: { id: string; text: string }[] }[];
  response: string | null;
}

/** Reads what was written about the work of an employee; of comments those on the calls that are theirs in this request. */
export async function workOf(
  { clock, database }: Pick<Platform, 'clock' | 'database'>,
  employeeId: string,
  requestId: string,
  tx?: Transaction,
): Promise<Work> {
  const now = clock.now();
  const evaluations = await database.query<EvaluationRow>(
    `SELECT v.submitted_at AS at, e.recording_id AS "recordingId", c.name AS scorecard, v.score, v.content, c.content AS sections,
       v.response
     FROM evaluations e JOIN evaluation_versions v ON v.evaluation_id = e.id
     JOIN scorecard_versions c ON c.scorecard_id = e.scorecard_id AND c.version = e.scorecard_version
     WHERE e.agent_id = $1 ORDER BY v.submitted_at, e.id, v.version`,
    [employeeId],
    tx,
  );
  return {
    evaluations: evaluations.map(({ content, sections, ...row }) => {
      const questions = new Map(sections.flatMap((section) => section.questions).map(({ id, text }) => [id, text]));
      return {
        ...row,
        answers: content.answers.map(({ questionId, value, note }) => ({
          question: questions.get(questionId) ?? questionId, answer: String(value ?? ''), note,
        })),
        notes: content.notes.map(({ text }) => text),
        summary: content.summary,
      };
    }),
    outcomes: await database.query<Work['outcomes'][number]>(
      `SELECT o.evaluated_at AS at, o.score FROM evaluation_outcomes o
       WHERE o.agent_id = $1 AND o.retain_until > $2
         AND NOT EXISTS (SELECT FROM evaluations e WHERE e.id = o.evaluation_id) ORDER BY o.evaluated_at`,
      [employeeId, now],
      tx,
    ),
    comments: await database.query<Work['comments'][number]>(
      `SELECT c.created_at AS at, c.recording_id AS "recordingId", c.kind, u.role, c.text FROM comments c JOIN users u ON u.id = c.author_id
       WHERE c.recording_id IN (SELECT i.item_id FROM privacy_items i WHERE i.request_id = $1 AND i.kind = 'recording' AND i.confirmed)
         AND c.deleted_at IS NULL ORDER BY c.created_at, c.id`,
      [requestId],
      tx,
    ),
    samples: await database.query<Work['samples'][number]>(
      'SELECT drawn_at AS at, size FROM samples WHERE agent_id = $1 AND retain_until > $2 ORDER BY drawn_at',
      [employeeId, now],
      tx,
    ),
  };
}
