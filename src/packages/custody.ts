import { sha256 } from '../audit/merkle.js';
import { noHash, type CustodyLine } from './verifier/layout.js';

/** A custody file: one line an act, each with the digest of the line before, so that none can be taken out or moved. */
export function custodyFile(acts: readonly Omit<CustodyLine, 'sequence' | 'previous'>[]): {
  text: string;
  entries: number;
  head: string;
} {
  let previous = noHash;
  const lines = acts.map(({ at, actor, action, details, entry }, index) => {
    const line: CustodyLine = { sequence: index + 1, at, actor, action, details, entry, previous };
    const text = JSON.stringify(line);
    previous = sha256(Buffer.from(text)).toString('hex');
    return `${text}\n`;
  });
  return { text: lines.join(''), entries: lines.length, head: previous };
}
