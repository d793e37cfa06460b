import { z } from 'zod';
import type { Caller } from '../../access/caller.js';
import { timeZoneSchema } from '../../access/source.js';
import { operation, type Operation } from '../../platform/http.js';
import { Problem } from '../../platform/problem.js';
import { parseCsv } from '../csv.js';
import { storeCallRecords } from '../store-call-records.js';
import { receiveText } from '../upload.js';
import { readCallRows } from './asterisk.js';
import { machineOf, type Door } from './door.js';

/** Call data as text: Asterisk's `Master.csv`, FreePBX's export, or any CSV whose header names the same columns. */

const maxBytes = 16 * 1024 * 1024;
const mostFaults = 100;

export const storedSchema = z
  .object({
    stored: z.int(),
    known: z.int().meta({ description: 'There already' }),
    expired: z.int().meta({ description: 'Of calls without a recording that ended too long ago: not kept' }),
    excluded: z.int().meta({ description: 'Of calls in which a number takes part that is excluded from recording: not kept' }),
    faults: z.array(z.object({ line: z.int(), message: z.string() })).meta({ description: 'The first 100' }),
  })
  .meta({ id: 'StoredCallData' });

/** `POST /cdr`. */
export function cdrDoor(door: Door): Operation<Caller>[] {
  return [
    operation({
      method: 'post',
      path: '/cdr',
      id: 'pushCallData',
      tag: 'recordings',
      summary: 'Push call data records as CSV lines',
      description:
        'Lines as Asterisk writes them, or CSV with a header as FreePBX exports it; 16 MB at most. Safe to repeat, before or after the recordings. Times without an offset are local time of the source, or UTC where their unique ids show that.',
      action: 'cdr.push',
      query: z.object({ timezone: timeZoneSchema.optional() }),
      upload: { 'text/csv': { schema: z.string() } },
      replies: { 200: { description: 'What became of them', schema: storedSchema } },
      problems: ['invalid-input', 'too-large'],
      async handle({ caller, query, request }) {
        const machine = machineOf(caller);
        const text = await receiveText(request, maxBytes);
        const context = door.readingContext(machine);
        const { records, faults } = readCallRows(parseCsv(text), {
          timeZone: query.timezone ?? context.timeZone,
          country: context.country,
        });
        const told = faults.slice(0, mostFaults).map(({ line, message }) => ({ path: `line ${line}`, message }));
        if (records.length === 0 && faults.length > 0) {
          door.arrivals.note(machine.sourceId, { kind: 'call_data', outcome: 'invalid-input', faults: told });
          throw new Problem('invalid-input', { errors: told });
        }
        const outcome = await storeCallRecords(door.platform, machine, records);
        door.arrivals.note(machine.sourceId, { kind: 'call_data', outcome: 'received', faults: told, stored: outcome.stored });
        return { status: 200, body: { ...outcome, faults: faults.slice(0, mostFaults) } };
      },
    }),
  ];
}
