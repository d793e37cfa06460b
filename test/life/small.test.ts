import { expect, test } from 'vitest';
import { live } from './life.js';

const days = 1096;

test('three years of calls, tickets, holds, decisions and misfortunes keep every promise on every day', { timeout: 1_200_000 }, async () => {
  // Another life every time; `LIFE_SEED` lives one again.
  const seed = Number(process.env['LIFE_SEED'] ?? Date.now() % 1_000_000);
  process.stdout.write(`simulated life: LIFE_SEED=${seed}\n`);
  const result = await live({ seed, calls: 2_000, tickets: 500, days, reconcileEveryDays: 365 });
  process.stdout.write(`simulated life, LIFE_SEED=${seed}: ${JSON.stringify(result)}\n`);
  expect(result).toMatchObject({ lived: days, days });
  for (const name of ['tombstones', 'over', 'boundaries', 'contents', 'crashes', 'released', 'refusedAsOver', 'erased', 'storageAwayDays'])
    expect(result[name], `${name}: the life was too quiet to prove anything`).toBeGreaterThan(0);
});
