import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigFault, readConfig } from '../src/config.js';
import { openPackageFiles } from '../src/packages/package-files.js';
import { checkPackage, type Report } from '../src/packages/verifier/check.js';
import { isFingerprintOf } from '../src/packages/verifier/verdict.js';
import { keyIdOf, openSigningKey, signingKeyFile } from '../src/platform/signing.js';

/**
 * `npm run verify-evidence -- FILE`: checks an evidence package of this or another installation, without database, storage or
 * network. It prints file names, digests and verdicts; nothing that is said in the package.
 */

const usage = `npm run verify-evidence -- FILE [--key FILE]… [--fingerprint HEX]…

Checks a package: a zip file, or the folder it was unpacked into.
Exit code 0: unchanged since receipt, by a known sender. 1: changed. 2: could not be checked. 3: unchanged, but by a key that is
not known here.

  --key FILE         a public key (PEM), or what another installation answers at /.well-known/opname-signing-keys
  --fingerprint HEX  the key's SHA-256, or at least its first 20 digits, as the sender publishes it
The key of this installation is known by itself.
`;

async function ownKeyIds(): Promise<string[]> {
  try {
    const config = readConfig();
    const folder = path.join(config.dataDir, 'keys');
    if (config.signingKey !== undefined) return [(await openSigningKey({ pem: config.signingKey })).keyId];
    return existsSync(path.join(folder, signingKeyFile)) ? [(await openSigningKey({ folder })).keyId] : [];
  } catch (error) {
    // Whoever checks somebody else's package need not have an installation that could start.
    if (error instanceof ConfigFault) return [];
    throw error;
  }
}

async function keyIdsIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8');
  if (!text.trimStart().startsWith('{')) return [keyIdOf(text)];
  const { keys } = JSON.parse(text) as { keys: { publicPem: string }[] };
  return keys.map(({ publicPem }) => keyIdOf(publicPem));
}

const verdicts = {
  unchanged: 'Ongewijzigd sinds ontvangst / Unchanged since receipt',
  changed: 'GEWIJZIGD / CHANGED',
  unknown_sender: 'Onbekende afzender / Unknown sender: it fits together, but its key is not known here',
};

function tell(report: Report): string {
  return [
    verdicts[report.verdict],
    ...report.faults.map(({ what, path: file }) => `  ${what}${file === null ? '' : `: ${file}`}`),
    ...report.missing.map((file) => `  incomplete, as the sender says: ${file}`),
    ...report.ignored.map((file) => `  no part of the package, not checked: ${file}`),
    `  reference    ${report.reference ?? 'none'}`,
    `  sealed       ${report.sealedAt ?? 'unknown'}`,
    `  fingerprint  ${report.fingerprint ?? 'none'}`,
    `  key          ${report.keyId ?? 'none'}`,
    `  files        ${report.files}`,
    `  recordings   ${report.recordings.length}`,
    ...report.recordings.map(({ id, receivedAt, provenAt, stamps }) =>
      `    ${id}  received ${receivedAt ?? '?'}  in the signed chain ${provenAt ?? 'NOT PROVEN'}  time stamps ${stamps}`),
    `  time stamp   ${report.timeStamped ? 'there; openssl ts -verify checks it' : 'none'}`,
    '',
  ].join('\n');
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      key: { type: 'string', multiple: true, default: [] },
      fingerprint: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  const [place] = positionals;
  if (values.help || place === undefined) {
    process.stdout.write(usage);
    return values.help ? 0 : 2;
  }
  const known = [...(await ownKeyIds()), ...(await Promise.all(values.key.map(keyIdsIn))).flat()];
  const opened = await openPackageFiles(place);
  try {
    const report = await checkPackage(opened.files, { trustedKeyIds: known });
    const { keyId, verdict } = report;
    const isNamed = keyId !== null && values.fingerprint.some((text) => isFingerprintOf(keyId, text));
    if (verdict === 'unknown_sender' && isNamed) report.verdict = 'unchanged';
    process.stdout.write(tell(report));
    return { unchanged: 0, changed: 1, unknown_sender: 3 }[report.verdict];
  } finally {
    await opened.close();
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`verify-evidence: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
