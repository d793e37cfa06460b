import type { Query } from '../api/client.js';
import { dateBefore, startOfDay } from '../format.js';
import type { Place } from '../shell/router.js';

export type Period = 'all' | 'today' | 'week' | 'month' | 'custom';

/** What the list is narrowed to. Empty text means not narrowed. */
export interface Filters {
  period: Period;
  /** Days in Amsterdam, "2026-11-22", both included; read when `period` is `custom`. */
  from: string;
  to: string;
  agent: string;
  direction: string;
  /** A number in any spelling, or a trainer's last three digits. Personal: never in the address. */
  number: string;
  ticket: string;
  queue: string;
  held: boolean;
  marked: boolean;
  /** Only what no evaluation was submitted of; for who evaluates. */
  unevaluated: boolean;
  /** How long it lasts. */
  length: Length;
  /** Words that were said. Personal, perhaps: never in the address. */
  words: string;
}

/** Lengths of calls that people look for: minutes from and up to. */
export const lengths = {
  short: [undefined, 1],
  medium: [1, 5],
  long: [5, 15],
  longest: [15, undefined],
} as const satisfies Record<string, readonly [number | undefined, number | undefined]>;

export type Length = keyof typeof lengths | '';


const daysBack: Record<Period, number | undefined> = {
  all: undefined,
  today: 0,
  week: 6,
  month: 29,
  custom: undefined,
};

/** The filters that an address and its kept part stand for; what cannot be read is left out. */
export function readFilters({ query, kept }: Place): Filters {
  const text = (name: string) => query.get(name) ?? '';
  const date = (name: string) => (/^\d{4}-\d{2}-\d{2}$/.test(text(name)) ? text(name) : '');
  const period = text('period');
  return {
    period: period in daysBack ? (period as Period) : date('from') || date('to') ? 'custom' : 'all',
    from: date('from'),
    to: date('to'),
    agent: text('agent'),
    direction: text('direction'),
    number: kept['number'] ?? '',
    ticket: text('ticket'),
    queue: text('queue'),
    held: text('held') === 'true',
    marked: text('marked') === 'true',
    unevaluated: text('unevaluated') === 'true',
    length: text('length') in lengths ? (text('length') as Length) : '',
    words: kept['words'] ?? '',
  };
}

/** The address of a list with these filters; the number goes beside it. */
export function addressOf(filters: Filters): { to: string; kept: Record<string, string> } {
  const search = new URLSearchParams();
  const put = (name: string, value: string | boolean) => {
    if (value !== '' && value !== false) search.set(name, String(value));
  };
  if (filters.period === 'custom') {
    put('from', filters.from);
    put('to', filters.to);
  }
  if (filters.period !== 'all') put('period', filters.period);
  put('agent', filters.agent);
  put('direction', filters.direction);
  put('ticket', filters.ticket);
  put('queue', filters.queue);
  put('held', filters.held);
  put('marked', filters.marked);
  put('unevaluated', filters.unevaluated);
  put('length', filters.length);
  return {
    to: `/recordings${search.size > 0 ? `?${search.toString()}` : ''}`,
    kept: {
      ...(filters.number === '' ? {} : { number: filters.number }),
      ...(filters.words === '' ? {} : { words: filters.words }),
    },
  };
}

/** What the service is asked for these filters. */
export function queryOf(filters: Filters): Query {
  const back = daysBack[filters.period];
  const from = filters.period === 'custom' ? filters.from : back === undefined ? '' : dateBefore(back);
  const [fromMinutes, toMinutes] = filters.length === '' ? [] : lengths[filters.length];
  const to = filters.period === 'custom' ? filters.to : '';
  return {
    from: from === '' ? undefined : startOfDay(from),
    to: to === '' ? undefined : startOfDay(to, 1),
    agent: filters.agent,
    direction: filters.direction,
    number: filters.number,
    ticket: filters.ticket,
    queue: filters.queue,
    held: filters.held ? true : undefined,
    marked: filters.marked ? true : undefined,
    evaluated: filters.unevaluated ? false : undefined,
    minDurationMs: fromMinutes === undefined ? undefined : fromMinutes * 60_000,
    maxDurationMs: toMinutes === undefined ? undefined : toMinutes * 60_000,
  };
}

/** How many filters narrow the list. */
export function countActive(filters: Filters): number {
  const { period, ...others } = filters;
  const { from: _from, to: _to, ...rest } = others;
  return [period !== 'all', ...Object.values(rest)].filter(Boolean).length;
}
