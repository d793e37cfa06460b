// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { none } from '../../public/recordings/filter-bar.js';
import { addressOf, countActive, type Filters, queryOf, readFilters } from '../../public/recordings/filters.js';

const filters: Filters = {
  ...none,
  period: 'custom',
  from: '2026-11-01',
  to: '2026-11-22',
  agent: '101',
  direction: 'inbound',
  number: '06 12 34 56 78',
  ticket: '48211',
  marked: true,
  unevaluated: true,
  length: 'medium',
  words: 'geen beeld',
};

function through(given: Filters): Filters {
  const { to, kept } = addressOf(given);
  const url = new URL(to, 'http://opname.test');
  return readFilters({ path: url.pathname, query: url.searchParams, kept });
}

describe('the filters of the list', () => {
  it('survive the way through the address', () => {
    expect(through(filters)).toEqual(filters);
    expect(through(none)).toEqual(none);
  });

  it('never put a telephone number or what was said in the address', () => {
    const { to, kept } = addressOf(filters);
    expect(decodeURIComponent(to)).not.toMatch(/12 34|1234|beeld/);
    expect(kept).toEqual({ number: '06 12 34 56 78', words: 'geen beeld' });
  });

  it('ask for whole days in Amsterdam, the last one included', () => {
    expect(queryOf(filters)).toMatchObject({ from: '2026-10-31T23:00:00.000Z', to: '2026-11-22T23:00:00.000Z' });
  });

  it('ask for lengths in milliseconds, and for what was not evaluated', () => {
    expect(queryOf(filters)).toMatchObject({ minDurationMs: 60_000, maxDurationMs: 300_000, evaluated: false });
    expect(queryOf({ ...none, length: 'longest' })).toMatchObject({ minDurationMs: 900_000, maxDurationMs: undefined });
  });

  it('leave out what an address says wrongly', () => {
    const query = new URLSearchParams('period=always&from=yesterday&held=perhaps');
    expect(readFilters({ path: '/recordings', query, kept: {} })).toEqual(none);
  });

  it('are counted, a period as one', () => {
    expect(countActive(filters)).toBe(9);
    expect(countActive(none)).toBe(0);
  });
});
