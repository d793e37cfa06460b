import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { actorOf, requirePerson, type Caller } from '../access/caller.js';
import { may } from '../access/policy.js';
import { publishedKeys } from '../audit/keys.js';
import { append } from '../audit/log.js';
import { findPackage, isContentOver, listPackages, type PackageRow } from '../packages/package.js';
import { loadVerifierPage } from '../packages/verifier-page.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { pageOf, pageQuery } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { fingerprint } from '../platform/signing.js';
import { isHeld } from '../retention/hold.js';
import { refuseDeleted } from '../retention/tombstone.js';
import { agreementOperations, type AgreementSettings } from './agreement-routes.js';
import { orderEvidence, restrictionGrounds, type EvidenceRequest } from './order-evidence.js';

export type EvidenceSettings = AgreementSettings;

const mostRecordings = 500;
const line = z.string().trim().min(1).max(2000);

const orderSchema = z.object({
  recordingIds: z.array(idSchema).min(1).max(mostRecordings),
  reason: line.meta({ description: 'Why it is handed out; with scope full, why the original goes along' }),
  recipient: line.meta({ description: 'To whom; kept, so that they can be notified (art. 19 GDPR)' }),
  scope: z.enum(['clips', 'full']).default('clips').meta({
    description:
      'clips: the agreed passages, or a copy of the whole where none is marked; hold music cut, masks silenced. ' +
      'full: the original too',
  }),
  masks: z
    .array(
      z
        .object({
          recordingId: idSchema,
          startMs: z.int().min(0).meta({ description: 'Milliseconds of the playback copy, as the player shows them' }),
          endMs: z.int().max(86_400_000),
          channel: z.union([z.int().min(0).max(63), z.enum(['caller', 'agent'])]).optional(),
        })
        .refine(({ startMs, endMs }) => endMs > startMs, { path: ['endMs'], error: 'must lie after startMs' }),
    )
    .max(1000)
    .optional()
    .meta({ description: 'What is silenced in the copies, in one channel or in all: voices of third parties' }),
  restrictionGround: z.enum(restrictionGrounds).optional().meta({
    description: 'Why something restricted may leave all the same (art. 18(2) GDPR)',
  }),
});

const packageSchema = z
  .object({
    id: z.uuid(),
    reference: z.string(),
    state: z.enum(['sealing', 'sealed', 'incomplete']),
    scope: z.enum(['clips', 'full']),
    recordingIds: z.array(z.uuid()),
    reason: z.string(),
    recipient: z.string(),
    requestedBy: z.object({ id: z.uuid(), name: z.string() }),
    requestedAt: z.iso.datetime(),
    sealedAt: z.iso.datetime().nullable(),
    bytes: z.int().nullable(),
    sha256: z.string().nullable().meta({ description: 'Of the zip' }),
    keyId: z.string().nullable(),
    fingerprint: z.string().nullable(),
    missing: z.array(z.string()).meta({ description: 'Paths of what should be in it and could not be' }),
    retainUntil: z.iso.datetime(),
    keptBack: z.boolean().meta({
      description: 'Since it was ordered, a request restricts something in it, and no ground was given: it is not handed out',
    }),
    attempts: z.int().meta({ description: 'How often making it was begun' }),
    lastFault: z.string().nullable(),
  })
  .meta({ id: 'EvidencePackage' });

/** What was restricted after the order does not leave (art. 18 GDPR), unless it was ordered on a ground for that. */
const isKeptBack = (row: PackageRow): boolean =>
  row.restricted && (row.request as unknown as EvidenceRequest).restrictionGround === undefined;

function present(row: PackageRow): z.input<typeof packageSchema> {
  return {
    id: row.id,
    reference: row.reference,
    state: row.state,
    scope: (row.request as unknown as EvidenceRequest).scope,
    recordingIds: row.recordingIds,
    reason: row.reason,
    recipient: row.recipient,
    requestedBy: { id: row.requestedBy, name: row.requestedByName },
    requestedAt: row.requestedAt.toISOString(),
    sealedAt: row.sealedAt?.toISOString() ?? null,
    bytes: row.bytes,
    sha256: row.sha256,
    keyId: row.keyId,
    fingerprint: row.keyId === null ? null : fingerprint(row.keyId),
    missing: row.missing,
    retainUntil: row.retainUntil.toISOString(),
    keptBack: isKeptBack(row),
    attempts: row.attempts,
    lastFault: row.lastFault,
  };
}

const idParams = z.object({ id: idSchema });

/** Agreements and evidence packages. */
export function evidenceOperations(
  platform: Pick<Platform, 'clock' | 'database' | 'jobs' | 'objects'>,
  settings: EvidenceSettings,
): Operation<Caller>[] {
  const { clock, database, objects } = platform;

  /** A package that is still kept. From its end, or that of anything in it, it is gone, swept or not; a held one is not. */
  async function openPackage(caller: Caller, id: string): Promise<PackageRow> {
    const row = await findPackage(database, id);
    if (row === undefined || row.kind !== 'evidence' || !may(caller, 'evidence.read')) {
      await refuseDeleted(database, 'package', id);
      throw new Problem('not-found');
    }
    const now = clock.now();
    const ended = row.retainUntil <= now || (await isContentOver(platform, id));
    const over = ended && !(await isHeld(database, undefined, 'package', id, now));
    if (over || row.purging) throw new Problem('retention-ended', { members: { deletedAt: (row.retainUntil < now ? row.retainUntil : now).toISOString() } });
    return row;
  }

  return [
    ...agreementOperations(platform, settings),
    operation({
      method: 'get',
      path: '/evidence/verifier',
      id: 'readVerifier',
      tag: 'evidence',
      summary: 'The verifier as one page that works offline: for anyone who was handed a package',
      action: 'open',
      replies: { 200: { description: 'HTML; knows the keys of this installation', mediaType: 'text/html', schema: z.string() } },
      async handle({ response }) {
        const [page, keys] = await Promise.all([loadVerifierPage(), publishedKeys(database)]);
        const html = page(keys.map((key) => key.keyId));
        // The page carries its own policy, which is narrower; the header may not be wider than nothing.
        const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? `default-src 'none'`;
        response.status(200).set({ 'Content-Security-Policy': `${policy}; frame-ancestors 'none'`, 'Cache-Control': 'no-cache' });
        response.type('html').send(html);
        return undefined;
      },
    }),
    operation({
      method: 'post',
      path: '/evidence',
      id: 'sealEvidence',
      tag: 'evidence',
      summary: 'Seal an evidence package; it is made in the background',
      action: 'evidence.seal',
      body: orderSchema,
      replies: { 202: { description: 'Ordered', schema: packageSchema } },
      problems: ['retention-ended', 'conflict', 'not-found'],
      async handle({ caller, body }) {
        const row = await orderEvidence(platform, requirePerson(caller), withoutUndefined(body), settings.timeZone);
        return { status: 202, body: present(row), headers: { Location: `/api/v1/evidence/${row.id}` } };
      },
    }),
    operation({
      method: 'get',
      path: '/evidence',
      id: 'listEvidence',
      tag: 'evidence',
      summary: 'Evidence packages that are still kept, newest first',
      action: 'evidence.read',
      query: z.object({ recordingId: idSchema.optional(), ...pageQuery }),
      replies: { 200: { description: 'A page', schema: pageOf(packageSchema) } },
      async handle({ query }) {
        const { items, nextCursor } = await listPackages(
          database, 'evidence', { recordingId: query.recordingId, now: clock.now() }, query,
        );
        return { status: 200, body: { items: items.map(present), nextCursor } };
      },
    }),
    operation({
      method: 'get',
      path: '/evidence/{id}',
      id: 'readEvidence',
      tag: 'evidence',
      summary: 'An evidence package: whether it is sealed, who asked for it, why, for whom, until when',
      action: 'evidence.read',
      params: idParams,
      replies: { 200: { description: 'The package', schema: packageSchema } },
      problems: ['retention-ended'],
      handle: async ({ caller, params }) => ({ status: 200, body: present(await openPackage(caller, params.id)) }),
    }),
    operation({
      method: 'get',
      path: '/evidence/{id}/package',
      id: 'downloadEvidence',
      tag: 'evidence',
      summary: 'The package: a zip of a bag (RFC 8493) that verifies itself',
      action: 'evidence.read',
      params: idParams,
      replies: { 200: { description: 'The zip', mediaType: 'application/zip', schema: z.string().meta({ format: 'binary' }) } },
      problems: ['retention-ended', 'conflict', 'storage-unavailable'],
      async handle({ caller, params, response, signal }) {
        const person = requirePerson(caller);
        const row = await openPackage(caller, params.id);
        if (row.state === 'sealing' || row.objectKey === null)
          throw new Problem('conflict', { detail: 'The package is being sealed.', headers: { 'Retry-After': '2' } });
        if (isKeptBack(row))
          throw new Problem('conflict', {
            detail: 'Since it was ordered, a request restricts a recording in it (art. 18 GDPR): seal it anew, on a ground.',
          });
        const stored = await objects.read(row.objectKey, { signal });
        if (stored === undefined) throw new Problem('storage-unavailable', { detail: 'The package is missing in storage.' });
        try {
          // On record before the first byte leaves.
          await database.inTransaction((tx) =>
            append(database, clock, tx, {
              actor: actorOf(person), action: 'evidence.downloaded', object: { type: 'package', id: row.id },
              details: { reference: row.reference, sha256: row.sha256 },
            }),
          );
          response.status(200).type('application/zip').attachment(`${row.reference}.zip`);
          response.set('Content-Length', String(stored.bytes));
          await pipeline(stored.body, response, { signal });
        } catch (error) {
          stored.body.destroy();
          if (!signal.aborted) throw error;
        }
        return undefined;
      },
    }),
  ];
}

/** What was left out stays out: `undefined` would be written into the row as a value. */
function withoutUndefined(body: z.output<typeof orderSchema>) {
  const { masks, restrictionGround, ...rest } = body;
  return {
    ...rest,
    ...(masks === undefined ? {} : { masks }),
    ...(restrictionGround === undefined ? {} : { restrictionGround }),
  };
}
