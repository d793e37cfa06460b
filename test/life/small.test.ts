import { expect, test } from 'vitest';
import { live } from './life.js';

test('three years of calls, tickets, holds, decisions and misfortunes keep every promise on every day', { timeout: 1_200_000 }, async () => {
  // Another life every time; `LIFE_SEED` lives one again.
  const seed = Number(process.env['LIFE_SEED'] ?? Date.now() % 1_000_000);
  // Among the other tests it takes no more than its share of a busy machine: the days it came to have held all the same.
  const budgetMs = Number(process.env['LIFE_BUDGET_S'] ?? 180) * 1000;
  const result = await live({ seed, calls: 2_000, tickets: 500, reconcileEveryDays: 120, budgetMs });
  process.stdout.write(`simulated life, LIFE_SEED=${seed}: ${JSON.stringify(result)}\n`);
  expect(result['days']).toBeGreaterThan(0);
  if ((result['days'] ?? 0) < 1000) return;
  for (const name of ['tombstones', 'boundaries', 'contents', 'crashes', 'released', 'refusedAsOver', 'erased'])
    expect(result[name], `${name}: the life was too quiet to prove anything`).toBeGreaterThan(0);
});
