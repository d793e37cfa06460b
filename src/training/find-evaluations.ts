import type { Person } from '../access/caller.js';
import type { Database } from '../platform/database.js';
import { Problem } from '../platform/problem.js';
import { openForTraining } from '../recordings/share.js';
import type { EvaluationRow } from './evaluation.js';
import type { Content } from './evaluation-content.js';
import { newestVersion, recordingFacts, type RecordingFacts } from './recording-facts.js';
import type { Score } from './score.js';

/** Reading evaluations: a trainer their own drafts and what anyone submitted, an agent what was submitted about them. */

type Named = { id: string; name: string };

/** A version as it was submitted; times on the recording's own timeline. */
export interface SubmittedVersion {
  version: number;
  content: Content;
  score: number | null;
  sections: Score['sections'];
  reason: string | null;
  submittedAt: Date;
  acknowledgedAt: Date | null;
  response: string | null;
  respondedAt: Date | null;
  /** Oldest first; instants as text, since they come out of JSON. */
  earlierResponses: { response: string; respondedAt: string }[];
}

export interface FoundEvaluation extends Pick<EvaluationRow, 'id' | 'version' | 'revision' | 'draft'> {
  recording: RecordingFacts;
  agent: Named;
  evaluator: Named;
  scorecard: Named & { version: number };
  createdAt: Date;
  savedAt: Date;
  /** Of the newest submitted version. */
  score: number | null;
  submittedAt: Date | null;
  acknowledgedAt: Date | null;
  respondedAt: Date | null;
}

const select = `SELECT e.id, e.version, e.revision, e.draft, ${recordingFacts} AS recording,
  json_build_object('id', a.id, 'name', a.name) AS agent, json_build_object('id', b.id, 'name', b.name) AS evaluator,
  json_build_object('id', e.scorecard_id, 'name', c.name, 'version', c.version) AS scorecard,
  e.created_at AS "createdAt", e.saved_at AS "savedAt", n.score, n.submitted_at AS "submittedAt",
  n.acknowledged_at AS "acknowledgedAt", n.responded_at AS "respondedAt"
  FROM evaluations e JOIN recordings r ON r.id = e.recording_id ${newestVersion}
    JOIN users a ON a.id = e.agent_id JOIN users b ON b.id = e.evaluator_id
    JOIN scorecard_versions c ON c.scorecard_id = e.scorecard_id AND c.version = e.scorecard_version
    LEFT JOIN evaluation_versions n ON n.evaluation_id = e.id AND n.version = e.version`;

/** SQL over `e` and `r` at `$1`: what the person `$2` may read. */
const readable = (person: Person) =>
  `${openForTraining('$1')} AND ${person.role === 'agent' ? 'e.agent_id = $2 AND e.version > 0' : '(e.version > 0 OR e.evaluator_id = $2)'}`;

/** @throws Problem `not-found` */
export async function readEvaluation(
  database: Database,
  person: Person,
  id: string,
  now: Date,
): Promise<FoundEvaluation> {
  const [row] = await database.query<FoundEvaluation>(`${select} WHERE e.id = $3 AND ${readable(person)}`, [
    now,
    person.userId,
    id,
  ]);
  if (row === undefined) throw new Problem('not-found');
  return row;
}

/** Everything that was submitted, newest first. */
export async function versionsOf(database: Database, evaluationId: string): Promise<SubmittedVersion[]> {
  return await database.query<SubmittedVersion>(
    `SELECT version, content, score, sections, reason, submitted_at AS "submittedAt", acknowledged_at AS "acknowledgedAt",
       response, responded_at AS "respondedAt", earlier_responses AS "earlierResponses"
     FROM evaluation_versions WHERE evaluation_id = $1 ORDER BY version DESC`,
    [evaluationId],
  );
}

export interface EvaluationFilter {
  agentId: string | undefined;
  recordingId: string | undefined;
  /** `draft`: open, by the reader. */
  state: 'draft' | 'submitted' | 'acknowledged' | undefined;
}

/** Newest first, one more than `limit` if there is a next page. */
export async function findEvaluations(
  database: Database,
  person: Person,
  filter: EvaluationFilter,
  page: { limit: number; after: { at: Date; id: string } | undefined },
  now: Date,
): Promise<FoundEvaluation[]> {
  const bind: unknown[] = [now, person.userId];
  const value = (given: unknown) => `$${bind.push(given)}`;
  const conditions = [readable(person)];
  if (filter.agentId !== undefined) conditions.push(`e.agent_id = ${value(filter.agentId)}`);
  if (filter.recordingId !== undefined) conditions.push(`e.recording_id = ${value(filter.recordingId)}`);
  if (filter.state === 'draft') conditions.push('e.draft IS NOT NULL AND e.evaluator_id = $2');
  if (filter.state === 'submitted') conditions.push('e.version > 0 AND n.acknowledged_at IS NULL');
  if (filter.state === 'acknowledged') conditions.push('n.acknowledged_at IS NOT NULL');
  if (page.after !== undefined)
    conditions.push(`(e.created_at, e.id) < (${value(page.after.at)}, ${value(page.after.id)}::uuid)`);
  return await database.query<FoundEvaluation>(
    `${select} WHERE ${conditions.join(' AND ')} ORDER BY e.created_at DESC, e.id DESC LIMIT ${value(page.limit + 1)}`,
    bind,
  );
}

/** What outlives the recording. */
export interface Outcome {
  evaluationId: string;
  agent: Named;
  scorecard: Named & { version: number };
  score: number | null;
  sections: Score['sections'];
  evaluatedAt: Date;
  retainUntil: Date;
  /** Whether its content can still be read. */
  open: boolean;
}

/** The outcomes of one agent in a period, newest first: scores of several agents are never set side by side. */
export async function outcomesOf(
  database: Database,
  agentId: string,
  period: { from: Date | undefined; until: Date | undefined },
  page: { limit: number; after: { at: Date; id: string } | undefined },
  now: Date,
): Promise<Outcome[]> {
  return await database.query<Outcome>(
    `SELECT o.evaluation_id AS "evaluationId", json_build_object('id', a.id, 'name', a.name) AS agent,
       json_build_object('id', o.scorecard_id, 'name', c.name, 'version', c.version) AS scorecard, o.score, o.sections,
       o.evaluated_at AS "evaluatedAt", o.retain_until AS "retainUntil",
       EXISTS (SELECT FROM evaluations e JOIN recordings r ON r.id = e.recording_id
               WHERE e.id = o.evaluation_id AND ${openForTraining('$1')}) AS open
     FROM evaluation_outcomes o JOIN users a ON a.id = o.agent_id
       JOIN scorecard_versions c ON c.scorecard_id = o.scorecard_id AND c.version = o.scorecard_version
     WHERE o.agent_id = $2 AND o.retain_until > $1
       AND ($6::timestamptz IS NULL OR o.evaluated_at >= $6) AND ($7::timestamptz IS NULL OR o.evaluated_at < $7)
       AND ($3::timestamptz IS NULL OR (o.evaluated_at, o.evaluation_id) < ($3, $4::uuid))
     ORDER BY o.evaluated_at DESC, o.evaluation_id DESC LIMIT $5`,
    [
      now,
      agentId,
      page.after?.at ?? null,
      page.after?.id ?? null,
      page.limit + 1,
      period.from ?? null,
      period.until ?? null,
    ],
  );
}

/** Of one agent, in a period: how many calls there are, and of how many of those something was done. */
export interface Coverage {
  agent: Named;
  extensions: string[];
  calls: number;
  listened: number;
  lastListenedAt: Date | null;
  shared: number;
  evaluated: number;
}

/** Who has been listened to, by name and without scores: to see who was passed over, not who is best. */
export async function coverage(
  database: Database,
  period: { from: Date; until: Date },
  now: Date,
): Promise<Coverage[]> {
  return await database.query<Coverage>(
    `SELECT json_build_object('id', a.id, 'name', a.name) AS agent, a.extensions, count(r.id) AS calls, count(heard.at) AS listened,
       max(heard.at) AS "lastListenedAt", count(*) FILTER (WHERE heard.shared) AS shared,
       count(*) FILTER (WHERE heard.evaluated) AS evaluated
     FROM users a
       LEFT JOIN recordings r ON r.agent = ANY (a.extensions) AND r.started_at >= $2 AND r.started_at < $3 AND r.leg_of IS NULL
         AND ${openForTraining('$1')}
       LEFT JOIN LATERAL (
         SELECT (SELECT max(l.opened_at) FROM listens l JOIN users t ON t.id = l.user_id
                 WHERE l.recording_id = r.id AND l.purpose = 'training' AND t.role = 'trainer') AS at,
           EXISTS (SELECT FROM recording_shares s WHERE s.recording_id = r.id AND s.agent_id = a.id AND s.revoked_at IS NULL) AS shared,
           EXISTS (SELECT FROM evaluations e WHERE e.recording_id = r.id AND e.agent_id = a.id AND e.version > 0) AS evaluated
       ) heard ON r.id IS NOT NULL
     WHERE a.role = 'agent' AND a.disabled_at IS NULL GROUP BY a.id, a.name, a.extensions ORDER BY a.name, a.id`,
    [now, period.from, period.until],
  );
}
