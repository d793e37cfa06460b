import { z } from 'zod';

/** Scorecards, the answers to them, and the score that follows: pure. */

const text = z.string().trim().min(1).max(500);
const id = z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be lower-case letters, digits and hyphens');
const weight = z.int().min(1).max(100).default(1);

const questionSchema = z
  .object({
    id,
    text,
    kind: z.enum(['yes_no', 'scale']),
    max: z.int().min(2).max(10).default(5).meta({ description: 'Of a scale, which begins at 1' }),
    weight,
    notApplicable: z.boolean().default(true).meta({ description: 'Whether “N.v.t.” is an answer' }),
  })
  .meta({ id: 'ScorecardQuestion' });

const sectionSchema = z
  .object({ id, title: text, weight, questions: z.array(questionSchema).min(1).max(50) })
  .meta({ id: 'ScorecardSection' });

/** The content of one version of a scorecard. Ids tell questions apart within it. */
export const scorecardContentSchema = z
  .array(sectionSchema)
  .min(1)
  .max(20)
  .superRefine((sections, context) => {
    const seen = new Set<string>();
    const claim = (name: string, path: (string | number)[]) => {
      if (seen.has(name)) context.addIssue({ code: 'custom', path, message: 'is used twice' });
      seen.add(name);
    };
    sections.forEach((section, at) => {
      claim(`section ${section.id}`, [at, 'id']);
      section.questions.forEach((question, place) => claim(`question ${question.id}`, [at, 'questions', place, 'id']));
    });
  });
export type ScorecardContent = z.output<typeof scorecardContentSchema>;
type Question = ScorecardContent[number]['questions'][number];

/** Yes or no, a place on the scale, not applicable; null: not answered yet. */
export type AnswerValue = boolean | number | 'not_applicable' | null;

/** What is wrong with `value` as an answer to `question`; undefined when nothing is. */
export function answerFault(question: Question, value: AnswerValue): string | undefined {
  if (value === null) return undefined;
  if (value === 'not_applicable') return question.notApplicable ? undefined : 'has to be answered';
  if (question.kind === 'yes_no') return typeof value === 'boolean' ? undefined : 'must be true or false';
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= question.max
    ? undefined
    : `must be a whole number from 1 to ${question.max}`;
}

/** How well, from 0 to 1; undefined for what does not count. */
function shareOf(question: Question, value: AnswerValue | undefined): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number') return (value - 1) / (question.max - 1);
  return undefined;
}

/** The weighted mean of what counts; undefined when nothing does. */
function mean(parts: readonly { share: number | undefined; weight: number }[]): number | undefined {
  let sum = 0;
  let weights = 0;
  for (const { share, weight: own } of parts)
    if (share !== undefined) {
      sum += share * own;
      weights += own;
    }
  return weights === 0 ? undefined : sum / weights;
}

const percent = (share: number | undefined): number | null =>
  share === undefined ? null : Math.round(share * 1000) / 10;

export interface Score {
  /** Percent, to one decimal; null when nothing was applicable. */
  score: number | null;
  sections: { id: string; title: string; score: number | null }[];
}

/**
 * The score: within a section the mean of its questions by weight, over sections the mean by weight. What is not
 * applicable counts nowhere, nor does a section in which nothing was.
 */
export function scoreOf(content: ScorecardContent, answers: ReadonlyMap<string, AnswerValue>): Score {
  const sections = content.map((section) => ({
    section,
    share: mean(
      section.questions.map((question) => ({
        share: shareOf(question, answers.get(question.id)),
        weight: question.weight,
      })),
    ),
  }));
  return {
    score: percent(mean(sections.map(({ section, share }) => ({ share, weight: section.weight })))),
    sections: sections.map(({ section, share }) => ({ id: section.id, title: section.title, score: percent(share) })),
  };
}
