import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { findPackage } from '../platform/package.js';

/**
 * `verify.html`: the verifier as one file that works from a disk, without any network. Built with the service; when the
 * service runs from its sources, built once on demand.
 */

/** The page for those who trust these keys. */
export type VerifierPage = (trustedKeyIds: readonly string[]) => string;

/** The name of what the build leaves in its folder. */
export const verifierFile = 'verify.html';

const trustedMark = '__TRUSTED_KEYS__';

let page: Promise<string> | undefined;

/** Loads the page. Throws when it is neither built nor can be. */
export async function loadVerifierPage(): Promise<VerifierPage> {
  page ??= readBuilt().catch((error: unknown) => {
    page = undefined;
    throw error;
  });
  const html = await page;
  return (trustedKeyIds) => {
    const safe = trustedKeyIds.filter((keyId) => /^[0-9a-f]{64}$/.test(keyId));
    return html.replace(trustedMark, JSON.stringify(safe));
  };
}

async function readBuilt(): Promise<string> {
  const { folder } = findPackage(import.meta.dirname);
  const dist = path.join(folder, 'dist');
  const isBuilt = import.meta.dirname === dist || import.meta.dirname.startsWith(`${dist}${path.sep}`);
  return isBuilt ? await readFile(path.join(dist, verifierFile), 'utf8') : await buildVerifierPage(folder);
}

/** Builds the page from its sources below `folder`, all of it in one file, and its policy: no script but its own, no network. */
export async function buildVerifierPage(folder: string): Promise<string> {
  const { build } = await import('vite');
  const source = path.join(folder, 'public', 'verifier');
  const built = await build({
    root: source,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rollupOptions: { input: path.join(source, 'page.ts'), output: { format: 'iife' } },
    },
  });
  const outputs = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
  const code = outputs.flatMap((one) => (one.type === 'chunk' ? one.code : [])).join('\n').replaceAll('</script', '<\\/script');
  const [template, style] = await Promise.all(
    ['page.html', 'page.css'].map((name) => readFile(path.join(source, name), 'utf8')),
  );
  const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const policy = [
    `default-src 'none'`, `script-src ${hashOf(code)}`, `style-src ${hashOf(style ?? '')}`, 'media-src blob:',
    `base-uri 'none'`, `form-action 'none'`,
  ].join('; ');
  return (template ?? '')
    .replace('__POLICY__', () => policy)
    .replace('__STYLE__', () => style ?? '')
    .replace('__SCRIPT__', () => code);
}
