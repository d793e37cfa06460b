import { readInstant } from '../../recordings/times.js';
import type { DeliveryContext } from '../delivery.js';

/**
 * Reads payloads that administrators may have customised: what is there and makes sense is taken, what is not is as if it
 * had not been told. Only what a ticket cannot be without is asked for by the doors themselves.
 */

export type Loose = Record<string, unknown>;

/** An object, or an empty one. */
export const objectOf = (value: unknown): Loose =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Loose) : {};

/** A list, or an empty one. */
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Text as it can be stored: without NUL, and without halves of characters. */
export const storable = (text: string): string => text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '\ufffd');

/** Text or a number as text, within `max` characters; undefined for anything else and for what is empty. */
export function textOf(value: unknown, max = 1_000): string | undefined {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  const kept = storable(text).slice(0, max);
  return kept === '' ? undefined : kept;
}

/** A name, whether it comes bare or in an object (`"open"`, `{"name": "open"}`). */
export const nameOf = (value: unknown, max = 300): string | undefined => textOf(value, max) ?? textOf(objectOf(value)['name'], max);

/** An instant that is not more than a day ahead; undefined for anything else. */
export function instantOf(value: unknown, context: DeliveryContext): Date | undefined {
  const text = textOf(value, 40);
  const read = text === undefined ? undefined : readInstant(text, context.timeZone);
  return read !== undefined && read.getTime() <= context.now.getTime() + 86_400_000 ? read : undefined;
}

/** The fields that were told, without those that were not. */
export function told<Fields extends object>(fields: { [Name in keyof Fields]: Fields[Name] | undefined }): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Fields>;
}
