import { createPublicKey, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { append, systemActor } from '../src/audit/log.js';
import { encodeCursor } from '../src/platform/paging.js';
import { startTestService, type TestService } from './support/service.js';

interface Entry {
  id: number;
  at: string;
  actor: { kind: string; id: string; name?: string };
  action: string;
  object: { type: string; id: string } | null;
  details: Record<string, unknown>;
}
interface Page {
  items: Entry[];
  nextCursor: string | null;
}

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
  const { database } = service.service.platform;
  // Older than what starting the service wrote, a second apart, some at the same instant.
  const clock = { now: () => new Date(Date.UTC(2026, 0, 1)) };
  await database.inTransaction(async (tx) => {
    for (let n = 0; n < 25; n += 1) {
      clock.now = () => new Date(Date.UTC(2026, 0, 1, 0, 0, Math.floor(n / 3)));
      await append(database, clock, tx, {
        actor: systemActor('test'), action: n % 2 === 0 ? 'thing.made' : 'thing.broken',
        object: { type: 'thing', id: `thing-${n % 5}` }, details: { n },
      });
    }
    await append(database, clock, tx, {
      actor: systemActor('test'), action: 'order.taken_in', object: { type: 'order', id: 'o-1' }, details: { secret: true },
    });
    await append(database, clock, tx, {
      actor: systemActor('=cmd|x'), action: 'csv.tried', details: { text: 'a "quoted", one\r\n' },
    });
  });
});
afterAll(async () => {
  await service.close();
});

const read = async (query: string, role: 'auditor' | 'privacy_officer' = 'auditor') =>
  (await service.as(role).get(`/api/v1/audit?${query}`).expect(200)).body as Page;

describe('the audit trail', () => {
  it('is read page by page, newest first, each entry once', async () => {
    const seen: Entry[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Page = await read(`actor=test&limit=4${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.items.length).toBeLessThanOrEqual(4);
      seen.push(...page.items);
      cursor = page.nextCursor;
    }
    expect(seen.length).toBe(26);
    const sorted = [...seen].sort((a, b) => b.at.localeCompare(a.at) || b.id - a.id);
    expect(seen).toEqual(sorted);
    expect(new Set(seen.map((entry) => entry.id)).size).toBe(26);
  });

  it('is filtered by actor, object, action and period', async () => {
    expect((await read('object=thing-3')).items.map((entry) => entry.details['n'])).toEqual([23, 18, 13, 8, 3]);
    expect((await read('object=thing:thing-3')).items.length).toBe(5);
    expect((await read('object=other:thing-3')).items.length).toBe(0);
    expect((await read('object=order:')).items.length).toBe(1);
    expect((await read('action=thing.broken&limit=200')).items.length).toBe(12);
    expect((await read('action=thing.*&limit=200')).items.length).toBe(25);
    expect((await read('action=thin.*')).items.length).toBe(0);
    const period = 'from=2026-01-01T01:00:02%2B01:00&to=2026-01-01T00:00:03Z';
    expect((await read(`actor=test&${period}`)).items.map((entry) => entry.details['n'])).toEqual([11, 10, 9, 8, 7, 6]);
    expect((await read('actor=test&from=2026-01-01&to=2026-01-01&limit=200')).items.length).toBe(26);
    expect((await read('actor=test&from=2026-01-02')).items.length).toBe(0);
  });

  it('names people at reading, and keeps no names itself', async () => {
    const { id } = service.signInOf('trainer');
    const { items } = await read(`actor=${id}`);
    expect(items.length).toBeGreaterThan(0);
    expect(items[0]?.actor).toEqual({ kind: 'person', id, name: 'Test trainer' });
    const { database } = service.service.platform;
    const stored = await database.query(`SELECT 1 FROM audit_entries WHERE details::text LIKE '%Test trainer%'`);
    expect(stored).toEqual([]);
  });

  it('shows what is marked secret to the auditor alone', async () => {
    expect((await read('action=order.taken_in')).items.length).toBe(1);
    expect((await read('action=order.taken_in', 'privacy_officer')).items.length).toBe(0);
    const csv = await service.as('privacy_officer').get('/api/v1/audit/export?action=order.*').expect(200);
    expect(csv.text).not.toContain('o-1');
  });

  it('records who read it and by which filters, once for all pages and repetitions', async () => {
    const { id } = service.signInOf('privacy_officer');
    const readings = async () =>
      (await read(`actor=${id}&action=audit.read&limit=200`)).items.map((entry) => entry.details['filters']);
    const before = (await readings()).length;
    const first = await read('object=thing-1&actor=test&limit=2', 'privacy_officer');
    await read(`object=thing-1&actor=test&limit=2&cursor=${first.nextCursor}`, 'privacy_officer');
    await read('object=thing-2&actor=test', 'privacy_officer');
    expect((await readings()).slice(0, 1)).toEqual([['actor', 'object']]);
    expect(await readings()).toHaveLength(before + 1);
    service.clock.advance(11 * 60_000);
    await read('object=thing-2&actor=test', 'privacy_officer');
    expect(await readings()).toHaveLength(before + 2);
    service.clock.reset();
  });

  it('is exported as CSV that no spreadsheet runs, and that is on record every time', async () => {
    const get = () => service.as('auditor').get('/api/v1/audit/export?from=2026-01-01&to=2026-01-01').expect(200);
    const answer = await get();
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(answer.headers['content-disposition']).toMatch(/^attachment; filename="?audit-\d{4}-\d\d-\d\d\.csv"?$/);
    const lines = answer.text.split('\r\n');
    expect(lines[0]).toBe('\uFEFFid,at,actor_kind,actor_id,actor_name,action,object_type,object_id,details');
    expect(answer.text).toContain(`,system,'=cmd|x,,csv.tried,,,"{""text"":""a \\""quoted\\"", one\\r\\n""}"`);
    expect(lines.length).toBe(1 + 27 + 1);
    await get();
    expect((await read(`actor=${service.signInOf('auditor').id}&action=audit.exported`)).items).toHaveLength(2);
  });

  it('says what is wrong with a request', async () => {
    const ofAnotherList = encodeCursor(new Date(), randomUUID());
    for (const query of ['cursor=x', 'from=yesterday', 'limit=0', `cursor=${ofAnotherList}`]) {
      const answer = await service.as('auditor').get(`/api/v1/audit?${query}`).expect(422);
      expect((answer.body as { code: string }).code).toBe('invalid-input');
    }
    await service.nobody().get('/api/v1/audit').expect(401);
    for (const role of ['trainer', 'agent', 'administrator'] as const)
      for (const path of ['audit', 'audit/export', 'audit/verification'])
        await service.as(role).get(`/api/v1/${path}`).expect(403);
  });
});

describe('the verification', () => {
  it('seals what is pending, says where the chain stands, and finds what was changed since', async () => {
    const verify = async () =>
      (await service.as('auditor').get('/api/v1/audit/verification').expect(200)).body as Record<string, unknown>;
    const { database } = service.service.platform;
    const [entries] = await database.query<{ n: number }>('SELECT count(*) AS n FROM audit_entries');
    const found = await verify();
    expect(found).toMatchObject({ ok: true, faults: [], unsealed: 0 });
    expect(found['count']).toBeGreaterThanOrEqual(entries?.n ?? Infinity);
    expect(found['head']).toMatch(/^[0-9a-f]{64}$/);
    expect(found['fingerprint']).toMatch(/^([0-9a-f]{4} ){4}[0-9a-f]{4}$/);

    await database.query('ALTER TABLE audit_entries DISABLE TRIGGER USER');
    const change = (from: number, to: number) =>
      database.query(
        `UPDATE audit_entries SET details = '{"n": ${to}}' WHERE object_id = 'thing-1' AND details->>'n' = '${from}'`,
      );
    await change(1, 1000);
    expect(await verify()).toMatchObject({ ok: false, faults: [{ what: 'its entries are not those that were sealed' }] });
    await change(1000, 1);
    await database.query('ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_append_only');
    expect(await verify()).toMatchObject({ ok: true });
  });

  it('is done with keys that anyone can fetch', async () => {
    const checked = await service.as('auditor').get('/api/v1/audit/verification?full=true').expect(200);
    const verified = checked.body as { keyId: string };
    const answer = await service.nobody().get('/.well-known/opname-signing-keys').expect(200);
    const { keys } = answer.body as { keys: { keyId: string; publicPem: string; fingerprint: string }[] };
    expect(keys.map((key) => key.keyId)).toEqual([verified.keyId]);
    expect(createPublicKey(keys[0]?.publicPem ?? '').asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });
});
