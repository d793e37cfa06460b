import type { Report, Verdict } from './check.js';

/** Does what somebody typed name this key? At least its first 80 bits, however they are spaced. */
export function isFingerprintOf(keyId: string, typed: string): boolean {
  const digits = typed.toLowerCase().replaceAll(/[^0-9a-f]/g, '');
  return digits.length >= 20 && keyId.startsWith(digits);
}

/** The verdict once a fingerprint is typed in: what somebody compared by eye goes before what the checker knew by itself. */
export function verdictBy({ verdict, keyId }: Pick<Report, 'verdict' | 'keyId'>, typed: string): Verdict {
  if (verdict === 'changed' || keyId === null) return 'changed';
  if (typed.trim() === '') return verdict;
  return isFingerprintOf(keyId, typed) ? 'unchanged' : 'unknown_sender';
}
