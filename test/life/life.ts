import { StorageAway } from '../../src/retention/carry-out.js';
import { Problem } from '../../src/platform/problem.js';
import { Checks } from './checks.js';
import { Deliveries } from './deliveries.js';
import { ProcessDied } from './faults.js';
import { Model, type Item } from './model.js';
import { Officers } from './officers.js';
import { chanceOf, type Chance } from './random.js';
import { lifeWorld, type LifeWorld } from './world.js';

/**
 * Three years of the service in some minutes. Each day brings calls, tickets, decisions and misfortunes in an order that
 * the seed decides; in the night the bucket carries out its own rules, in the evening the worker runs, and then
 * everything that must hold is looked at.
 */

export interface LifeOptions {
  seed: number;
  calls: number;
  tickets: number;
  /** A full reconciliation every so many days. */
  reconcileEveryDays: number;
  /** 1096 unless told: three years. */
  days?: number;
  tell?: (line: string) => void;
  /** 20 unless told. */
  tellEveryDays?: number;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const threeYears = 1096;
const analysedOn = [2, 6, 15, 40];
const start = Date.parse('2026-03-01T00:00:00Z');

export class Life {
  readonly model = new Model();
  readonly counts = { crashes: 0, storageAwayDays: 0, failingDays: 0, workerAwayDays: 0, refusingDays: 0, processed: 0 };
  readonly days: number;
  readonly deliveries: Deliveries;
  readonly officers: Officers;
  readonly checks: Checks;
  private storageAway = 0;
  private workerAway = 0;
  private rulesRest = false;

  constructor(
    readonly world: LifeWorld,
    readonly chance: Chance,
    readonly options: LifeOptions,
  ) {
    this.days = options.days ?? threeYears;
    this.deliveries = new Deliveries(world, this.model, chance);
    this.officers = new Officers(world, this.model, chance);
    this.checks = new Checks(world, this.model, chance);
  }

  /** A new process takes over where one died. */
  private revive(): void {
    const { faults, clock } = this.world;
    if (!faults.hasDied) return;
    faults.restart();
    this.counts.crashes += 1;
    clock.advance(6 * 60_000); // Leases of the dead process run out.
  }

  /** What the worker does by itself, under whatever befalls it. */
  private async work(): Promise<void> {
    const { faults, jobs } = this.world;
    const workers = faults.isCalm && this.chance.happens(0.05) ? ['retention.purge', 'retention.purge'] : ['retention.purge'];
    for (const batch of [['recordings.finish-stale-uploads'], ['tickets.settle'], ['retention.shorten'], ['retention.sweep'], workers, ['retention.retag']]) {
      const wasCalm = faults.isCalm;
      const outcomes = await Promise.allSettled(batch.map((name) => jobs.run(name)));
      for (const outcome of outcomes)
        if (outcome.status === 'rejected' && (wasCalm || !isExcused(outcome.reason))) throw outcome.reason;
      this.revive();
    }
  }

  /** A few recordings are measured and get their playback copies; decoding all of them would take the time of the rest. */
  private async process(): Promise<void> {
    const { truth, jobs } = this.world;
    await truth.database.query(
      `UPDATE recording_versions SET next_attempt_at = 'infinity' WHERE state = 'received' AND id NOT IN (
         SELECT id FROM recording_versions WHERE state = 'received' ORDER BY id DESC LIMIT 2)`,
    );
    await jobs.run('recordings.process');
    this.counts.processed += 2;
  }

  private misfortunes(day: number): void {
    const { chance, world } = this;
    const { faults } = world;
    faults.refuses = () => false;
    if (this.storageAway > 0) this.storageAway -= 1;
    else if (chance.happens(0.008)) this.storageAway = chance.whole(1, 3);
    if (this.workerAway > 0) this.workerAway -= 1;
    else if (day > 100 && chance.happens(0.008)) this.workerAway = chance.whole(3, 8);
    faults.storage = this.storageAway > 0 ? 'away' : chance.happens(0.03) ? 'failing' : 'there';
    faults.database = faults.storage === 'there' && chance.happens(0.03) ? 'failing' : 'there';
    if (faults.storage === 'away') this.counts.storageAwayDays += 1;
    else if (!faults.isCalm) this.counts.failingDays += 1;
    if (this.workerAway > 0) this.counts.workerAwayDays += 1;
    if (chance.happens(0.02)) {
      this.counts.refusingDays += 1;
      const half = chance.whole(0, 1);
      faults.refuses = (key) => key.length > 0 && (key.split('/')[1]?.charCodeAt(35) ?? 0) % 2 === half;
    }
  }

  /** Everything of one day but its evening, by time. */
  private plan(day: number): { atMs: number; act: () => Promise<void> }[] {
    const { chance, days, deliveries, model, officers, options, world } = this;
    const dayStart = start + day * dayMs;
    const planned: { atMs: number; act: () => Promise<void> }[] = [];
    const at = (act: () => Promise<void>, times: number) => {
      const count = Math.floor(times) + (chance.happens(times % 1) ? 1 : 0);
      for (let each = 0; each < count; each += 1) planned.push({ atMs: dayStart + chance.whole(2 * 3600, 22 * 3600) * 1000, act });
    };
    const items = [...model.items.values()];
    const pick = (kind?: Item['kind']): Item | undefined => {
      for (let tries = 0; tries < 20; tries += 1) {
        const item = chance.oneOf(items);
        if (item !== undefined && (kind === undefined || item.kind === kind) && model.items.has(item.id)) return item;
      }
      return undefined;
    };
    const withItem = (act: (item: Item) => Promise<void>, kind?: Item['kind']) => async () => {
      const item = pick(kind);
      if (item !== undefined) await act(item);
    };
    const scale = Math.max(1, Math.log10(options.calls / 200));
    const burst = (most: number) => chance.whole(1, 2 * most - 1);
    // A life of many calls has more of them at the same moment.
    const calls = options.calls / days > 20 ? 8 : 4;
    at(() => deliveries.calls(burst(calls)), options.calls / days / calls);
    at(() => deliveries.tickets(burst(3)), options.tickets / days / 3);
    at(withItem((item) => deliveries.reply(item), 'ticket_piece'), (options.tickets / days) * 0.4);
    at(withItem((item) => deliveries.callAgain(item, chance.happens(0.5)), 'recording'), (options.calls / days) * 0.05);
    if (this.workerAway === 0) {
      at(withItem((item) => officers.hold(item)), 0.15 * scale);
      at(withItem((item) => officers.candidate(item)), 0.1 * scale);
    }
    at(withItem((item) => officers.objection(item), 'recording'), 0.05 * scale);
    at(() => officers.decide(), 0.06 * scale);
    at(withItem((item) => officers.erase(item, 'erasure')), 0.05 * scale);
    for (const hold of model.holds) {
      if (hold.released || hold.endsMs <= dayStart) continue;
      if (!hold.confirmed && chance.happens(0.3)) at(() => officers.confirm(hold), 1);
      else if (chance.happens(0.02)) at(() => officers.release(hold), 1);
    }
    const falling = items.filter((item) => model.dueMs(item) > dayStart + 2 * hourMs && model.dueMs(item) <= dayStart + 22 * hourMs);
    // On some days: each costs more than all else that day brings.
    for (const item of chance.happens(0.2) ? falling.slice(0, 1) : [])
      for (const atMs of [model.dueMs(item) - 1000, model.dueMs(item)]) planned.push({ atMs, act: () => this.checks.boundary(item) });
    if (chance.happens(0.1))
      planned.push({ atMs: dayStart + chance.whole(2 * 3600, 20 * 3600) * 1000, act: async () => {
        world.faults.dieAfter(chance.whole(1, 150));
        await deliveries.calls(1);
        this.revive();
        if (this.workerAway === 0) await this.work();
      } });
    return planned.sort((a, b) => a.atMs - b.atMs);
  }

  private async policies(day: number): Promise<void> {
    const { officers } = this;
    const at = (share: number) => day === Math.floor(share * this.days);
    if (at(0.365)) await officers.policy('recording', { amount: 60, unit: 'days' }, true);
    if (at(0.39)) await officers.policy('recording', { amount: 90, unit: 'days' }, false);
    if (at(0.6)) await officers.policy('support', { amount: 2, unit: 'calendar_years' }, true);
    if (at(0.64)) await officers.policy('contact_form', { amount: 200, unit: 'days' }, true);
    if (at(0.73)) await officers.policy('support', { amount: 3, unit: 'calendar_years' }, false);
    if (at(0.82)) await officers.policy('recording', { amount: 45, unit: 'days' }, false);
  }

  async day(day: number): Promise<void> {
    const { world, checks, deliveries } = this;
    const { clock, faults, jobs } = world;
    const dayStart = start + day * dayMs;
    const forward = (atMs: number) => clock.freeze(new Date(Math.max(atMs, clock.now().getTime())));
    forward(dayStart + hourMs / 2);
    // A storage that is away carries out no rules either, and when it is back tags are put right before it does.
    if (this.storageAway === 0 && !this.rulesRest && (await world.bucket.enforceLifecycle()) > 0) checks.afterRules();
    this.misfortunes(day);
    for (const { atMs, act } of this.plan(day)) {
      forward(atMs);
      await act();
      this.revive();
    }
    // Evening: what fails passes; what is away stays so.
    forward(dayStart + 23 * hourMs);
    const wasCalm = faults.isCalm;
    faults.restart();
    faults.database = 'there';
    if (this.storageAway === 0) faults.storage = 'there';
    this.rulesRest = this.storageAway > 0;
    await checks.over();
    if (this.storageAway > 0) {
      if (this.workerAway === 0) await this.work();
      await checks.day(false);
      return;
    }
    await deliveries.sendAgain();
    const swept = this.workerAway === 0;
    if (swept) {
      await this.policies(day);
      if (!wasCalm || faults.refuses('x/y')) await world.call('administrator', 'POST', '/retention/sweeps');
      await this.work();
      if (day % 350 === 349) await this.process();
      if (day % 30 === 0) for (const name of ['retention.lifecycle', 'retention.forget', 'audit.seal']) await jobs.run(name);
    }
    await checks.day(swept);
    // PostgreSQL looks at its tables by itself once a minute, in which a life passes months: its plans would stay those for empty ones.
    if (analysedOn.includes(day) || day % 100 === 99) await world.truth.database.query('ANALYZE');
    if (day % 6 === 0) await checks.sample(1);
    if (this.officers.erasedCalls.length > 0 && this.chance.happens(0.3)) await deliveries.erasedAgain(this.officers.erasedCalls.pop() ?? '');
    if (swept && day % this.options.reconcileEveryDays === this.options.reconcileEveryDays - 1 && deliveries.waiting === 0) await checks.reconciled();
  }
}

const isExcused = (error: unknown): boolean =>
  error instanceof ProcessDied || error instanceof StorageAway ||
  (error instanceof Problem && (error.code === 'storage-unavailable' || error.code === 'database-unavailable'));

/** Lives through it. @throws at the first thing that does not hold, with the day and the seed */
export async function live(options: LifeOptions): Promise<Record<string, number>> {
  const tell = options.tell ?? (() => undefined);
  const chance = chanceOf(options.seed);
  const world = await lifeWorld(new Date(start), chanceOf(options.seed + 1).next);
  const life = new Life(world, chance, options);
  const beganMs = performance.now();
  try {
    let lived = 0;
    for (let day = 0; day < life.days; day += 1) {
      try {
        await life.day(day);
      } catch (error) {
        const logged = world.lastError === undefined ? '' : `; the service logged: ${world.lastError}`;
        throw new Error(`seed ${options.seed}, day ${day}: ${error instanceof Error ? error.message : String(error)}${logged}`, { cause: error });
      }
      lived += 1;
      if (day % (options.tellEveryDays ?? 20) === 0) tell(`day ${day + 1}: ${life.model.items.size} things there, ${Math.round((performance.now() - beganMs) / 1000)} s`);
    }
    const { ok } = await life.world.features.audit.verifier.verify({ full: true });
    if (!ok) throw new Error(`seed ${options.seed}: the audit chain is not sound`);
    return {
      lived, ...life.deliveries.counts, ...life.officers.counts, ...life.counts, ...life.checks.counts,
      faults: world.faults.failures, leftAtTheEnd: life.model.items.size, seconds: Math.round((performance.now() - beganMs) / 1000),
    };
  } finally {
    await world.close();
  }
}
