/**
 * What ought to be, kept beside the service and made without it: what was acknowledged, until when each thing is kept by
 * the rules as they are written, and which holds keep it longer.
 */

export interface Item {
  id: string;
  kind: 'recording' | 'ticket_piece';
  /** What a hold on it names. */
  subjectId: string;
  /** Of its versions, oldest first. */
  sha256: string[];
  policy: 'recording' | 'support' | 'contact_form';
  /** From when it counts, ms. */
  startMs: number;
  untilMs: number;
  /** When it was erased on somebody's decision, ms. */
  erasedMs: number | undefined;
  /** How its source calls it. */
  external: string;
}

export interface ModelHold {
  id: string;
  subject: 'recording' | 'ticket';
  subjectId: string;
  fromMs: number;
  endsMs: number;
  released: boolean;
  confirmed: boolean;
}

export interface Period {
  amount: number;
  unit: 'days' | 'calendar_years';
}

const dayMs = 86_400_000;
const wallFormat = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Amsterdam', dateStyle: 'short', timeStyle: 'medium' });
/** What a clock on a wall in Amsterdam shows: `2026-03-01 09:30:00`. */
const wall = (ms: number): string => wallFormat.format(ms);

/** The end of a period: days of 24 hours, or the same date and time of day some years on, 28 February for the 29th. */
export function endOf(startMs: number, period: Period): number {
  if (period.unit === 'days') return startMs + period.amount * dayMs;
  const told = wall(startMs);
  const year = Number(told.slice(0, 4)) + period.amount;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const date = told.slice(5, 10) === '02-29' && !isLeap ? '02-28' : told.slice(5, 10);
  const wanted = `${year}-${date} ${told.slice(11)}`;
  const asUtc = Date.parse(`${wanted.replace(' ', 'T')}.${String(startMs % 1000).padStart(3, '0')}Z`);
  // Summer time is two hours ahead, winter time one; of an hour that comes twice the first counts.
  for (const hours of [2, 1]) if (wall(asUtc - hours * 3_600_000) === wanted) return asUtc - hours * 3_600_000;
  return asUtc - 2 * 3_600_000;
}

export class Model {
  readonly items = new Map<string, Item>();
  readonly holds: ModelHold[] = [];
  readonly #holdsOf = new Map<string, ModelHold[]>();
  /** The period each policy has now. */
  readonly periods: Record<Item['policy'], Period> = {
    recording: { amount: 90, unit: 'days' },
    support: { amount: 3, unit: 'calendar_years' },
    contact_form: { amount: 1, unit: 'calendar_years' },
  };
  /** Pushes that were never acknowledged, by what the source calls the call: something of them may be there. */
  readonly unacknowledged = new Set<string>();
  /**
   * Calls of which a push was once not acknowledged, whatever came after: it may have been taken in all the same. Who then
   * came back when its date was over was refused, and it went as everything goes.
   */
  readonly doubtful = new Set<string>();
  /** Digests of all audio that was ever pushed. */
  readonly sent = new Set<string>();
  /** Calls that were erased on somebody's decision. */
  readonly erased = new Set<string>();

  /** Recordings by what their PBX calls the call; how many pieces each ticket has. */
  readonly byCall = new Map<string, Item>();
  readonly piecesOf = new Map<string, number>();

  add(item: Item): void {
    if (this.items.has(item.id)) return;
    this.items.set(item.id, item);
    if (item.kind === 'recording') this.byCall.set(item.external, item);
    else this.piecesOf.set(item.external, (this.piecesOf.get(item.external) ?? 0) + 1);
  }

  hold(hold: ModelHold): void {
    this.holds.push(hold);
    const own = this.#holdsOf.get(hold.subjectId) ?? [];
    own.push(hold);
    this.#holdsOf.set(hold.subjectId, own);
  }

  /**
   * When an item has to go: at its date, or, when a hold was there before that, when the last of an unbroken row of holds
   * ends; before all that when it was erased.
   */
  dueMs(item: Item): number {
    let due = item.untilMs;
    for (let moved = true; moved; ) {
      moved = false;
      for (const hold of this.#holdsOf.get(item.subjectId) ?? [])
        if (hold.fromMs < due && hold.endsMs > due) {
          due = hold.endsMs;
          moved = true;
        }
    }
    return Math.min(due, item.erasedMs ?? Infinity);
  }

  isHeld(subjectId: string, atMs: number): boolean {
    return (this.#holdsOf.get(subjectId) ?? []).some((hold) => hold.fromMs <= atMs && hold.endsMs > atMs);
  }

  /** Readable at all, and by a trainer: a thing past its date is the officer's alone, while it is held. */
  readable(item: Item, atMs: number): { officer: boolean; trainer: boolean } {
    const there = this.dueMs(item) > atMs;
    return { officer: there, trainer: there && item.untilMs > atMs };
  }

  /** A policy is shortened for what is there, too. */
  shorten(policy: Item['policy'], period: Period, atMs: number): void {
    for (const item of this.items.values())
      if (item.policy === policy && this.dueMs(item) > atMs)
        // What was in force at the moment of the act goes on from there: a hold placed before it still keeps the item.
        item.untilMs = Math.min(item.untilMs, Math.max(endOf(item.startMs, period), atMs));
    this.periods[policy] = period;
  }

  /** Items that have been found deleted as they should: their ids, to ask after later. */
  readonly gone: Pick<Item, 'id' | 'kind' | 'subjectId'>[] = [];

  bury(item: Item): void {
    this.items.delete(item.id);
    if (item.kind === 'recording') this.byCall.delete(item.external);
    else this.piecesOf.set(item.external, (this.piecesOf.get(item.external) ?? 1) - 1);
    this.gone.push({ id: item.id, kind: item.kind, subjectId: item.subjectId });
  }
}
