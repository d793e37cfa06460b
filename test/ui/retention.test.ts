// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { compareRules, dueDays, dueWithinWeek } from '../../public/retention/due.js';

describe('what falls due', () => {
  const due = [
    { date: '2026-11-25', category: 'recording', count: 3 },
    { date: '2026-11-23', category: 'recording', count: 1 },
    { date: '2026-11-25', category: 'ticket_piece', count: 2 },
    { date: '2026-11-29', category: 'recording', count: 5 },
    { date: '2026-11-30', category: 'recording', count: 7 },
  ];

  it('is told by day, over all categories', () => {
    expect(dueDays(due).map(({ date, total }) => [date, total])).toEqual([
      ['2026-11-23', 1],
      ['2026-11-25', 5],
      ['2026-11-29', 5],
      ['2026-11-30', 7],
    ]);
  });

  it('counts within a week up to the seventh day, as days go in Amsterdam', () => {
    // 00:30 in Amsterdam, still the evening before in UTC.
    const now = Date.parse('2026-11-21T23:30:00Z');
    expect(dueWithinWeek(due, now)).toBe(11);
    expect(dueWithinWeek(due, now + 86_400_000)).toBe(18);
  });
});

describe('the rules of the bucket beside what they should be', () => {
  const rule = { id: 'recordings-90-days', prefix: 'recordings/', tags: { hold: '0' }, expireAfterDays: 90 };

  it('are the same however their members are ordered', () => {
    const turned = { expireAfterDays: 90, tags: { hold: '0' }, prefix: 'recordings/', id: 'recordings-90-days' };
    expect(compareRules([rule], [turned]).map(({ state }) => state)).toEqual(['same']);
  });

  it('differ, are missing, or are somebody else’s', () => {
    const other = { id: 'logs', prefix: 'logs/', expireAfterDays: 5 };
    const states = (actual: (typeof rule | typeof other)[]) => compareRules([rule], actual).map(({ state }) => state);
    expect(states([{ ...rule, expireAfterDays: 3650 }])).toEqual(['different']);
    expect(states([rule, rule])).toEqual(['different']);
    expect(states([other])).toEqual(['missing', 'foreign']);
  });
});
