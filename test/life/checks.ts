import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { pushDigest } from '../../src/retention/tombstone.js';
import { reconcile } from '../../src/retention/reconcile.js';
import type { Item, Model } from './model.js';
import type { Stored } from './disk.js';
import type { Chance } from './random.js';
import type { LifeWorld } from './world.js';

/** What must hold after every day, looked at past the service: in the database, in the bucket, and over HTTP. */

const roots = ['recordings/', 'tickets/', 'contact-forms/'];
const dayMs = 86_400_000;
const prefixOf = (key: string) => key.slice(0, key.indexOf('/', key.indexOf('/') + 1) + 1);
const idOf = (key: string) => key.split('/')[1] ?? '';

interface Stone {
  category: string;
  itemId: string;
  sha256: string[];
  reason: string;
  retainUntil: Date;
  purgedAt: Date;
  pushDigest: string | null;
}

export class Checks {
  readonly counts = { days: 0, reads: 0, boundaries: 0, tombstones: 0, byBucket: 0, contents: 0, over: 0 };
  #stonesSeenUntil = new Date(0);
  /** Ids of what the bucket's own rule has deleted, and of what it has deleted a version of: each counts from its own upload. */
  readonly takenByBucket = new Set<string>();
  readonly #begunByBucket = new Set<string>();
  #objects = new Map<string, Stored>();
  readonly #askedAfter = new Set<string>();

  constructor(
    private readonly world: LifeWorld,
    private readonly model: Model,
    private readonly chance: Chance,
  ) {}

  private get nowMs(): number {
    return this.world.clock.now().getTime();
  }

  private fail(what: string, item?: Item): never {
    throw new Error(`${this.world.clock.now().toISOString()}: ${what}${item === undefined ? '' : ` ${JSON.stringify(item)}`}`);
  }

  private objects(): Map<string, Stored> {
    return this.world.truth.disk.objects(roots);
  }

  /** Which items lost their objects while the bucket carried out its rules. None may be held, or before its date. */
  afterRules(): void {
    const now = this.objects();
    for (const key of this.#objects.keys())
      if (!now.has(key)) {
        const id = idOf(key);
        const item = this.model.items.get(id);
        if (item !== undefined && this.model.dueMs(item) > this.nowMs) this.fail('the bucket deleted early', item);
        this.#begunByBucket.add(id);
      }
    const left = new Set([...now.keys()].map(idOf));
    for (const id of this.#begunByBucket) if (!left.has(id)) this.takenByBucket.add(id);
    this.#objects = now;
  }

  /** Every day: database, storage and model say the same. `swept` is false while no worker runs. */
  async day(swept: boolean): Promise<void> {
    this.counts.days += 1;
    const { model, world } = this;
    const now = this.nowMs;
    const [there] = await world.truth.database.query<Record<'recordings' | 'pieces' | 'keys' | 'receiving' | 'derived' | 'failing' | 'retags', string>>(
      `SELECT coalesce((SELECT string_agg(id::text, ',') FROM recordings WHERE version > 0), '') AS recordings,
         coalesce((SELECT string_agg(id::text, ',') FROM ticket_pieces WHERE current_version_id IS NOT NULL), '') AS pieces,
         coalesce((SELECT string_agg(original_key, ',') FROM recording_versions WHERE state <> 'receiving'), '') || ',' ||
         coalesce((SELECT string_agg(object_key, ',') FROM ticket_piece_versions WHERE state = 'kept'), '') AS keys,
         coalesce((SELECT string_agg(original_key, ',') FROM recording_versions WHERE state = 'receiving'), '') || ',' ||
         coalesce((SELECT string_agg(object_key, ',') FROM ticket_piece_versions WHERE state <> 'kept'), '') AS receiving,
         coalesce((SELECT string_agg(playback_key || ',' || waveform_key, ',') FROM recording_versions WHERE playback_key IS NOT NULL), '') AS derived,
         coalesce((SELECT string_agg(item_id::text, ',') FROM purges WHERE last_fault IS NOT NULL), '') AS failing,
         coalesce((SELECT string_agg(item_id::text, ',') FROM retags WHERE attempts > 0 OR next_attempt_at <= $1), '') AS retags`,
      [this.world.clock.now()],
    );
    const split = (text: string | undefined) => new Set((text ?? '').split(',').filter((each) => each !== ''));
    const rows = new Set([...split(there?.recordings), ...split(there?.pieces)]);
    const originals = split(there?.keys);
    const told = new Set([...originals, ...split(there?.derived)]);
    // A push that broke off: its row is there, its object may be, and either is settled within hours.
    const receiving = split(there?.receiving);
    const failing = split(there?.failing);
    const keys = this.objects();
    const before = this.#objects;
    this.#objects = keys;
    const inStorage = new Set<string>();
    const waiting = split(there?.retags);
    for (const [key, { etag, hold }] of keys) {
      inStorage.add(idOf(key));
      const item = model.items.get(idOf(key));
      if (originals.has(key) && (before.get(key)?.etag ?? etag) !== etag) this.fail(`other bytes than before: ${prefixOf(key)}`, item);
      // Who waits for a worker or for storage is in the queue of the tags; whoever is not has the tag that it should have.
      if (item !== undefined && originals.has(key) && !waiting.has(item.subjectId) && model.dueMs(item) > now &&
        (hold === '1') !== model.isHeld(item.subjectId, now)) this.fail(`tagged ${hold ?? 'not at all'}`, item);
      if (!told.has(key) && !receiving.has(key) && !failing.has(idOf(key))) this.fail(`an object that no row knows: ${key}`);
    }
    for (const key of told)
      if (!keys.has(key) && !failing.has(idOf(key)) && !(this.#begunByBucket.has(idOf(key)) && !swept)) this.fail(`a row without its object: ${prefixOf(key)}`);
    for (const item of [...model.items.values()]) {
      const due = model.dueMs(item) <= now;
      if (!due) {
        if (!rows.has(item.id)) this.fail('deleted early, its row is gone', item);
        if (!inStorage.has(item.id)) this.fail('deleted early, its object is gone', item);
      } else if (!rows.has(item.id)) {
        if (inStorage.has(item.id)) this.fail('its row is gone, its object is not', item);
      } else if (swept && !failing.has(item.id)) this.fail('past its date and not deleted', item);
    }
    for (const id of rows) if (!model.items.has(id)) await this.unknownRow(id);
    await this.tombstones(swept);
  }

  /** What the service never acknowledged may be there: the PBX has it still, and will send it again. */
  private async unknownRow(id: string): Promise<void> {
    const [row] = await this.world.truth.database.query<{ external: string }>(
      `SELECT call_id AS external FROM recordings WHERE id = $1
       UNION ALL SELECT CASE p.kind WHEN 'attachment' THEN p.external_id ELSE t.external_id END
         FROM ticket_pieces p JOIN tickets t ON t.id = p.ticket_id WHERE p.id = $1`,
      [id],
    );
    if (row === undefined || !this.model.doubtful.has(row.external)) this.fail(`a row that nobody acknowledged: ${id}`);
  }

  /** Every new tombstone is true, and everything that went has one. */
  private async tombstones(swept: boolean): Promise<void> {
    const { model, world } = this;
    const stones = await world.truth.database.query<Stone>(
      `SELECT category, item_id AS "itemId", sha256, reason, retain_until AS "retainUntil", purged_at AS "purgedAt", push_digest AS "pushDigest"
       FROM tombstones WHERE purged_at > $1 AND category IN ('recording', 'ticket_piece') ORDER BY purged_at`,
      [this.#stonesSeenUntil],
    );
    for (const stone of stones) {
      this.#stonesSeenUntil = stone.purgedAt;
      const item = model.items.get(stone.itemId);
      if (item === undefined) {
        if (stone.category === 'recording' && !(await this.mayHaveBeen(stone))) this.fail(`a tombstone of what never was: ${JSON.stringify(stone)}`);
        continue;
      }
      this.counts.tombstones += 1;
      if (model.dueMs(item) > stone.purgedAt.getTime()) this.fail('a tombstone from before its time', item);
      if (item.kind === 'recording' ? stone.sha256.join() !== item.sha256.join() : !item.sha256.every((each) => stone.sha256.includes(each)))
        this.fail(`a tombstone with other digests: ${stone.sha256.join()}`, item);
      const erased = item.erasedMs !== undefined && item.erasedMs <= stone.purgedAt.getTime() && (stone.reason === 'erasure' || stone.reason === 'objection');
      const byBucket = this.takenByBucket.has(item.id);
      if (!erased && stone.reason !== (byBucket ? 'lifecycle' : 'retention')) this.fail(`a tombstone that says ${stone.reason}`, item);
      if (stone.reason === 'lifecycle') this.counts.byBucket += 1;
      model.bury(item);
    }
    if (!swept) return;
    const now = this.nowMs;
    for (const item of model.items.values())
      if (model.dueMs(item) <= now) {
        const left = await world.truth.database.query('SELECT 1 FROM purges WHERE item_id = $1', [item.id]);
        if (left.length === 0) this.fail('gone without a tombstone', item);
      }
  }

  /** Of a call that was pushed and not acknowledged: bytes that were sent, kept until their date. */
  private async mayHaveBeen(stone: Stone): Promise<boolean> {
    const { model, world } = this;
    const sources = await world.truth.database.query<{ id: string }>('SELECT id FROM sources');
    const isKnown = [...model.doubtful].some((name) => sources.some(({ id }) => pushDigest(id, name, '0') === stone.pushDigest));
    return isKnown && stone.sha256.length > 0 && stone.sha256.every((each) => model.sent.has(each)) && stone.retainUntil <= stone.purgedAt;
  }

  private path(item: Pick<Item, 'kind' | 'id' | 'subjectId'>): string {
    return item.kind === 'recording' ? `/recordings/${item.id}` : `/tickets/${item.subjectId}`;
  }

  /** What is there is read by those who may, what is over by nobody. Tickets: the piece is in the thread, or is not. */
  async readable(item: Item): Promise<void> {
    const { model, world } = this;
    if (!world.faults.isCalm) return;
    const may = model.readable(item, this.nowMs);
    for (const who of ['officer', 'trainer'] as const) {
      this.counts.reads += 1;
      const { status, body } = await world.call(who, 'GET', this.path(item));
      if (item.kind === 'recording') {
        // A restriction closes a recording to trainers: they may see less than the model says, never more.
        if (may[who] ? status !== 200 && who === 'officer' : status === 200) this.fail(`${who} was answered ${status}`, item);
      } else if (who === 'officer') {
        const thread = status === 200 ? (body as { messages: { id: string; attachments?: { id: string }[] }[] }) : { messages: [] };
        const shown = JSON.stringify(thread).includes(item.id);
        if (shown !== may.officer) this.fail(`the officer was answered ${status}, and ${shown ? 'sees' : 'does not see'} it`, item);
      }
    }
  }

  /**
   * Before the worker deletes anything: whatever has come to its end since this was last asked is there, and nobody reads it.
   * By itself each is answered 410 (a message is missing in its thread), and no list has a recording among its days.
   */
  async over(): Promise<void> {
    const { model, world } = this;
    const now = this.nowMs;
    const fallen = [...model.items.values()].filter((item) => !this.#askedAfter.has(item.id) && model.dueMs(item) <= now);
    for (const item of fallen) this.#askedAfter.add(item.id);
    const threads = new Map<string, Item[]>();
    const calls = fallen.filter((item) => item.kind === 'recording');
    for (const item of fallen) if (item.kind === 'ticket_piece') threads.set(item.subjectId, [...(threads.get(item.subjectId) ?? []), item]);
    await Promise.all([
      ...calls.map(async (item) => {
        const { status } = await world.call('officer', 'GET', this.path(item));
        if (status !== 410) this.fail(`what is over was answered ${status}`, item);
      }),
      ...[...threads].map(async ([ticketId, items]) => {
        const { status, body } = await world.call('officer', 'GET', `/tickets/${ticketId}`);
        if (status !== 200 && status !== 410) this.fail(`a ticket was answered ${status}`, items[0]);
        const shown = JSON.stringify(body);
        for (const item of items) if (shown.includes(item.id)) this.fail('what is over is shown in its thread', item);
      }),
    ]);
    this.counts.over += fallen.length;
    if (calls.length > 0) await this.unlisted(calls);
  }

  /** No list of the days of these calls has one of them. */
  private async unlisted(calls: readonly Item[]): Promise<void> {
    const ids = new Set(calls.map(({ id }) => id));
    const startsMs = calls.map(({ startMs }) => startMs);
    const days = `from=${new Date(Math.min(...startsMs) - 2 * dayMs).toISOString()}&to=${new Date(Math.max(...startsMs) + 1).toISOString()}`;
    for (const who of ['officer', 'trainer'] as const) {
      const { status, body } = await this.world.call(who, 'GET', `/recordings?limit=100&${days}`);
      if (status !== 200) this.fail(`a list was answered ${status}`);
      for (const { id } of (body as { items: { id: string }[] }).items)
        if (ids.has(id)) this.fail(`what is over is in the list of the ${who}`, calls.find((call) => call.id === id));
    }
  }

  /** A second before its date and on it. */
  async boundary(item: Item): Promise<void> {
    this.counts.boundaries += 1;
    await this.readable(item);
  }

  /** What is held or kept has the bytes that were pushed, and the tag that the rules of the bucket look at. */
  async content(item: Item): Promise<void> {
    const { model, world } = this;
    const held = model.isHeld(item.subjectId, this.nowMs);
    const digests: string[] = [];
    for (const root of roots) {
      for await (const { key } of world.truth.objects.list(`${root}${item.id}/`)) {
        const tags = await world.truth.objects.tags(key);
        if (tags?.['hold'] !== (held ? '1' : '0')) this.fail(`tagged ${JSON.stringify(tags)} while ${held ? 'held' : 'not held'}`, item);
        const found = await world.truth.objects.read(key);
        if (found !== undefined) digests.push(createHash('sha256').update(await buffer(found.body)).digest('hex'));
      }
    }
    if (!item.sha256.every((each) => digests.includes(each))) this.fail('its bytes are not those that were pushed', item);
    this.counts.contents += 1;
  }

  /** Some of what lives, all kinds of what is gone, and of what is held. */
  async sample(size: number): Promise<void> {
    const { model, chance } = this;
    const now = this.nowMs;
    const live = [...model.items.values()];
    for (let at = 0; at < size; at += 1) {
      const item = chance.oneOf(live);
      if (item !== undefined) await this.readable(item);
      const gone = chance.oneOf(model.gone);
      if (gone?.kind === 'recording' && this.world.faults.isCalm) {
        this.counts.reads += 1;
        const { status } = await this.world.call('officer', 'GET', this.path(gone));
        if (status !== 410) this.fail(`what is gone was answered ${status}: ${gone.id}`);
      }
    }
    const holds = model.holds.filter((hold) => hold.fromMs <= now && hold.endsMs > now);
    for (let at = 0; at < size; at += 1) {
      const hold = chance.oneOf(holds);
      const item = hold && live.find((each) => each.subjectId === hold.subjectId && model.dueMs(each) > now);
      if (item !== undefined) {
        await this.readable(item);
        await this.content(item);
      }
    }
  }

  /** The service's own reconciliation, tags and dates included, finds nothing. */
  async reconciled(): Promise<void> {
    const { features, truth, clock } = this.world;
    const found: string[] = [];
    await reconcile({ clock, log: features.platform.log, ...truth }, features.categories, {
      repair: false, timeZone: 'Europe/Amsterdam',
      onFinding: (finding) => found.push(`${finding.kind} ${finding.category} ${finding.itemId}`),
    });
    if (found.length > 0) this.fail(`reconciliation found ${found.slice(0, 5).join('; ')}`);
  }
}
