import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newestFirst, stretchesBetween } from '../src/tickets/stretch.js';
import { freshDatabase, type FreshDatabase } from './support/database.js';

const dayMs = 86_400_000;
const instant = fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2040, 0, 1) }).map((ms) => new Date(ms));
const period = fc.tuple(instant, instant).filter(([a, b]) => a.getTime() !== b.getTime()).map(([a, b]) => (a < b ? { from: a, until: b } : { from: b, until: a }));

let fresh: FreshDatabase;
beforeAll(async () => (fresh = await freshDatabase()));
afterAll(() => fresh.drop());

const stretchesOf = async (instants: readonly Date[]): Promise<number[][]> =>
  (await fresh.database.query<{ numbers: number[] }>(
    'SELECT ticket_stretches(given.at) AS numbers FROM unnest($1::timestamptz[]) WITH ORDINALITY AS given (at, place) ORDER BY place',
    [instants],
  )).map((row) => row.numbers);

describe('stretches of time', () => {
  it('hold every instant of a period and no day outside it, as the database counts them', async () => {
    await fc.assert(
      fc.asyncProperty(period, fc.array(instant, { maxLength: 5 }), async ({ from, until }, others) => {
        const asked = new Set(stretchesBetween(from, until));
        const inside = [from, new Date(until.getTime() - 1), new Date((from.getTime() + until.getTime()) / 2)];
        const outside = [new Date(from.getTime() - dayMs), new Date(until.getTime() + dayMs), ...others.filter((each) => each < new Date(from.getTime() - dayMs) || each > new Date(until.getTime() + dayMs))];
        const numbers = await stretchesOf([...inside, ...outside]);
        expect(numbers.map((each) => each.filter((number) => asked.has(number)).length)).toEqual([...inside.map(() => 1), ...outside.map(() => 0)]);
      }),
      { numRuns: 200 },
    );
  });

  it('are few, however long the period', () => {
    fc.assert(fc.property(period, ({ from, until }) => void expect(stretchesBetween(from, until).length).toBeLessThan(60)));
  });

  it('are looked through from the newest back, without a gap and none twice', () => {
    fc.assert(
      fc.property(period, fc.infiniteStream(fc.boolean()), ({ from, until }, random) => {
        const looks = newestFirst(from, until);
        const parts: { from: Date; until: Date }[] = [];
        for (let next = looks.next(false); next.done !== true; next = looks.next(random.next().value as boolean)) parts.push(next.value);
        expect(parts[0]?.until).toEqual(until);
        expect(parts.at(-1)?.from).toEqual(from);
        parts.slice(1).forEach((part, index) => expect(part.until).toEqual(parts[index]?.from));
        expect(parts.every((part) => part.from < part.until)).toBe(true);
        expect(parts.length).toBeLessThan(8);
      }),
    );
  });
});
