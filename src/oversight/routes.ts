import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express from 'express';
import { z } from 'zod';
import { actorOf, type Caller } from '../access/caller.js';
import { publishedKeys } from '../audit/keys.js';
import { append } from '../audit/log.js';
import type { Verifier } from '../audit/verifier.js';
import { operation, type Operation } from '../platform/http.js';
import { decodeCursor, pageOf, pageQuery, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { fingerprint } from '../platform/signing.js';
import { readPeriodEnd, readPeriodStart } from '../recordings/times.js';
import { readTrail, trailAsCsv, type TrailFilter, type TrailRow } from './trail.js';

export interface OversightSettings {
  verifier: Verifier;
  /** Days without a time are read in it. */
  timeZone: string;
}

const wanted = z.string().trim().max(200).transform((told) => (told === '' ? undefined : told)).optional();

const trailQuery = z.object({
  actor: wanted.meta({ description: 'The id of a person, a source, or a part of the service such as `sweep`' }),
  object: wanted.meta({ description: 'An id, `type:id`, or `type:` for all of a type', example: 'recording:' }),
  action: wanted.meta({ description: 'An action, or all of a noun', example: 'recording.*' }),
  from: z.string().max(40).optional().meta({ description: 'An instant, or a day in the time zone of the service' }),
  to: z.string().max(40).optional().meta({ description: 'An instant, or the last day that counts' }),
});
type TrailQuery = z.output<typeof trailQuery>;

const entrySchema = z
  .object({
    id: z.int(),
    at: z.iso.datetime(),
    actor: z.object({
      kind: z.enum(['person', 'machine', 'system']),
      id: z.string(),
      name: z.string().optional().meta({ description: 'Looked up now: the trail itself holds no names' }),
    }),
    action: z.string(),
    object: z.object({ type: z.string(), id: z.string() }).nullable(),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' });

const verificationSchema = z
  .object({
    ok: z.boolean(),
    count: z.int().meta({ description: 'Sealed entries since the beginning' }),
    head: z.string().meta({ description: 'SHA-256 of the newest batch’s statement: note both elsewhere' }),
    signedAt: z.iso.datetime().nullable(),
    keyId: z.string().nullable(),
    fingerprint: z.string().nullable(),
    batches: z.int(),
    unsealed: z.int().meta({ description: 'Entries written since the newest batch' }),
    checkpoint: z.int().nullable().meta({ description: 'Batches up to this one are past their period and gone' }),
    faults: z.array(z.object({ batch: z.int().nullable(), what: z.string() })),
    checkedAt: z.iso.datetime(),
    fullyCheckedAt: z.iso.datetime().nullable().meta({ description: 'When all of it was last recomputed' }),
  })
  .meta({ id: 'AuditVerification' });

function presentEntry(row: TrailRow): z.input<typeof entrySchema> {
  return {
    id: row.id,
    at: row.at.toISOString(),
    actor: { kind: row.actor_kind, id: row.actor_id, ...(row.actor_name === null ? {} : { name: row.actor_name }) },
    action: row.action,
    object: row.object_type === null || row.object_id === null ? null : { type: row.object_type, id: row.object_id },
    details: row.details,
  };
}

/** Reading page after page, or looking again within ten minutes, is one reading. */
const oneReadingMs = 10 * 60_000;

/** The audit trail and its verification. */
export function oversightOperations(
  platform: Pick<Platform, 'clock' | 'database'>,
  { verifier, timeZone }: OversightSettings,
): Operation<Caller>[] {
  const { clock, database } = platform;

  function filterOf(caller: Caller, query: TrailQuery): TrailFilter {
    return {
      actor: query.actor,
      object: query.object,
      action: query.action,
      from: readPeriodStart(query.from, 'from', timeZone),
      until: readPeriodEnd(query.to, 'to', timeZone),
      // An order may forbid telling anyone of it: only the auditor, who answers for the trail, sees such entries.
      secrets: caller.role === 'auditor',
    };
  }

  /** That the trail was read is itself on record; by which filters, but not what was typed into them. */
  async function record(caller: Caller, action: 'audit.read' | 'audit.exported', query: TrailQuery): Promise<void> {
    const { actor, object, from, to } = query;
    const filters = Object.entries({ actor, object, action: query.action, from, to });
    const details = { filters: filters.filter(([, told]) => told !== undefined).map(([name]) => name) };
    await database.inTransaction(async (tx) => {
      const already = await database.query(
        `SELECT 1 FROM audit_entries
         WHERE actor_id = $1 AND action = 'audit.read' AND at > $2 AND details = $3::jsonb LIMIT 1`,
        [actorOf(caller).id, new Date(clock.now().getTime() - oneReadingMs), JSON.stringify(details)], tx,
      );
      if (action === 'audit.exported' || already.length === 0)
        await append(database, clock, tx, { actor: actorOf(caller), action, details });
    });
  }

  return [
    operation({
      method: 'get',
      path: '/audit',
      id: 'readAuditTrail',
      tag: 'audit',
      summary: 'The audit trail, newest first',
      action: 'audit.read',
      query: trailQuery.extend(pageQuery),
      replies: { 200: { description: 'Entries', schema: pageOf(entrySchema) } },
      async handle({ caller, query }) {
        const filter = filterOf(caller, query);
        const before = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
        if (before !== undefined && !/^\d{1,15}$/.test(before.id))
          throw new Problem('invalid-input', { errors: [{ path: 'cursor', message: 'is not a cursor of this list' }] });
        await record(caller, 'audit.read', query);
        const rows = await readTrail(database, filter, query.limit + 1, before);
        return { status: 200, body: toPage(rows, query.limit, presentEntry, (row) => ({ at: row.at, id: row.id })) };
      },
    }),
    operation({
      method: 'get',
      path: '/audit/export',
      id: 'exportAuditTrail',
      tag: 'audit',
      summary: 'The audit trail as CSV',
      action: 'audit.read',
      query: trailQuery,
      replies: { 200: { description: 'What the filters leave', schema: z.string(), mediaType: 'text/csv' } },
      async handle({ caller, query, response, signal }) {
        const filter = filterOf(caller, query);
        await record(caller, 'audit.exported', query);
        const name = `audit-${clock.now().toISOString().slice(0, 10)}.csv`;
        response.status(200).attachment(name).type('text/csv; charset=utf-8');
        try {
          await pipeline(Readable.from(trailAsCsv(database, filter)), response);
        } catch (error) {
          if (!signal.aborted) throw error;
        }
        return undefined;
      },
    }),
    operation({
      method: 'get',
      path: '/audit/verification',
      id: 'verifyAuditTrail',
      tag: 'audit',
      summary: 'Whether the audit trail is whole and unaltered',
      description:
        'Seals what is pending, then recomputes the chain. A long chain is recomputed from its beginning once an hour, ' +
        'and in between from where it was last found sound; `full=true` leaves nothing out.',
      action: 'audit.verify',
      query: z.object({ full: z.enum(['true', 'false']).optional() }),
      replies: { 200: { description: 'What was found', schema: verificationSchema } },
      async handle({ query }) {
        const report = await verifier.verify({ full: query.full === 'true' });
        const shown = report.keyId === null ? null : fingerprint(report.keyId);
        return { status: 200, body: { ...report, fingerprint: shown } satisfies z.input<typeof verificationSchema> };
      },
    }),
  ];
}

/** Under `/.well-known`: the public keys of this installation, for anyone who checks what it signed (RFC 8615). */
export function wellKnownRoutes({ database }: Pick<Platform, 'database'>): express.Router {
  const router = express.Router();
  router.get('/opname-signing-keys', (_request, response, next) => {
    publishedKeys(database)
      .then((keys) => response.set('Cache-Control', 'public, max-age=300').json({ keys }))
      .catch(next);
  });
  return router;
}
