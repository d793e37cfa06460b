import { expect, test } from 'vitest';
import { live } from './life.js';

const number = (name: string, usual: number) => Number(process.env[name] ?? usual);

test('three years with many calls keep every promise on every day', { timeout: 24 * 3_600_000 }, async () => {
  const seed = number('LIFE_SEED', Date.now() % 1_000_000);
  const told = { seed, calls: number('LIFE_CALLS', 100_000), tickets: number('LIFE_TICKETS', 20_000), days: number('LIFE_DAYS', 1096) };
  const tell = (line: string) => process.stdout.write(`life: ${line}\n`);
  tell(`LIFE_SEED=${seed} LIFE_CALLS=${told.calls} LIFE_TICKETS=${told.tickets} LIFE_DAYS=${told.days}`);
  const result = await live({ ...told, reconcileEveryDays: 180, tell, tellEveryDays: 1 });
  tell(JSON.stringify(result));
  expect(result).toMatchObject({ days: expect.any(Number) });
});
