import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { basePath } from '../src/app.js';
import { readConfig } from '../src/config.js';
import { systemClock } from '../src/platform/clock.js';
import { createLog } from '../src/platform/log.js';
import { findPackage } from '../src/platform/package.js';
import { startService } from '../src/service.js';

/** `npm run openapi [FILE]`: the OpenAPI document as this program serves it, asked of a service started for the purpose. */
async function main(): Promise<void> {
  const { version, uiFolder } = findPackage(import.meta.dirname);
  const dataDir = await mkdtemp(path.join(tmpdir(), 'opname-openapi-'));
  try {
    const config = readConfig({ PORT: '0', HOST: '127.0.0.1', DATA_DIR: dataDir, LOG_LEVEL: 'error' });
    const log = createLog(config.logLevel);
    const service = await startService({ config, clock: systemClock, log, version, uiFolder, announce: () => undefined });
    try {
      const response = await fetch(`${service.url ?? ''}${basePath}/openapi.json`);
      const text = `${JSON.stringify(await response.json(), null, 2)}\n`;
      const file = process.argv[2];
      if (file === undefined) process.stdout.write(text);
      else await writeFile(file, text);
    } finally {
      await service.close();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`opname: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
