import { z } from 'zod';
import { actorOf, requirePerson, type Caller, type Person } from '../access/caller.js';
import { allOwnNumbers } from '../access/organisation.js';
import { keyedDigest } from '../access/token.js';
import { append } from '../audit/log.js';
import { operation, type Operation } from '../platform/http.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { normaliseNumber } from '../recordings/numbers.js';
import type { Category } from '../retention/category.js';
import { hasEnd, holdTerms, readTerms } from '../retention/hold-terms.js';
import { heldToTell } from '../retention/hold.js';
import { placeHoldsIn, type HoldOrder } from '../retention/place-hold.js';
import { retagJob } from '../retention/retag.js';

/**
 * A hold by number: on what there is of it, calls and tickets, never on what is still to come. It is one act: confirmed and
 * released in one. The number itself is written down nowhere.
 */

const most = 5000;
const query = z.object({ number: z.string().trim().min(3).max(40).meta({ description: 'The whole number, in any spelling' }) });

const foundSchema = z.object({
  recordings: z.int(),
  tickets: z.int(),
  requesters: z.int().meta({ description: 'Different requesters in those tickets: several may share a number' }),
});

interface Found {
  kind: 'recording' | 'ticket';
  id: string;
  requester: string | null;
}

export interface HoldNumberSettings {
  defaultCountry: string;
  timeZone: string;
  /** Key of the digests under which number searches are logged. */
  searchKey: Buffer;
}

const wrong = (message: string) => new Problem('invalid-input', { errors: [{ path: 'number', message }] });

/** Looking what there is of a number, and holding it. */
export function holdNumberOperations(platform: Platform, categories: readonly Category[], settings: HoldNumberSettings): Operation<Caller>[] {
  const { clock, database } = platform;

  /** What of the number this officer may know of. @throws Problem `invalid-input` for no number, one of our own, or too much */
  async function find(person: Person, typed: string): Promise<Found[]> {
    const number = normaliseNumber(typed, settings.defaultCountry);
    if (number === null || !/^\+\d{6,}$/.test(number)) throw wrong('is not a whole telephone number');
    const ours = await database.query(`SELECT FROM (${allOwnNumbers}) own WHERE own.number = $1`, [number]);
    if (ours.length > 0) throw wrong('is one of our own: every call has it');
    const kept = (kind: Found['kind'], alias: string) =>
      `${alias}.purge_intent IS NULL AND (${alias}.retain_until > $2 OR ${heldToTell(kind, `${alias}.id`, '$2', person)})`;
    const calls = (column: string) =>
      `SELECT 'recording' AS kind, r.id, NULL::text AS requester FROM recordings r WHERE r.${column} = $1 AND r.version > 0 AND ${kept('recording', 'r')}`;
    const rows = await database.query<Found>(
      `${calls('caller_number')} UNION ${calls('callee_number')} UNION
       SELECT 'ticket', t.id, lower(coalesce(t.requester_email, t.requester_name)) FROM tickets t
       WHERE t.requester_phone = $1 AND ${kept('ticket', 't')} ORDER BY 1, 2 LIMIT ${most + 1}`,
      [number, clock.now()],
    );
    if (rows.length > most) throw wrong(`has more than ${most} calls and tickets`);
    return rows;
  }

  const digestOf = (typed: string) => keyedDigest(settings.searchKey, typed.replace(/\D/g, '')).toString('hex');
  const counted = (found: readonly Found[]) => ({
    recordings: found.filter(({ kind }) => kind === 'recording').length,
    tickets: found.filter(({ kind }) => kind === 'ticket').length,
    requesters: new Set(found.flatMap(({ requester }) => requester ?? [])).size,
  });

  return [
    operation({
      method: 'get',
      path: '/holds/by-number',
      id: 'previewHoldByNumber',
      tag: 'retention',
      summary: 'What a hold on a telephone number would keep; the search is recorded, without the number',
      action: 'hold.place',
      query,
      replies: { 200: { description: 'Nothing is changed', schema: foundSchema } },
      async handle({ caller, query: { number } }) {
        const person = requirePerson(caller);
        const found = await find(person, number);
        await database.inTransaction((tx) =>
          append(database, clock, tx, {
            actor: actorOf(person), action: 'recording.searched', details: { numberDigest: digestOf(number), found: found.length },
          }),
        );
        return { status: 200, body: counted(found) };
      },
    }),
    operation({
      method: 'post',
      path: '/holds/by-number',
      id: 'holdNumber',
      tag: 'retention',
      summary: 'Keep all there is of a telephone number, calls and tickets; in force at once',
      description:
        'One act, to be confirmed in one by a second officer. `expected` is how many calls and tickets the preview told; when it ' +
        'is another number by now, the answer is 409 and nothing is held. What comes in later is not covered.',
      action: 'hold.place',
      body: query.extend({ expected: z.int().min(1).max(most), ...holdTerms }).refine(...hasEnd),
      replies: {
        201: {
          description: 'In force',
          schema: foundSchema.extend({
            actId: z.string(),
            confirmBy: z.iso.datetime(),
            ended: z.int().meta({ description: 'What came to its end at this moment' }),
          }),
        },
      },
      problems: ['conflict', 'not-found'],
      async handle({ caller, body }) {
        const person = requirePerson(caller);
        const found = await find(person, body.number);
        if (found.length === 0) throw new Problem('not-found');
        if (found.length !== body.expected)
          throw new Problem('conflict', { detail: `There are ${found.length} by now: look again.`, members: { found: counted(found) } });
        const actId = newId(clock);
        const terms = readTerms(body, settings.timeZone);
        const orders: HoldOrder[] = found.map(({ kind, id }) => ({ kind, itemId: id, actId, ...terms }));
        const { placed, refused } = await database.inTransaction(async (tx) => {
          const outcome = await placeHoldsIn(platform, categories, tx, { kind: 'person', id: person.userId }, orders, settings.timeZone);
          await append(database, clock, tx, {
            actor: actorOf(person), action: 'hold.placed_by_number', object: { type: 'hold_act', id: actId },
            details: { numberDigest: digestOf(body.number), holds: outcome.placed.length },
          });
          return outcome;
        });
        const [first] = placed;
        if (first === undefined) throw new Problem('retention-ended');
        platform.jobs.nudge(retagJob);
        const kept = new Set(placed.map(({ itemId }) => itemId));
        return {
          status: 201,
          headers: { Location: '/api/v1/holds/groups' },
          body: {
            ...counted(found.filter(({ id }) => kept.has(id))), actId, confirmBy: first.confirmBy.toISOString(), ended: refused.length,
          },
        };
      },
    }),
  ];
}
