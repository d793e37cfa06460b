import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { migrations } from '../migrations/index.js';
import { anchorFileName, readAnchor, type Anchor } from '../src/audit/anchor.js';
import { verifyChain, type Verification } from '../src/audit/verify.js';
import { readConfig, type Config } from '../src/config.js';
import { systemClock } from '../src/platform/clock.js';
import { openDatabase } from '../src/platform/database.js';
import { joinBackends } from '../src/platform/embedded/backends.js';
import { createLog } from '../src/platform/log.js';
import { pendingMigrations } from '../src/platform/migrate.js';
import { fingerprint, keyIdOf, openSigningKey, signingKeyFile } from '../src/platform/signing.js';

/**
 * `npm run verify-audit`: recomputes the whole audit chain from the database that the settings name. It writes nothing,
 * and works beside a running service as well as without one.
 */

const usage = `npm run verify-audit -- [--anchor FILE]… [--key FILE]…

Recomputes the audit chain: every entry, batch and signature.
Exit code 0: it is sound. 1: it is not. 2: it could not be checked.

  --anchor FILE  {"count": …, "head": "…"} noted at some earlier time: shows a chain that was cut short since.
                 The note that the service keeps in DATA_DIR (${anchorFileName}) is always compared when it is there.
  --key FILE     public key (PEM) that the newest batch may be signed with. The key of this installation always may.
`;

function givenArguments() {
  const { values } = parseArgs({
    options: {
      anchor: { type: 'string', multiple: true, default: [] },
      key: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

/** Ids of the keys known from outside the database. */
async function trustedKeyIds(config: Config, keyFiles: readonly string[]): Promise<string[]> {
  const ids = await Promise.all(keyFiles.map(async (file) => keyIdOf(await readFile(file, 'utf8'))));
  const folder = path.join(config.dataDir, 'keys');
  if (config.signingKey !== undefined) ids.push((await openSigningKey({ pem: config.signingKey })).keyId);
  else if (existsSync(path.join(folder, signingKeyFile))) ids.push((await openSigningKey({ folder })).keyId);
  return ids;
}

async function anchors(config: Config, files: readonly string[]): Promise<Anchor[]> {
  const found: Anchor[] = [];
  for (const file of files) {
    const anchor = await readAnchor(file);
    if (anchor === undefined) throw new Error(`${file} is not there`);
    found.push(anchor);
  }
  const kept = await readAnchor(path.join(config.dataDir, anchorFileName));
  return kept === undefined ? found : [...found, kept];
}

function tell(verification: Verification, trusted: boolean, anchorCount: number): string {
  const { batches, checkpoint, count, faults, head, keyId, ok, signedAt, unsealed } = verification;
  const lines = [
    ok ? 'The audit chain is sound.' : 'THE AUDIT CHAIN IS NOT SOUND.',
    ...faults.map((fault) => `  ${fault.batch === null ? 'the chain' : `batch ${fault.batch}`}: ${fault.what}`),
    `  entries  ${count} in ${batches} batches; ${unsealed} not sealed yet`,
    ...(checkpoint === null ? [] : [`  of these the batches up to ${checkpoint} are past their period and gone`]),
    `  head     ${head}`,
    `  signed   ${signedAt ?? 'never'}${keyId === null ? '' : ` by key ${fingerprint(keyId)}`}`,
    `  compared with ${anchorCount} anchor${anchorCount === 1 ? '' : 's'} noted outside the database`,
  ];
  if (!trusted)
    lines.push('  No key is known from outside the database, so anyone may have signed it: give one with --key FILE.');
  return `${lines.join('\n')}\n`;
}

async function main(): Promise<number> {
  const given = givenArguments();
  if (given.help) {
    process.stdout.write(usage);
    return 0;
  }
  const config = readConfig();
  if (config.databaseUrl === undefined && !existsSync(path.join(config.dataDir, 'postgres')))
    throw new Error(`There is no database: DATABASE_URL is not set, and DATA_DIR (${config.dataDir}) holds none`);
  // Logs go where they do not mix with the result.
  const log = createLog('error', process.stderr);
  const keyIds = await trustedKeyIds(config, given.key);
  const known = await anchors(config, given.anchor);
  const backends = await joinBackends({ ...config, clock: systemClock, log });
  try {
    const database = await openDatabase({ url: backends.databaseUrl, log, poolSize: 2 });
    try {
      const missing = await pendingMigrations(database, migrations);
      if (missing.length > 0) throw new Error('The schema of the database is older than this program: npm run migrate');
      const { verification } = await verifyChain(database, {
        anchors: known,
        trustedKeyIds: keyIds.length === 0 ? undefined : keyIds,
      });
      process.stdout.write(tell(verification, keyIds.length > 0, known.length));
      return verification.ok ? 0 : 1;
    } finally {
      await database.close();
    }
  } finally {
    await backends.close();
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`verify-audit: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
