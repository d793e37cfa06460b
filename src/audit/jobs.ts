import type { Platform } from '../platform/platform.js';
import type { SigningKey } from '../platform/signing.js';
import { forgetOldBatches } from './forget.js';
import { ChainFault, type Sealer } from './seal.js';
import type { Verifier } from './verifier.js';

/** Nudge it after acts whose entry should be sealed at once. */
export const sealJob = 'audit.seal';

export interface AuditJobs {
  sealer: Sealer;
  verifier: Verifier;
  signingKey: SigningKey;
  /** Entries from before this have had their period, as the policy now is. */
  keptFrom: () => Promise<Date>;
}

/** Seals every 15 seconds; every night recomputes the whole chain, then takes away what is past its period. */
export function defineAuditJobs(platform: Platform, { sealer, verifier, signingKey, keptFrom }: AuditJobs): void {
  const { database, jobs, log, metrics } = platform;
  const faultsFound = metrics.gauge('opname_audit_chain_faults', 'Faults in the audit chain at its last verification');
  metrics.gauge('opname_audit_unsealed_entries', 'Audit entries that wait to be sealed', [], async (gauge) => {
    const [row] = await database.query<{ entries: number }>(
      `SELECT count(*) AS entries FROM audit_entries WHERE id > coalesce(
         (SELECT max(last_id) FROM audit_batches), (SELECT max(last_id) FROM audit_checkpoints), 0)`,
    );
    gauge.set(row?.entries ?? 0);
  });

  jobs.define(sealJob, async (signal) => {
    try {
      await sealer.seal({ signal });
    } catch (error) {
      if (error instanceof ChainFault) {
        faultsFound.set(1);
        log.error({ batch: error.batch, what: error.what }, 'the audit chain is not sound: nothing is sealed any more');
      }
      throw error;
    }
  });
  jobs.every(sealJob, '15 seconds');

  jobs.define('audit.verify', async (signal) => {
    const { ok, count, faults } = await unlessAborted(verifier.verify({ full: true }), signal);
    faultsFound.set(faults.length);
    if (ok) log.info({ count }, 'the audit chain is sound');
    else log.error({ count, faults }, 'the audit chain is not sound');
  }, { lockLifetimeMs: 3_600_000 });
  jobs.every('audit.verify', '17 2 * * *');

  jobs.define('audit.forget', async (signal, touch) => {
    let entries = 0;
    const before = await keptFrom();
    // What has been tampered with is evidence: it stays until someone has looked.
    if (!(await unlessAborted(verifier.verify(), signal)).ok) return;
    for (let gone = -1; gone !== 0 && !signal.aborted; entries += gone) {
      gone = await forgetOldBatches(platform, signingKey, before);
      await touch();
    }
    if (entries > 0) log.info({ entries }, 'audit entries past their period were taken away');
  }, { lockLifetimeMs: 3_600_000 });
  jobs.every('audit.forget', '47 2 * * *');
}

/** Leaves `work`, which others may be waiting for too, when `signal` aborts. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(signal.reason as Error); }, { once: true });
  });
  return Promise.race([work, aborted]);
}
