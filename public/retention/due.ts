import { dateBefore } from '../format.js';
import type { DueCount, Rule } from './types.js';

/** What falls due on one day, by category. */
export interface DueDay {
  date: string;
  counts: Map<string, number>;
  total: number;
}

/** The counts as days, in order. */
export function dueDays(due: readonly DueCount[]): DueDay[] {
  const days = new Map<string, DueDay>();
  for (const { date, category, count } of due) {
    const day = days.get(date) ?? { date, counts: new Map<string, number>(), total: 0 };
    day.counts.set(category, (day.counts.get(category) ?? 0) + count);
    day.total += count;
    days.set(date, day);
  }
  return [...days.values()].sort((a, b) => (a.date < b.date ? -1 : 1));
}

/** How many fall due before the end of the seventh day from today. */
export function dueWithinWeek(due: readonly DueCount[], now: number = Date.now()): number {
  const until = dateBefore(-7, now);
  return due.reduce((sum, { date, count }) => (date <= until ? sum + count : sum), 0);
}

/** One rule of the bucket as it should be beside what it is. `foreign`: somebody else made it. */
export interface ComparedRule {
  id: string;
  state: 'same' | 'different' | 'missing' | 'foreign';
  expected: Rule | undefined;
  actual: Rule | undefined;
}

const sorted = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, each]) => [name, sorted(each)]),
      )
    : value;

/** Ours first, in their own order; then what others made. A rule that is there twice is different. */
export function compareRules(expected: readonly Rule[], actual: readonly Rule[]): ComparedRule[] {
  const ours = expected.map((rule): ComparedRule => {
    const same = actual.filter(({ id }) => id === rule.id);
    const [found] = same;
    const equal = JSON.stringify(sorted(found)) === JSON.stringify(sorted(rule));
    const state = found === undefined ? 'missing' : equal && same.length === 1 ? 'same' : 'different';
    return { id: rule.id, state, expected: rule, actual: found };
  });
  const foreign = actual.filter(({ id }) => !expected.some((rule) => rule.id === id));
  return [
    ...ours,
    ...foreign.map((rule): ComparedRule => ({ id: rule.id, state: 'foreign', expected: undefined, actual: rule })),
  ];
}
