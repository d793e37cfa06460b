import { z } from 'zod';
import { Problem } from '../platform/problem.js';
import { instantOf } from './policy.js';
import { startOfDay } from './working-days.js';

/** An instant as people give it: ISO 8601 with an offset, without one (in the service's time zone), or a date alone. */
export const whenSchema = z
  .string()
  .trim()
  .regex(/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/i, 'must be an ISO 8601 instant or date')
  .meta({ description: 'ISO 8601; without an offset in the time zone of the service; a date alone is its first instant' });

/**
 * Reads what `whenSchema` let through.
 * @throws Problem `invalid-input` for a date or time that does not exist
 */
export function readWhen(text: string, timeZone: string, path: string): Date {
  const [, date = '', , clock] = /^(\d{4}-\d{2}-\d{2})([T ]([^Zz+-]*))?/.exec(text) ?? [];
  const offset = /(Z|[+-]\d{2}:?\d{2})$/i.exec(text.slice(10))?.[0];
  const day = Date.parse(`${date}T00:00:00Z`);
  const wall = Date.parse(`${date}T${clock ?? '00:00'}Z`);
  if (Number.isNaN(wall) || new Date(day).toISOString().slice(0, 10) !== date)
    throw new Problem('invalid-input', { errors: [{ path, message: 'is a date or time that does not exist' }] });
  if (clock === undefined) return startOfDay(date, timeZone);
  if (offset === undefined) return new Date(instantOf(wall, timeZone));
  if (/^z$/i.test(offset)) return new Date(wall);
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2));
  return new Date(wall - (offset.startsWith('-') ? -1 : 1) * minutes * 60_000);
}
