import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import type { ChainState } from './batch.js';
import { ChainFault, type Sealer } from './seal.js';
import { verifyChain, type Verification } from './verify.js';

/** A verification, and how far it reached. */
export interface VerificationReport extends Verification {
  checkedAt: string;
  /** When the chain was last recomputed from its very beginning and found sound; null when it never was. */
  fullyCheckedAt: string | null;
}

export interface Verifier {
  /**
   * Seals what is pending, then verifies. A long chain is recomputed from its beginning once an hour, and in between
   * only from where it was last found sound, so that looking at the page stays cheap; `full` leaves nothing out. Calls
   * that come while one is under way share the next.
   */
  verify(options?: { full?: boolean }): Promise<VerificationReport>;
}

export interface VerifierOptions {
  clock: Clock;
  database: Database;
  sealer: Sealer;
  /** The key in use: the newest batch must bear its signature. */
  keyId: string;
  /** Chains up to this many entries are always recomputed whole: a second or so. 50,000 unless told. */
  wholeUpToEntries?: number;
}

const wholeEveryMs = 3_600_000;

/** The memory of what was verified is this process's own: a restart begins anew. */
export function createVerifier(options: VerifierOptions): Verifier {
  return new ChainVerifier(options);
}

class ChainVerifier implements Verifier {
  #sound: { state: ChainState; fullAt: Date } | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<VerificationReport> | undefined;
  /** Whether anyone who waits for the next run asked for a full one. */
  #nextFull = false;

  constructor(private readonly options: VerifierOptions) {}

  verify({ full = false }: { full?: boolean } = {}): Promise<VerificationReport> {
    this.#nextFull ||= full;
    if (this.#next === undefined) {
      this.#next = this.#afterRunning(this.#running);
      this.#running = this.#next.catch(() => undefined);
    }
    return this.#next;
  }

  async #afterRunning(running: Promise<unknown>): Promise<VerificationReport> {
    await running;
    const full = this.#nextFull;
    this.#next = undefined;
    this.#nextFull = false;
    return await this.#run(full);
  }

  async #run(full: boolean): Promise<VerificationReport> {
    const { clock, database, keyId, sealer, wholeUpToEntries = 50_000 } = this.options;
    const refused = await this.#seal();
    const checkedAt = clock.now();
    const sound = this.#sound;
    const after =
      full ||
      sound === undefined ||
      sound.state.count <= wholeUpToEntries ||
      Math.abs(checkedAt.getTime() - sound.fullAt.getTime()) >= wholeEveryMs
        ? undefined
        : sound.state;
    const { verification, state } = await verifyChain(database, {
      trustedKeyIds: [keyId], anchors: await sealer.anchors(), after,
    });
    if (refused !== undefined && verification.ok)
      verification.faults.push({ batch: refused.batch, what: refused.what });
    const ok = verification.faults.length === 0;
    const fullAt = after === undefined || sound === undefined ? checkedAt : sound.fullAt;
    this.#sound = ok ? { state, fullAt } : undefined;
    return {
      ...verification,
      ok,
      checkedAt: checkedAt.toISOString(),
      fullyCheckedAt: this.#sound?.fullAt.toISOString() ?? null,
    };
  }

  /** A sealer that refuses has found something wrong: that is a finding, not a failure of the verification. */
  async #seal(): Promise<ChainFault | undefined> {
    try {
      await this.options.sealer.seal({ waitMs: 2000 });
      return undefined;
    } catch (error) {
      if (error instanceof ChainFault) return error;
      throw error;
    }
  }
}
