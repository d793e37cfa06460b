import { setTimeout as sleep } from 'node:timers/promises';
import type { Platform } from '../platform/platform.js';
import type { ProblemCode } from '../platform/problem.js';

/** What became of a push: it was kept, it was there already, or why it was refused. */
export type PushOutcome = 'received' | 'duplicate' | ProblemCode;

type Base = Pick<Platform, 'clock' | 'database' | 'log' | 'metrics'>;

/** Counts are gathered this long, so that a burst of pushes does not queue for one row. */
const gatherMs = 1000;
/** The rhythm of a PBX looks weeks back, an administrator's question a quarter. */
const keptMs = 92 * 86_400_000;

interface Waiting {
  sourceId: string;
  hour: Date;
  outcome: PushOutcome;
  count: number;
  lastAt: Date;
}

/**
 * Counts pushes by source, hour and outcome. A process that is killed loses what it gathered in its last second: these
 * are figures about the traffic, and nothing is decided by a single one.
 */
export class IngestCounts {
  readonly #waiting = new Map<string, Waiting>();
  readonly #pushes;
  #isGathering = false;

  constructor(readonly platform: Base) {
    this.#pushes = platform.metrics.counter('opname_pushes_total', 'Pushes of recordings, by source and outcome', [
      'source',
      'outcome',
    ]);
  }

  /** Counts one push; it is written soon, and nobody waits for it. */
  count(sourceId: string, outcome: PushOutcome): void {
    const lastAt = this.platform.clock.now();
    const hour = new Date(Math.floor(lastAt.getTime() / 3_600_000) * 3_600_000);
    const name = `${sourceId} ${hour.getTime()} ${outcome}`;
    const waiting = this.#waiting.get(name) ?? { sourceId, hour, outcome, count: 0, lastAt };
    this.#waiting.set(name, { ...waiting, count: waiting.count + 1, lastAt });
    this.#pushes.inc({ source: sourceId, outcome });
    if (!this.#isGathering) void this.#writeSoon();
  }

  async #writeSoon(): Promise<void> {
    this.#isGathering = true;
    await sleep(gatherMs, undefined, { ref: false });
    this.#isGathering = false;
    await this.flush().catch((error: unknown) => this.platform.log.warn({ error }, 'pushes not counted yet'));
  }

  /** Writes what was gathered; what cannot be written is kept for the next time. */
  async flush(): Promise<void> {
    const waiting = [...this.#waiting.values()];
    if (waiting.length === 0) return;
    this.#waiting.clear();
    try {
      await this.platform.database.query(
        `INSERT INTO ingest_hours (source_id, hour, outcome, count, last_at)
         SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::int[], $5::timestamptz[])
         ON CONFLICT (source_id, hour, outcome)
           DO UPDATE SET count = ingest_hours.count + excluded.count, last_at = greatest(ingest_hours.last_at, excluded.last_at)`,
        [
          waiting.map((each) => each.sourceId), waiting.map((each) => each.hour), waiting.map((each) => each.outcome),
          waiting.map((each) => each.count), waiting.map((each) => each.lastAt),
        ],
      );
    } catch (error) {
      for (const [name, each] of waiting.map((one) => [`${one.sourceId} ${one.hour.getTime()} ${one.outcome}`, one] as const)) {
        const since = this.#waiting.get(name);
        this.#waiting.set(name, since === undefined ? each : { ...since, count: since.count + each.count });
      }
      throw error;
    }
  }
}

const counters = new WeakMap<object, IngestCounts>();

/** The counts of this process: one for all doors. */
export function countsOf(platform: Base): IngestCounts {
  const known = counters.get(platform.metrics);
  if (known !== undefined) return known;
  const counts = new IngestCounts(platform);
  counters.set(platform.metrics, counts);
  return counts;
}

/** Drops counts that nobody looks at any more. */
export async function dropOldCounts({ clock, database }: Pick<Platform, 'clock' | 'database'>): Promise<void> {
  await database.query('DELETE FROM ingest_hours WHERE hour < $1', [new Date(clock.now().getTime() - keptMs)]);
}
