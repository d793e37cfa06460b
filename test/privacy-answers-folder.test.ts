import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { answersFolder, clearAnswers } from '../src/privacy/answers-folder.js';

test('what a process that died left of an answer goes: after a day, or at once where nobody else makes any', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'opname-answers-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  await clearAnswers(dataDir);
  const folder = answersFolder(dataDir);
  for (const name of ['old', 'under-way']) {
    await mkdir(path.join(folder, name), { recursive: true });
    await writeFile(path.join(folder, name, 'listens.part'), 'x');
  }
  const before = new Date(Date.now() - 25 * 3_600_000);
  await utimes(path.join(folder, 'old'), before, before);
  await clearAnswers(dataDir);
  expect(await readdir(folder)).toEqual(['under-way']);
  await clearAnswers(dataDir, { alone: true });
  expect(await readdir(folder)).toEqual([]);
});
