import { canonicalBytes } from '../audit/canonical.js';
import { Problem, type FieldFault } from '../platform/problem.js';
import { answerFault, type AnswerValue, type ScorecardContent } from './score.js';

/** What a trainer writes; moments on the recording's own timeline. */
export interface Content {
  answers: { questionId: string; value: AnswerValue; note: string | null; atMs: number | null }[];
  notes: { atMs: number; text: string }[];
  summary: string | null;
}

/** What an evaluation begins with. */
export const emptyContent: Content = { answers: [], notes: [], summary: null };

/** @throws Problem `invalid-input` with the place of each answer that does not fit its question; `complete`: or is missing */
export function checkAnswers(content: Content, scorecard: ScorecardContent, complete: boolean): void {
  const questions = new Map(
    scorecard.flatMap((section) => section.questions).map((question) => [question.id, question]),
  );
  const errors: FieldFault[] = [];
  const answered = new Set<string>();
  content.answers.forEach(({ questionId, value }, at) => {
    const question = questions.get(questionId);
    if (question === undefined) errors.push({ path: `answers.${at}.questionId`, message: 'is not on this scorecard' });
    else if (answered.has(questionId)) errors.push({ path: `answers.${at}.questionId`, message: 'is answered twice' });
    else {
      const fault = answerFault(question, value);
      if (fault !== undefined) errors.push({ path: `answers.${at}.value`, message: fault });
      if (value !== null) answered.add(questionId);
    }
  });
  if (complete)
    for (const id of questions.keys())
      if (!answered.has(id)) errors.push({ path: `answers.${id}`, message: 'has to be answered' });
  if (errors.length > 0) throw new Problem('invalid-input', { errors });
}

/** The same content, however it was written down. */
export const isSame = (one: Content, other: Content) =>
  canonicalBytes(one as never).equals(canonicalBytes(other as never));
