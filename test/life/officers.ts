import { beginPurge } from '../../src/retention/purge.js';
import { placeHoldIn } from '../../src/retention/place-hold.js';
import { liftRestrictionIn, restrictIn } from '../../src/retention/restrict.js';
import { endOf, type Item, type Model, type ModelHold, type Period } from './model.js';
import type { Chance } from './random.js';
import type { LifeWorld } from './world.js';

/**
 * What people decide. Where the answer to an act was lost, what is really there tells whether it was done: that is how a
 * person finds out, too.
 */

const dayMs = 86_400_000;
const timeZone = 'Europe/Amsterdam';
const grounds = ['legal_claim', 'restriction', 'open_request', 'authority_order'] as const;

export class Officers {
  readonly counts = { holds: 0, candidates: 0, refusedHolds: 0, confirmed: 0, released: 0, restrictions: 0, lifted: 0, erased: 0, policies: 0 };
  readonly #open: { restrictionId: string; item: Item }[] = [];
  readonly erasedCalls: string[] = [];

  constructor(
    private readonly world: LifeWorld,
    private readonly model: Model,
    private readonly chance: Chance,
  ) {}

  private get nowMs(): number {
    return this.world.clock.now().getTime();
  }

  private get actor() {
    return { kind: 'person' as const, id: this.world.userIds.officer };
  }

  /** Runs `act`; when it broke off under a fault, `undefined`. */
  private async tried<T>(act: () => Promise<T>): Promise<T | undefined> {
    const wasCalm = this.world.faults.isCalm;
    try {
      return await act();
    } catch (error) {
      if (wasCalm) throw error;
      return undefined;
    }
  }

  private remember(hold: { id: string; endsAt: Date | null } | undefined, item: Item, fromMs: number): void {
    if (hold === undefined) return;
    this.model.hold({
      id: hold.id, subject: item.kind === 'recording' ? 'recording' : 'ticket', subjectId: item.subjectId, fromMs,
      endsMs: hold.endsAt?.getTime() ?? Infinity, released: false, confirmed: false,
    });
  }

  private async holdBy(reason: string): Promise<{ id: string; endsAt: Date | null } | undefined> {
    const [row] = await this.world.truth.database.query<{ id: string; endsAt: Date | null }>(
      'SELECT id, ends_at AS "endsAt" FROM holds WHERE reason = $1', [reason],
    );
    return row;
  }

  /** An officer keeps something; refused when its period is over. */
  async hold(item: Item): Promise<void> {
    const { model, world } = this;
    const now = this.nowMs;
    const reason = `hold ${this.counts.holds + this.counts.refusedHolds}`;
    const subject = item.kind === 'recording' ? { recordingId: item.subjectId } : { ticketId: item.subjectId };
    const answer = await world.call('officer', 'POST', '/holds', {
      ...subject, ground: this.chance.oneOf(grounds), reason, reviewAt: new Date(now + 30 * dayMs).toISOString(),
    });
    const may = model.dueMs(item) > now;
    if (answer.status >= 500 && world.faults.isCalm) throw new Error(`a hold was answered ${answer.status}`);
    if (answer.status === 201 || answer.status >= 500) {
      const placed = await this.holdBy(reason);
      if (placed !== undefined && !may && item.kind === 'recording') throw new Error('a hold on what is over');
      if (placed !== undefined) this.counts.holds += 1;
      this.remember(placed, item, now);
    } else if (answer.status === 410 && (!may || item.kind === 'ticket_piece')) this.counts.refusedHolds += 1;
    else throw new Error(`a hold was answered ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  /** What a search for a person's data found is kept for five days. */
  async candidate(item: Item): Promise<void> {
    const { platform, categories } = this.world.features;
    const now = this.nowMs;
    if (this.model.dueMs(item) <= now) return;
    this.counts.candidates += 1;
    const reason = `candidate ${this.counts.candidates}`;
    await this.tried(() =>
      platform.database.inTransaction((tx) =>
        placeHoldIn(platform, categories, tx, this.actor, {
          kind: item.kind === 'recording' ? 'recording' : 'ticket', itemId: item.subjectId, ground: 'open_request', reason,
          reviewAt: new Date(now + 5 * dayMs), endsAt: new Date(now + 5 * dayMs),
        }, timeZone),
      ),
    );
    this.remember(await this.holdBy(reason), item, now);
  }

  async confirm(hold: ModelHold): Promise<void> {
    const answer = await this.world.call('secondOfficer', 'POST', `/holds/${hold.id}/confirm`, { reason: 'seen' });
    if (answer.status >= 500 && !this.world.faults.isCalm) return;
    if (answer.status !== 200 && answer.status !== 409) throw new Error(`a confirmation was answered ${answer.status}`);
    hold.confirmed = true;
    this.counts.confirmed += 1;
  }

  /** The hold ends a day later. */
  async release(hold: ModelHold): Promise<void> {
    const answer = await this.world.call('officer', 'POST', `/holds/${hold.id}/release`, { reason: 'over' });
    if (answer.status >= 500 && this.world.faults.isCalm) throw new Error(`a release was answered ${answer.status}`);
    const [row] = await this.world.truth.database.query<{ endsAt: Date | null; released: boolean }>(
      'SELECT ends_at AS "endsAt", released_at IS NOT NULL AS released FROM holds WHERE id = $1', [hold.id],
    );
    if (row?.released !== true) return;
    hold.endsMs = row.endsAt?.getTime() ?? Infinity;
    if (hold.endsMs > this.nowMs + dayMs) throw new Error('a released hold goes on');
    hold.released = true;
    this.counts.released += 1;
  }

  /** Somebody objects to training with a recording; it is kept no longer for that. */
  async objection(item: Item): Promise<void> {
    const { platform } = this.world.features;
    const placed = await this.tried(() =>
      platform.database.inTransaction((tx) =>
        restrictIn(platform, tx, this.actor, {
          kind: 'recording', itemId: item.id, purpose: this.chance.happens(0.5) ? 'training' : 'all', ground: 'objection', requestId: null,
        }),
      ),
    );
    if (placed === undefined) return;
    this.counts.restrictions += 1;
    this.#open.push({ restrictionId: placed.id, item });
  }

  /** Objections are decided: turned down, or upheld and the recording erased. */
  async decide(): Promise<void> {
    const next = this.#open.shift();
    if (next === undefined) return;
    const { item, restrictionId } = next;
    const { platform } = this.world.features;
    if (this.chance.happens(0.5)) {
      this.counts.lifted += 1;
      await this.tried(() => platform.database.inTransaction((tx) => liftRestrictionIn(platform, tx, this.actor, restrictionId)));
    } else await this.erase(item, 'objection');
  }

  async erase(item: Item, reason: 'erasure' | 'objection'): Promise<void> {
    const { platform, categories } = this.world.features;
    const now = this.nowMs;
    if (!this.model.items.has(item.id) || this.model.dueMs(item) <= now || this.model.isHeld(item.subjectId, now)) return;
    await this.tried(() =>
      platform.database.inTransaction((tx) =>
        beginPurge(platform, categories, tx, { category: item.kind, ids: [item.id] }, { reason, rule: 'a decision', actor: this.actor }),
      ),
    );
    const begun = await this.world.truth.database.query('SELECT 1 FROM purges WHERE item_id = $1', [item.id]);
    if (begun.length === 0) return;
    item.erasedMs = now;
    this.counts.erased += 1;
    if (item.kind === 'recording') {
      this.erasedCalls.push(item.external);
      this.model.erased.add(item.external);
    }
  }

  /** A period is changed, for what is there as well when `existing`; the preview must tell what will come of it. */
  async policy(policy: Item['policy'], period: Period, existing: boolean): Promise<void> {
    const { model, world } = this;
    const now = this.nowMs;
    const query = `amount=${period.amount}&unit=${period.unit}`;
    const preview = await world.call('administrator', 'GET', `/retention/policies/${policy}/preview?${query}`);
    if (preview.status !== 200) throw new Error(`a preview was answered ${preview.status}`);
    const { shortened, dueAtOnce, token } = preview.body as { shortened: number; dueAtOnce: number; token: string };
    if (model.unacknowledged.size === 0) {
      const shorter = [...model.items.values()].filter(
        (item) => item.policy === policy && item.erasedMs === undefined && item.untilMs > now && endOf(item.startMs, period) < item.untilMs,
      );
      const atOnce = shorter.filter((item) => endOf(item.startMs, period) <= now);
      if (shorter.length !== shortened || atOnce.length !== dueAtOnce)
        throw new Error(`the preview says ${shortened}/${dueAtOnce}, it is ${shorter.length}/${atOnce.length}`);
    }
    const answer = await world.call('administrator', 'PUT', `/retention/policies/${policy}`, {
      ...period, reason: 'decided', existing: existing ? { expected: dueAtOnce, token } : null,
    });
    if (answer.status !== 200) throw new Error(`a policy was answered ${answer.status} ${JSON.stringify(answer.body)}`);
    this.counts.policies += 1;
    if (existing) {
      await world.jobs.run('retention.shorten');
      model.shorten(policy, period, now);
    } else model.periods[policy] = period;
    await world.jobs.run('retention.lifecycle');
  }
}
