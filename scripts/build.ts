import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'vite';
import { compressAssets } from './compress-assets.js';
import { buildVerifierPage, verifierFile } from '../src/packages/verifier-page.js';

/**
 * Builds the service and its user interface into `dist/`: `--if-needed` only when a source is newer than the last build.
 * Types are not checked here (`npm run typecheck` does): a start must be quick.
 */

const root = path.resolve(import.meta.dirname, '..');
const stamp = path.join(root, 'dist', '.built');
const sources = ['src', 'migrations', 'public', 'scripts', 'package.json', 'vite.config.ts'];

const ifNeeded = process.argv.includes('--if-needed');

function newestMs(file: string): number {
  const facts = statSync(file);
  if (!facts.isDirectory()) return facts.mtimeMs;
  return Math.max(facts.mtimeMs, ...readdirSync(file).map((name) => newestMs(path.join(file, name))));
}

function isCurrent(): boolean {
  if (!existsSync(stamp)) return false;
  const builtMs = statSync(stamp).mtimeMs;
  return sources.every((source) => newestMs(path.join(root, source)) <= builtMs);
}

async function buildAll(): Promise<void> {
  rmSync(stamp, { force: true });
  const startedAt = new Date();
  await build({ root: path.join(root, 'public'), configFile: path.join(root, 'vite.config.ts'), logLevel: 'warn' });
  const sizes = compressAssets(path.join(root, 'dist', 'public'));
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    build: {
      ssr: true,
      target: 'node20',
      outDir: path.join(root, 'dist'),
      emptyOutDir: false,
      sourcemap: true,
      rollupOptions: {
        input: { 'src/main': path.join(root, 'src/main.ts'), 'scripts/demo': path.join(root, 'scripts/demo.ts') },
        output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  });
  writeFileSync(path.join(root, 'dist', verifierFile), await buildVerifierPage(root));
  const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
  if (!ifNeeded)
    console.log(
      `screens, compressed: ${kB(sizes.firstBytes)} before the first is shown, ` +
        `${kB(sizes.playerBytes)} more for the player, ${kB(sizes.allBytes)} in all`,
    );
  // Sources changed while building count as newer.
  writeFileSync(stamp, '');
  utimesSync(stamp, startedAt, startedAt);
}

if (!ifNeeded || !isCurrent()) await buildAll();
