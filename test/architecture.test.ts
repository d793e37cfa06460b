import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

/** Imports run one way: a folder uses those to its left, and those in one group never use each other. */
const order: readonly (readonly string[])[] = [
  ['platform'],
  ['audit'],
  ['access'],
  ['retention'],
  ['recordings'],
  ['tickets'],
  ['packages'],
  ['evidence', 'privacy', 'training'],
  ['library', 'oversight'],
];
const rank = (folder: string) => order.findIndex((group) => group.includes(folder));

const root = path.join(import.meta.dirname, '..', 'src');

function sourcesOf(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const file = path.join(folder, name);
    return statSync(file).isDirectory() ? sourcesOf(file) : name.endsWith('.ts') ? [file] : [];
  });
}

const sources = sourcesOf(root).map((file) => {
  const text = readFileSync(file, 'utf8');
  const imports = [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map((match) => match[1] ?? '');
  return { file: path.relative(root, file), text, imports };
});
const folderOf = (file: string) => (file.includes(path.sep) ? file.split(path.sep)[0] : undefined);

describe('the architecture', () => {
  test('knows every folder of the sources', () => {
    const folders = new Set(sources.map(({ file }) => folderOf(file)).filter((folder) => folder !== undefined));
    expect([...folders].filter((folder) => rank(folder) < 0)).toEqual([]);
  });

  test('lets imports run one way only', () => {
    const wrong = sources.flatMap(({ file, imports }) => {
      const own = folderOf(file);
      if (own === undefined) return [];
      return imports
        .filter((name) => name.startsWith('.'))
        .map((name) => path.relative(root, path.resolve(root, path.dirname(file), name)))
        .filter((target) => {
          const other = folderOf(target);
          if (other === own) return false;
          return other === undefined || rank(other) >= rank(own);
        })
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test.each([
    ['@aws-sdk/client-s3', ['platform/objects.ts']],
    ['fluent-ffmpeg', ['platform/ffmpeg.ts']],
    ['agenda', ['platform/jobs.ts']],
  ])('has one importer of %s', (name, expected) => {
    const importers = sources.filter(({ imports }) => imports.includes(name)).map(({ file }) => file);
    expect(importers).toEqual(expected);
  });

  test('reads the environment in one place', () => {
    const readers = sources.filter(({ text }) => /\bprocess\.env\b/.test(text)).map(({ file }) => file);
    expect(readers).toEqual(['config.ts']);
  });

  test('asks the time in one place', () => {
    // Durations are measured with performance.now(); what is decided by date goes through the clock. How old a temporary
    // file is, only the disk's own time tells.
    const temporaryFiles = ['privacy/answers-folder.ts', 'recordings/upload.ts'];
    const askers = sources.filter(({ text }) => /\bnew Date\(\)|\bDate\.now\(\)/.test(text)).map(({ file }) => file);
    expect(askers.filter((file) => !file.startsWith(path.join('platform')))).toEqual(temporaryFiles);
  });

  test('knows Express in routes and at the edge only', () => {
    const allowed = /^(app\.ts|service\.ts|platform\/|access\/|oversight\/routes\.ts|[a-z]+\/(routes|upload|attachment|playback|doors\/.*|[a-z-]+-routes)\.ts)/;
    const users = sources.filter(({ imports }) => imports.includes('express')).map(({ file }) => file);
    expect(users.filter((file) => !allowed.test(file))).toEqual([]);
  });

  test('keeps files readable in one sitting', () => {
    const long = sources.filter(({ text }) => text.split('\n').length > 400).map(({ file }) => file);
    expect(long).toEqual([]);
  });
});
