import { language } from './i18n.js';

/** The organisation's time zone: a call at 23:50 in Amsterdam is on that day, wherever it is listened to. */
export const timeZone = ((told) => (told === undefined || told.startsWith('__') ? 'Europe/Amsterdam' : told))(
  typeof document === 'undefined' ? undefined : document.documentElement.dataset['timeZone'],
);

const locales = { nl: 'nl-NL', en: 'en-GB' } as const;
const made = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language.value + JSON.stringify(options);
  let found = made.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locales[language.value], { timeZone, ...options });
    made.set(key, found);
  }
  return found;
}

/** "zo 22 nov 2026" */
export function day(instant: string | number | Date): string {
  return format({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(instant));
}

/** "22 november 2026" */
export function longDay(instant: string | number | Date): string {
  return format({ day: 'numeric', month: 'long', year: 'numeric' }).format(new Date(instant));
}

/** "20:02" */
export function time(instant: string | number | Date): string {
  return format({ hour: '2-digit', minute: '2-digit' }).format(new Date(instant));
}

/** "22 november 2026 om 20:02" */
export function moment(instant: string | number | Date): string {
  return format({ dateStyle: 'long', timeStyle: 'short' }).format(new Date(instant));
}

/** "22 nov 2026, 20:02:33" for lists where the second matters. */
export function preciseMoment(instant: string | number | Date): string {
  return format({ dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(instant));
}

/** A length or place in a call as a clock shows it: "3:05", "1:02:03". Milliseconds in, whole seconds out. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** The same as words, for who listens to the screen: "3 minuten 5 seconden". Milliseconds in. */
export function clockWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 3600), 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    [seconds % 60, 'second'],
  ];
  const said = parts.filter(([value, unit]) => value > 0 || (unit === 'second' && seconds < 60));
  return said
    .map(([value, unit]) =>
      new Intl.NumberFormat(locales[language.value], { style: 'unit', unit, unitDisplay: 'long' }).format(value),
    )
    .join(' ');
}

/** Reads "3:05", "1:02:03" or "185" as milliseconds; undefined if it is none of these. */
export function readClock(text: string): number | undefined {
  const found = /^\s*(?:(?:(\d+):)?(\d{1,3}):)?(\d{1,5}(?:[.,]\d+)?)\s*$/.exec(text);
  if (!found) return undefined;
  const [, hours = '0', minutes = '0', seconds = '0'] = found;
  return Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds.replace(',', '.'))) * 1000);
}

/** "43%", of a share between 0 and 1. */
export function share(value: number): string {
  return new Intl.NumberFormat(locales[language.value], { style: 'percent' }).format(value);
}

/** "1,5" in the language's own decimals. */
export function decimal(value: number): string {
  return new Intl.NumberFormat(locales[language.value], { maximumFractionDigits: 2 }).format(value);
}

/** "1,2 MB", "76 GB" */
export function size(bytes: number): string {
  const [value, unit] =
    bytes < 1e6
      ? [bytes / 1e3, 'kilobyte']
      : bytes < 1e9
        ? [bytes / 1e6, 'megabyte']
        : [bytes / 1e9, 'gigabyte'];
  return new Intl.NumberFormat(locales[language.value], { style: 'unit', unit, maximumFractionDigits: 1 }).format(
    value,
  );
}

/** A telephone number as people write it, masked ones set apart; what is not E.164 stays as it came. */
export function phone(number: string): string {
  const masked = /^[•*]+\s*(\d+)$/.exec(number);
  if (masked) return `••• ${masked[1] ?? ''}`;
  const mobile = /^\+316(\d{2})(\d{2})(\d{2})(\d{2})$/.exec(number);
  if (mobile) return `+31 6 ${mobile.slice(1).join(' ')}`;
  const fixed = /^\+31(\d{2})(\d{3})(\d{4})$/.exec(number);
  return fixed ? `+31 ${fixed.slice(1).join(' ')}` : number;
}

/** Whole days until an instant, rounded up: 0 means within the past, 1 within 24 hours. */
export function daysUntil(instant: string, now: number = Date.now()): number {
  return Math.max(0, Math.ceil((Date.parse(instant) - now) / 86_400_000));
}

/** Midnight in Amsterdam at the start of a day written "2026-11-22", as an instant; days may be added. */
export function startOfDay(date: string, addDays = 0): string {
  const [year = 0, month = 1, dayOfMonth = 1] = date.split('-').map(Number);
  const asIfUtc = Date.UTC(year, month - 1, dayOfMonth + addDays);
  // The offset is that of the wanted instant, which one correction finds: no change of clocks falls at midnight.
  return new Date(asIfUtc - offsetMs(asIfUtc - offsetMs(asIfUtc))).toISOString();
}

/** Today's date in Amsterdam, "2026-11-22", or some days before it. */
export function dateBefore(days: number, now: number = Date.now()): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone }).format(new Date(now - days * 86_400_000));
}

function offsetMs(instantMs: number): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instantMs);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return local - Math.floor(instantMs / 1000) * 1000;
}
