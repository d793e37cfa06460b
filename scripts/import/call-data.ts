import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseCsv } from '../../src/recordings/csv.js';
import { isHeader } from '../../src/recordings/doors/asterisk.js';
import type { Client } from './client.js';

const partBytes = 1_000_000;

/** Sends a CDR file in parts of whole lines, each with the header if there is one. @returns what became of them, by name */
export async function importCallData(client: Client, file: string, isStopped: () => boolean): Promise<Record<string, number>> {
  const sum: Record<string, number> = { stored: 0, known: 0, expired: 0, excluded: 0, faults: 0 };
  let header = '';
  let part: string[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (part.length === 0) return;
    const text = `${header}${part.join('\n')}\n`;
    part = [];
    bytes = 0;
    const answer = await client.patiently('POST', '/cdr', () => Promise.resolve(text), 'text/csv');
    if (answer.status === 200)
      for (const name of ['stored', 'known', 'expired', 'excluded']) sum[name] = (sum[name] ?? 0) + Number(answer.body[name]);
    const faults = answer.status === 200 ? answer.body['faults'] : answer.body['errors'];
    sum['faults'] = (sum['faults'] ?? 0) + (Array.isArray(faults) ? faults.length : 1);
  };
  let first = true;
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    if (isStopped()) break;
    if (first && isHeader(parseCsv(line)[0]?.fields ?? [])) header = `${line}\n`;
    else part.push(line);
    first = false;
    bytes += line.length;
    if (bytes >= partBytes) await flush();
  }
  await flush();
  return sum;
}
