/**
 * Dates as people and clocks on a wall show them. A formatter takes some hundred kB outside the heap, where the collector does
 * not see it, and a hundred times as long to make as to ask: each is made once and kept.
 */

const formats = new Map<string, Intl.DateTimeFormat>();

/** The formatter for a locale and these options; few of them exist in a process. @throws RangeError for an unknown time zone */
export function dateFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, options);
  formats.set(key, made);
  return made;
}

/** Milliseconds by which clocks in `timeZone` are ahead of UTC at `instantMs`. */
export function offsetMs(instantMs: number, timeZone: string): number {
  const parts = dateFormat('en-US', {
    timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instantMs);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return wall - Math.floor(instantMs / 1000) * 1000;
}
