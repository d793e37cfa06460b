import { ConfigFault, readConfig, redactedConfig, type Config } from './config.js';
import { systemClock } from './platform/clock.js';
import { createLog } from './platform/log.js';
import { findPackage } from './platform/package.js';
import { startService } from './service.js';

/** The program: reads the settings, starts the service, stops it in order on SIGTERM or SIGINT. */

function configOrExit(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    for (const fault of error.faults) process.stderr.write(`opname: ${fault}\n`);
    process.exit(1);
  }
}

async function main(): Promise<void> {
  const { version, uiFolder } = findPackage(import.meta.dirname);
  const config = configOrExit();
  const log = createLog(config.logLevel);
  log.info({ version, config: redactedConfig(config) }, 'starting');
  const service = await startService({
    config,
    clock: systemClock,
    log,
    version,
    uiFolder,
    announce: ({ email, password }) =>
      process.stdout.write(`\nFirst administrator, shown once:\n  sign in as administrator: ${email} / ${password}\n\n`),
  });

  let stopping = false;
  let askedAtMs = 0;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      // Asked a second time, it goes at once: everything committed is safe. Within a moment it is the same asking: one
      // Ctrl-C comes twice, from the terminal and passed on by npm.
      if (stopping && performance.now() - askedAtMs > 1000) process.exit(1);
      if (stopping) return;
      stopping = true;
      askedAtMs = performance.now();
      log.info({ signal }, 'stopping');
      service.close().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ error }, 'not stopped cleanly');
          process.exit(1);
        },
      );
    });

  if (service.url !== undefined) process.stdout.write(`Opname ${version} listens on ${config.publicUrl ?? service.url}\n`);
}

main().catch((error: unknown) => {
  // What keeps the service from starting is said in one line; the stack helps only those who run it in debug.
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`opname: ${message}\n`);
  if (process.argv.includes('--debug') && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  process.exit(1);
});
