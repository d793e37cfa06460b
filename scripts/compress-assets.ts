import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

/** The sizes of what a person's browser fetches, in bytes as they travel. */
export interface BundleSizes {
  /** Before anything is shown. */
  firstBytes: number;
  /** What opening a call adds. */
  playerBytes: number;
  /** Every screen together. */
  allBytes: number;
}

/**
 * Writes a compressed twin beside each script and style of the built screens, which the service sends to browsers that take
 * it. Only gzip: browsers take brotli over TLS alone.
 */
export function compressAssets(uiFolder: string): BundleSizes {
  const assets = path.join(uiFolder, 'assets');
  const names = readdirSync(assets).filter((name) => /\.(?:js|css|svg)$/.test(name));
  const sizes = new Map<string, number>();
  for (const name of names) {
    const zipped = gzipSync(readFileSync(path.join(assets, name)), { level: 9 });
    writeFileSync(path.join(assets, `${name}.gz`), zipped);
    sizes.set(name, zipped.length);
  }
  const sumOf = (wanted: Iterable<string>) => [...new Set(wanted)].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  const page = readFileSync(path.join(uiFolder, 'index.html'), 'utf8');
  const first = names.filter((name) => page.includes(name));
  const player = filesOf(uiFolder, 'player/screen.tsx').filter((name) => !first.includes(name));
  return { firstBytes: sumOf(first), playerBytes: sumOf(player), allBytes: sumOf(names) };
}

interface Chunk {
  file: string;
  imports?: string[];
  css?: string[];
}

/** The names of the files that a screen needs, by Vite's manifest. */
function filesOf(uiFolder: string, screen: string): string[] {
  const manifest = JSON.parse(readFileSync(path.join(uiFolder, '.vite', 'manifest.json'), 'utf8')) as Record<string, Chunk>;
  const found = new Set<string>();
  const take = (key: string) => {
    const chunk = manifest[key];
    if (!chunk || found.has(chunk.file)) return;
    found.add(chunk.file);
    for (const css of chunk.css ?? []) found.add(css);
    for (const each of chunk.imports ?? []) take(each);
  };
  take(screen);
  return [...found].map((file) => path.basename(file));
}
