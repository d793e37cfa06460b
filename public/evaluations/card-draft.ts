import type { Question, Section } from './types.js';

/** Changes to a scorecard that is being written: pure, each answers the new sections. Weights are whole, 1 to 100. */

export const mostSections = 20;
export const mostQuestions = 50;

/** A fresh id, `s1`, `q7`: one that nothing in the scorecard carries, and that no version before it carried either. */
function freshId(letter: 's' | 'q', taken: readonly string[]): string {
  let number = taken.length + 1;
  while (taken.includes(`${letter}${number}`)) number += 1;
  return `${letter}${number}`;
}

const idsOf = (sections: readonly Section[]) => ({
  s: sections.map(({ id }) => id),
  q: sections.flatMap(({ questions }) => questions.map(({ id }) => id)),
});

/** @param used ids of questions that were taken out, so that an answer to one is never taken for another's */
export function emptyQuestion(sections: readonly Section[], used: readonly string[]): Question {
  const id = freshId('q', [...idsOf(sections).q, ...used]);
  return { id, text: '', kind: 'yes_no', max: 5, weight: 1, notApplicable: true };
}

export function emptySection(sections: readonly Section[], used: readonly string[]): Section {
  return { id: freshId('s', idsOf(sections).s), title: '', weight: 1, questions: [emptyQuestion(sections, used)] };
}

/** The items with the one at `index` moved by `step`; the same items where it cannot go there. */
export function moved<Item>(items: readonly Item[], index: number, step: 1 | -1): Item[] {
  const next = [...items];
  const [item] = next.splice(index, 1);
  if (item === undefined || index + step < 0 || index + step >= items.length) return [...items];
  next.splice(index + step, 0, item);
  return next;
}

/** The sections with one of them changed. */
export function withSection(sections: readonly Section[], id: string, change: Partial<Section>): Section[] {
  return sections.map((section) => (section.id === id ? { ...section, ...change } : section));
}

/** The sections with one question changed. */
export function withQuestion(sections: readonly Section[], id: string, change: Partial<Question>): Section[] {
  return sections.map((section) => ({
    ...section,
    questions: section.questions.map((question) => (question.id === id ? { ...question, ...change } : question)),
  }));
}

/** How much of the whole an item's weight makes, from 0 to 1. */
export function shareOf(items: readonly { weight: number }[], item: { weight: number }): number {
  const sum = items.reduce((total, { weight }) => total + weight, 0);
  return sum === 0 ? 0 : item.weight / sum;
}
