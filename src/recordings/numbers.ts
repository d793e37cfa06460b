import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';

/**
 * Telephone numbers as PBXs and people write them. Kept and compared as E.164 where they are public numbers, as bare
 * digits where they are extensions or service numbers, and not at all where the caller withheld theirs.
 */

/** What PBXs put in place of a withheld number. */
const withheld = /^(anonymous|anoniem|restricted|unknown|unavailable|private|withheld|onbekend|asserted|invalid|none|null|-+)?$/i;

/** The user part of `sip:030…@host;x=y`, `tel:+31…` or `"Name" <030…>`. */
function bare(raw: string): string {
  const angled = /<([^<>]*)>\s*$/.exec(raw);
  const address = (angled?.[1] ?? raw).trim().replace(/^(sips?|tel):/i, '');
  const user = address.split('@')[0]?.split(';')[0] ?? '';
  return user.replace(/%2B/gi, '+').trim();
}

/**
 * The one form in which a number is stored: `+31307539075`, or digits alone (`101`, `112`, `600`), or null when it was
 * withheld or holds no digits. `(0)` in `+31 (0)30…` is dropped, `00` reads as `+`.
 */
export function normaliseNumber(raw: string | null | undefined, country: string): string | null {
  if (raw === null || raw === undefined) return null;
  const user = bare(raw);
  if (withheld.test(user)) return null;
  const cleaned = user.replace(/\(0\)/g, '').replace(/[^\d+]/g, '').replace(/(?!^)\+/g, '');
  const digits = cleaned.replace(/\D/g, '');
  if (digits === '') return null;
  if (digits.length > 20) return digits.slice(0, 20);
  // Short numbers are extensions and service numbers (112, 1233): they have no international form.
  if (!cleaned.startsWith('+') && digits.length < 8) return digits;
  const parsed = parsePhoneNumberFromString(cleaned, country as CountryCode);
  if (parsed?.isPossible() === true) return parsed.number;
  return cleaned.startsWith('+') ? `+${digits}` : digits;
}

/** Whether a PBX says, rather than leaves out, that the caller withheld their number. */
export function isWithheld(raw: string | null | undefined): boolean {
  return raw !== null && raw !== undefined && raw.trim() !== '' && withheld.test(bare(raw));
}

/**
 * What PBXs and networks call somebody who hides. Narrower than for numbers: beside a number that was shown `unknown` or
 * `unavailable` only means that nobody told a name.
 */
const hidingName = /^(anonymous|anoniem|restricted|private|withheld|asserted|blocked)$/i;

/** Whether the name in place of a caller's says that they withheld their number. */
export function isWithheldName(name: string | null | undefined): boolean {
  return name !== null && name !== undefined && hidingName.test(name.trim());
}

/** What a search for a number means: the whole number, or what it ends with when only a part was typed. */
export type NumberSearch = { whole: string } | { ending: string };

/**
 * Reads a number as typed into a search box.
 * @returns undefined when there are fewer than three digits: too little to search by.
 */
export function readNumberSearch(typed: string, country: string): NumberSearch | undefined {
  const number = normaliseNumber(typed, country);
  if (number === null) return undefined;
  if (number.startsWith('+')) return { whole: number };
  const digits = number.replace(/\D/g, '');
  if (digits.length < 3) return undefined;
  return { ending: digits.replace(/^0+(?=\d{3})/, '') };
}

/** Extensions and service numbers: no public number has fewer than seven digits. */
export function isExtension(number: string | null): boolean {
  return number !== null && /^\d{1,6}$/.test(number);
}
