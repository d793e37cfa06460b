import { createHash } from 'node:crypto';
import { tone } from '../support/audio.js';
import { endOf, type Item, type Model, type Period } from './model.js';
import type { Chance } from './random.js';
import type { Answer, LifeWorld } from './world.js';

/** What PBX and helpdesk send, on time, late, twice, and again when it was not acknowledged. */

const dayMs = 86_400_000;
const minuteMs = 60_000;
const base = tone({ seconds: 0.25, codec: 'mulaw' });
const iso = (ms: number): string => new Date(ms).toISOString();

interface Push {
  callId: string;
  startMs: number;
  endMs: number;
  audio: Buffer;
}

interface Told {
  externalId: string;
  category: 'support' | 'contact_form';
  messages: { externalId: string; atMs: number }[];
}

/** Sent and not acknowledged: what it was, and under which periods it may have been taken in. */
interface Waiting {
  again: (periods: Period[]) => Promise<boolean>;
  periods: Period[];
  name: string;
}

export class Deliveries {
  readonly counts = { calls: 0, refusedAsOver: 0, versions: 0, duplicates: 0, tickets: 0, messages: 0, attachments: 0, sentAgain: 0 };
  readonly #calls = new Map<string, Push>();
  readonly #tickets = new Map<string, Told>();
  #waiting: Waiting[] = [];
  #attachments = 0;

  constructor(
    private readonly world: LifeWorld,
    private readonly model: Model,
    private readonly chance: Chance,
  ) {}

  private get nowMs(): number {
    return this.world.clock.now().getTime();
  }

  /** Sends, and remembers to send again when the answer is that the service cannot now. */
  private async deliver(name: string, period: Period, send: (periods: Period[]) => Promise<boolean>): Promise<void> {
    if (await send([period])) return;
    this.model.unacknowledged.add(name);
    this.model.doubtful.add(name);
    this.#waiting.push({ again: send, periods: [period], name });
  }

  /** As a PBX does: what was not acknowledged is sent again, until it is. */
  async sendAgain(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) {
      this.counts.sentAgain += 1;
      if (await each.again(each.periods)) this.model.unacknowledged.delete(each.name);
      else this.#waiting.push(each);
    }
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  private isPassing(answer: Answer): boolean {
    if (answer.status < 500) return false;
    if (this.world.faults.isCalm) throw new Error(`answered ${answer.status} for no reason: ${JSON.stringify(answer.body)}`);
    return true;
  }

  /**
   * Calls that come at the same moment, as a PBX has them. What is drawn is drawn before anything is sent, and in the face of
   * misfortune one goes after the other: the same seed brings the same days.
   */
  async calls(count: number): Promise<void> {
    const pushes = Array.from({ length: count }, () => this.made());
    await this.together(pushes, (push) =>
      this.deliver(push.callId, this.model.periods.recording, (periods) => this.push(push, periods)),
    );
  }

  private async together<T>(each: readonly T[], send: (one: T) => Promise<void>): Promise<void> {
    if (this.world.faults.isCalm) await Promise.all(each.map(send));
    else for (const one of each) await send(one);
  }

  /** A call that has just ended, or is pushed late, by a PBX whose clock may be ahead. */
  private made(): Push {
    const { chance } = this;
    const kind = chance.next();
    const lateMs = kind < 0.8 ? chance.whole(0, 60) * minuteMs
      : kind < 0.93 ? chance.whole(60, 30 * 1440) * minuteMs
      : kind < 0.97 ? chance.whole(30 * 1440, 89 * 1440) * minuteMs
      : kind < 0.985 ? chance.whole(89 * 1440, 93 * 1440) * minuteMs
      : -chance.whole(1, 90) * minuteMs;
    const endMs = this.nowMs - lateMs;
    this.counts.calls += 1;
    const audio = Buffer.from(base);
    audio.writeUInt32LE(this.counts.calls, audio.length - 8);
    const startMs = Math.min(endMs, this.nowMs) - chance.whole(1, 20) * minuteMs;
    return { callId: `call-${this.counts.calls}`, startMs, endMs, audio };
  }

  /** The same call again, with the same bytes or with others. */
  async callAgain(item: Item, otherBytes: boolean): Promise<void> {
    const push = this.#calls.get(item.external);
    if (push === undefined) return;
    const audio = Buffer.from(push.audio);
    if (otherBytes) audio.writeUInt32LE(this.chance.whole(1, 2 ** 31), audio.length - 16);
    await this.deliver(push.callId, this.model.periods.recording, (periods) => this.push({ ...push, audio }, periods));
  }

  /** What was erased on request is refused when the PBX sends it once more. */
  async erasedAgain(external: string): Promise<void> {
    const push = this.#calls.get(external);
    if (push === undefined || !this.world.faults.isCalm) return;
    const answer = await this.world.call('pbx', 'POST', '/recordings', multipart(push));
    if (answer.status !== 422) throw new Error(`what was erased came back: ${answer.status}`);
  }

  private async push(push: Push, periods: Period[]): Promise<boolean> {
    const { model, world } = this;
    const now = this.nowMs;
    periods.push(model.periods.recording);
    const startMs = Math.min(push.endMs, now);
    const sha256 = createHash('sha256').update(push.audio).digest('hex');
    model.sent.add(sha256);
    const answer = await world.call('pbx', 'POST', '/recordings', multipart(push));
    if (this.isPassing(answer)) return false;
    const known = model.byCall.get(push.callId);
    // What is kept still is acknowledged when it comes again, whatever period is in force by now.
    const again = known !== undefined && known.sha256.includes(sha256) && known.untilMs > now && model.dueMs(known) > now;
    if (answer.status === 422) {
      // Other bytes are measured by the period that is in force now, also where an earlier version has a longer date.
      const over = !again && ( periods.some((period) => endOf(startMs, period) <= now) || model.erased.has(push.callId) ||
        (known !== undefined && (model.dueMs(known) <= now || known.untilMs <= now)));
      if (!over) throw new Error(`refused though it is not over: ${push.callId} ${JSON.stringify(answer.body)}`);
      this.counts.refusedAsOver += 1;
      return true;
    }
    if (answer.status !== 201 && answer.status !== 200) throw new Error(`a push was answered ${answer.status} ${JSON.stringify(answer.body)}`);
    const { id, retainUntil } = answer.body as { id: string; retainUntil: string };
    if (known !== undefined) {
      if (known.id !== id) throw new Error('one call became two recordings');
      if (known.sha256.includes(sha256)) this.counts.duplicates += 1;
      else {
        known.sha256.push(sha256);
        this.counts.versions += 1;
      }
      return true;
    }
    const allowed = periods.map((period) => endOf(startMs, period));
    // Where the clock of the PBX was ahead and the first answer was lost, it counts from the first receipt.
    const untilMs = Date.parse(retainUntil);
    if (!allowed.includes(untilMs) && !(push.endMs > startMs || (push.endMs > now - dayMs * 4 && untilMs < Math.max(...allowed))))
      throw new Error(`kept until ${retainUntil}, not ${allowed.map(iso).join(' or ')}`);
    this.#calls.set(push.callId, push);
    model.add({
      id, kind: 'recording', subjectId: id, sha256: [sha256], policy: 'recording',
      startMs: Math.min(startMs, untilMs - 1), untilMs, erasedMs: undefined, external: push.callId,
    });
    return true;
  }

  /** Tickets and contact forms at the same moment, some of them imported with messages of years ago. */
  async tickets(count: number): Promise<void> {
    const each = Array.from({ length: count }, () => ({ told: this.asked(), attached: this.chance.happens(0.2) }));
    await this.together(each, async ({ told, attached }) => {
      await this.deliver(told.externalId, this.model.periods[told.category], (periods) => this.tell(told, periods));
      if (attached) await this.attach(told);
    });
  }

  private asked(): Told {
    const { chance } = this;
    this.counts.tickets += 1;
    const category = chance.happens(0.3) ? 'contact_form' : 'support';
    const oldest = category === 'support' ? 3.05 * 365 : 1.05 * 365;
    const imported = chance.happens(0.25);
    const messages = Array.from({ length: chance.whole(1, 3) }, (_each, at) => ({
      externalId: `m${at}`,
      atMs: this.nowMs - (imported ? chance.whole(0, oldest * 1440) : chance.whole(0, 600)) * minuteMs,
    }));
    return { externalId: `T-${this.counts.tickets}`, category, messages };
  }

  /** Something is added to a ticket; the helpdesk sends the whole thread once more. */
  async reply(item: Item): Promise<void> {
    const told = this.#tickets.get(item.external);
    if (told === undefined) return;
    const more: Told = { ...told, messages: [...told.messages, { externalId: `m${told.messages.length}`, atMs: this.nowMs - minuteMs }] };
    this.#tickets.set(item.external, more);
    await this.deliver(more.externalId, this.model.periods[more.category], (periods) => this.tell(more, periods));
  }

  private async tell(told: Told, periods: Period[]): Promise<boolean> {
    const { model, world } = this;
    const now = this.nowMs;
    periods.push(model.periods[told.category]);
    const body = {
      number: told.externalId, category: told.category, status: 'open',
      messages: told.messages.map(({ externalId, atMs }) => ({ externalId, at: iso(atMs), from: 'customer', body: `${told.externalId} ${externalId}` })),
    };
    const answer = await world.call('helpdesk', 'PUT', `/tickets/by-external/${told.externalId}`, body);
    if (this.isPassing(answer)) return false;
    const endsOf = (atMs: number) => periods.map((period) => endOf(atMs, period));
    if (answer.status === 422) {
      if (!told.messages.every(({ atMs }) => endsOf(atMs).some((end) => end <= now)))
        throw new Error(`a ticket was refused that is not over: ${JSON.stringify(answer.body)}`);
      this.counts.refusedAsOver += 1;
      return true;
    }
    if (answer.status !== 200 && answer.status !== 201) throw new Error(`a ticket was answered ${answer.status} ${JSON.stringify(answer.body)}`);
    const shown = answer.body as { id: string; messages: { id: string; externalId: string; retainUntil: string }[] };
    this.#tickets.set(told.externalId, told);
    for (const { externalId, atMs } of told.messages) {
      const piece = shown.messages.find((each) => each.externalId === externalId);
      const ends = endsOf(atMs);
      if (piece === undefined) {
        const gone = model.gone.length > 0 || ends.some((end) => end <= now);
        if (!gone) throw new Error(`a message that is not over was not kept: ${told.externalId} ${externalId}`);
        continue;
      }
      const known = model.items.get(piece.id);
      const untilMs = Date.parse(piece.retainUntil);
      if (known !== undefined) {
        if (untilMs > known.untilMs && known.untilMs > now) throw new Error(`sent again, it is kept longer: until ${piece.retainUntil} ${JSON.stringify(known)}`);
        continue;
      }
      if (!ends.includes(untilMs)) throw new Error(`kept until ${piece.retainUntil}, not ${ends.map(iso).join(' or ')}`);
      this.counts.messages += 1;
      await this.addPiece(piece.id, shown.id, told, atMs, untilMs);
    }
    return true;
  }

  private async attach(told: Told): Promise<void> {
    const first = told.messages[0];
    const { model, world } = this;
    const ofTicket = (model.piecesOf.get(told.externalId) ?? 0) > 0;
    if (first === undefined || !ofTicket || endOf(first.atMs, model.periods[told.category]) <= this.nowMs) return;
    this.#attachments += 1;
    const name = `attachment ${this.#attachments}`;
    const form = formOf({ externalId: name, message: first.externalId, at: iso(first.atMs) }, 'file', 'a.txt', Buffer.from(name));
    await this.deliver(name, model.periods[told.category], async (periods) => {
      periods.push(model.periods[told.category]);
      const answer = await world.call('helpdesk', 'POST', `/tickets/by-external/${told.externalId}/attachments`, form);
      if (this.isPassing(answer)) return false;
      if (answer.status === 422 || answer.status === 404) return true;
      if (answer.status !== 200 && answer.status !== 201) throw new Error(`an attachment was answered ${answer.status}`);
      const { id, retainUntil } = answer.body as { id: string; retainUntil: string };
      const untilMs = Date.parse(retainUntil);
      const ends = periods.map((period) => endOf(first.atMs, period));
      if (!ends.includes(untilMs)) throw new Error(`an attachment kept until ${retainUntil}, not ${ends.map(iso).join(' or ')}`);
      const [row] = await world.truth.database.query<{ ticket: string }>('SELECT ticket_id AS ticket FROM ticket_pieces WHERE id = $1', [id]);
      this.counts.attachments += 1;
      await this.addPiece(id, row?.ticket ?? '', told, first.atMs, untilMs);
      return true;
    });
  }

  private async addPiece(id: string, ticketId: string, told: Told, atMs: number, untilMs: number): Promise<void> {
    const rows = await this.world.truth.database.query<{ sha256: string }>(
      'SELECT sha256 FROM ticket_piece_versions WHERE piece_id = $1 ORDER BY received_at, id', [id],
    );
    this.model.add({
      id, kind: 'ticket_piece', subjectId: ticketId, sha256: rows.map((row) => row.sha256), policy: told.category,
      startMs: atMs, untilMs, erasedMs: undefined, external: told.externalId,
    });
  }
}

function formOf(fields: Record<string, string>, part: string, fileName: string, bytes: Buffer): { type: string; bytes: Buffer } {
  const boundary = 'a-line-that-is-in-no-file';
  const head = Object.entries(fields)
    .map(([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    .join('');
  const file = `--${boundary}\r\nContent-Disposition: form-data; name="${part}"; filename="${fileName}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  return { type: `multipart/form-data; boundary=${boundary}`, bytes: Buffer.concat([Buffer.from(head + file), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]) };
}

const multipart = ({ callId, startMs, endMs, audio }: Push) =>
  formOf(
    { callId, startedAt: iso(startMs), endedAt: iso(endMs), caller: '+31850000101', callee: '+31850000001' },
    'audio', 'call.wav', audio,
  );
