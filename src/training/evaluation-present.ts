import { z } from 'zod';
import type { Person } from '../access/caller.js';
import type { Interval } from '../recordings/recording.js';
import { toPlayback } from '../recordings/timeline.js';
import type { Content } from './evaluation-content.js';
import type { FoundEvaluation, SubmittedVersion } from './find-evaluations.js';
import { cutsIn, keptPassage, momentMs, type Heard } from './passage.js';
import { heardOf, presentFacts, recordingFactsSchema } from './recording-facts.js';
import { scorecardContentSchema, type ScorecardContent } from './score.js';

/** Evaluations as the API shows and takes them. */

const named = z.object({ id: z.uuid(), name: z.string() });
const note = z
  .string()
  .trim()
  .max(2000)
  .transform((told) => (told === '' ? null : told))
  .nullable();
const instant = z.iso.datetime().nullable();

/** What a trainer writes. */
export const contentBody = z.object({
  answers: z
    .array(
      z.object({
        questionId: z.string().max(40),
        value: z
          .union([z.boolean(), z.int(), z.literal('not_applicable'), z.null()])
          .meta({ description: 'Yes or no; a place on the scale; N.v.t.; null: not answered yet' }),
        note: note.default(null),
        atMs: momentMs.nullable().default(null),
      }),
    )
    .max(1000)
    .default([]),
  notes: z
    .array(z.object({ atMs: momentMs, text: z.string().trim().min(1).max(2000) }))
    .max(200)
    .default([]),
  summary: z
    .string()
    .trim()
    .max(10_000)
    .transform((told) => (told === '' ? null : told))
    .nullable()
    .default(null),
});

const contentShape = {
  answers: z.array(
    z.object({
      questionId: z.string(),
      value: z.union([z.boolean(), z.int(), z.literal('not_applicable'), z.null()]),
      note: z.string().nullable(),
      atMs: z.int().nullable(),
    }),
  ),
  notes: z.array(z.object({ atMs: z.int(), text: z.string() })),
  summary: z.string().nullable(),
};

const sectionScores = z.array(z.object({ id: z.string(), title: z.string(), score: z.number().nullable() }));

export const evaluationSchema = z
  .object({
    id: z.uuid(),
    recording: recordingFactsSchema,
    agent: named,
    evaluator: named,
    scorecard: named.extend({ version: z.int() }),
    state: z
      .enum(['draft', 'submitted', 'acknowledged', 'responded'])
      .meta({ description: 'Of the newest submitted version' }),
    open: z.boolean().meta({ description: 'The reader has a draft of it' }),
    version: z.int().meta({ description: 'How often it was submitted' }),
    score: z
      .number()
      .nullable()
      .meta({ description: 'Percent, to one decimal; null before submission, when nothing was applicable, and in a list of several people' }),
    createdAt: z.iso.datetime(),
    submittedAt: instant,
  })
  .meta({ id: 'Evaluation' });

export const openEvaluationSchema = evaluationSchema
  .extend({
    audible: z.boolean().meta({ description: 'Whether the reader can hear the call: for an agent, whether it is shared' }),
    sections: scorecardContentSchema,
    draft: z
      .object({ revision: z.int(), savedAt: z.iso.datetime(), ...contentShape })
      .nullable()
      .meta({ description: 'The reader’s own' }),
    versions: z
      .array(
        z.object({
          version: z.int(),
          ...contentShape,
          score: z.number().nullable(),
          sectionScores,
          reason: z.string().nullable(),
          submittedAt: z.iso.datetime(),
          acknowledgedAt: instant,
          response: z.string().nullable(),
          respondedAt: instant,
          earlierResponses: z
            .array(z.object({ response: z.string(), respondedAt: z.iso.datetime() }))
            .meta({ description: 'What the agent said before, oldest first' }),
        }),
      )
      .meta({ description: 'Newest first' }),
  })
  .meta({ id: 'OpenEvaluation' });

export const outcomeSchema = z
  .object({
    evaluationId: z.uuid(),
    agent: named,
    scorecard: named.extend({ version: z.int() }),
    score: z.number().nullable(),
    sections: sectionScores,
    evaluatedAt: z.iso.datetime(),
    retainUntil: z.iso.datetime(),
    open: z.boolean().meta({ description: 'Whether the evaluation itself can still be read' }),
  })
  .meta({ id: 'EvaluationOutcome' });

/** Moments as they are kept. @throws Problem `invalid-input` for one that lies outside the recording */
export function keptContent(told: z.output<typeof contentBody>, heard: Heard): Content {
  const kept = (atMs: number) => keptPassage(heard, { startMs: atMs, endMs: null }).startMs;
  return {
    answers: told.answers.map((answer) => ({ ...answer, atMs: answer.atMs === null ? null : kept(answer.atMs) })),
    notes: told.notes.map(({ atMs, text }) => ({ atMs: kept(atMs), text })),
    summary: told.summary,
  };
}

const shownContent = ({ answers, notes, summary }: Content, cuts: readonly Interval[]) => ({
  answers: answers.map((answer) => ({ ...answer, atMs: answer.atMs === null ? null : toPlayback(answer.atMs, cuts) })),
  notes: notes.map(({ atMs, text }) => ({ atMs: toPlayback(atMs, cuts), text })),
  summary,
});

interface Reader {
  person: Person;
  ownNumbers: readonly string[];
  now: Date;
}

/** An evaluation in a list. */
export function presentEvaluation(
  row: FoundEvaluation,
  { person, ownNumbers, now }: Reader,
): z.input<typeof evaluationSchema> {
  return {
    id: row.id,
    recording: presentFacts(row.recording, person.role, ownNumbers, now),
    agent: row.agent,
    evaluator: row.evaluator,
    scorecard: row.scorecard,
    state:
      row.respondedAt !== null
        ? 'responded'
        : row.acknowledgedAt !== null
          ? 'acknowledged'
          : row.version > 0
            ? 'submitted'
            : 'draft',
    open: row.draft !== null && row.evaluator.id === person.userId,
    version: row.version,
    score: row.score,
    createdAt: row.createdAt.toISOString(),
    submittedAt: row.submittedAt?.toISOString() ?? null,
  };
}

/** An evaluation, opened. A draft is shown to its author alone. */
export function presentOpen(
  row: FoundEvaluation,
  versions: readonly SubmittedVersion[],
  sections: ScorecardContent,
  reader: Reader & { audible: boolean },
): z.input<typeof openEvaluationSchema> {
  const cuts = cutsIn(heardOf(row.recording));
  const draft = row.evaluator.id === reader.person.userId ? row.draft : null;
  return {
    ...presentEvaluation(row, reader),
    audible: reader.audible,
    sections,
    draft:
      draft === null
        ? null
        : { revision: row.revision, savedAt: row.savedAt.toISOString(), ...shownContent(draft, cuts) },
    versions: versions.map((version) => ({
      version: version.version,
      ...shownContent(version.content, cuts),
      score: version.score,
      sectionScores: version.sections,
      reason: version.reason,
      submittedAt: version.submittedAt.toISOString(),
      acknowledgedAt: version.acknowledgedAt?.toISOString() ?? null,
      response: version.response,
      respondedAt: version.respondedAt?.toISOString() ?? null,
      earlierResponses: version.earlierResponses.map(({ response, respondedAt }) => ({
        response,
        respondedAt: new Date(respondedAt).toISOString(),
      })),
    })),
  };
}
