import fc from 'fast-check';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../src/access/caller.js';
import { derivedKey, randomToken } from '../src/access/token.js';
import type { Operation } from '../src/platform/http.js';
import { makeKey, signedIn, startAccess, type AccessService, type Agent } from './support/access.js';

/** Answers with who is calling, as a door of a PBX or a helpdesk is told. */
const door = (method: 'post' | 'put', path: string, action: string): Operation<Caller> => ({
  method,
  path,
  id: `${method} ${path}`,
  tag: 'test',
  summary: 'Who is calling',
  action,
  replies: { 200: { description: 'The caller' } },
  handle: ({ caller }) => Promise.resolve({ status: 200, body: caller }),
});

let service: AccessService;
let administrator: Agent;

beforeAll(async () => {
  service = await startAccess({
    more: [
      door('post', '/recordings', 'recording.push'),
      door('put', '/push/{key}/recordings/{callId}', 'recording.push'),
      door('post', '/tickets', 'ticket.push'),
    ],
  });
});
afterAll(() => service.close());
beforeEach(async () => {
  administrator = await signedIn(service.server, service.administrator.email, service.administrator.password);
});

const push = () => request(service.server).post('/api/v1/recordings');
const withBearer = (key: string) => push().set('Authorization', `Bearer ${key}`);
const withBasic = (key: string, user = 'pbx') =>
  push().set('Authorization', `Basic ${Buffer.from(`${user}:${key}`).toString('base64')}`);
const withPath = (key: string) => request(service.server).put(`/api/v1/push/${key}/recordings/1`);

describe('a key', () => {
  it('is shown once, with its source, and kept as a digest', async () => {
    const response = await administrator
      .post('/api/v1/keys')
      .send({ name: 'Head office', role: 'pbx', timezone: 'Europe/London', channels: ['agent', 'caller'] })
      .expect(201);
    expect(response.body).toMatchObject({
      name: 'Head office',
      role: 'pbx',
      source: {
        name: 'Head office',
        kind: 'pbx',
        timezone: 'Europe/London',
        channels: ['agent', 'caller'],
        ownNumbers: [],
      },
    });
    const { id, key, prefix, sourceId, source } = response.body as {
      id: string;
      key: string;
      prefix: string;
      sourceId: string;
      source: { id: string };
    };
    expect(sourceId).toBe(source.id);
    expect(key).toMatch(/^opn_[0-9A-Za-z]{43}$/);
    expect(key.startsWith(prefix)).toBe(true);
    const listed = (await administrator.get('/api/v1/keys').expect(200)).body as { items: { id: string }[] };
    expect(listed.items.find((item) => item.id === id)).toMatchObject({
      prefix,
      state: 'active',
      sourceId,
      sourceName: 'Head office',
      lastSeenAt: null,
    });
    const kept = await service.database.query<{ row: string }>(`SELECT k::text AS row FROM keys k`);
    const audited = await service.database.query<{ row: string }>(`SELECT a::text AS row FROM audit_entries a`);
    for (const { row } of [...kept, ...audited]) expect(row).not.toContain(key.slice(12));
  });

  it('lets its machine in by Bearer, by Basic with any user name, and by path', async () => {
    const { id, key, sourceId } = await makeKey(administrator, 'pbx', { source: 'three ways' });
    const machine = {
      kind: 'machine',
      role: 'pbx',
      keyId: id,
      sourceId,
      sourceName: 'three ways',
      timeZone: 'Europe/Amsterdam',
      channelMap: ['caller', 'agent'],
    };
    expect((await withBearer(key).expect(200)).body).toMatchObject(machine);
    expect((await push().set('Authorization', `bearer   ${key}`).expect(200)).body).toMatchObject(machine);
    expect((await withBasic(key).expect(200)).body).toMatchObject(machine);
    await withBasic(key, '').expect(200);
    expect((await withPath(key).expect(200)).body).toMatchObject(machine);
  });

  it('opens only what its role may do', async () => {
    const pbx = await makeKey(administrator, 'pbx');
    const helpdesk = await makeKey(administrator, 'helpdesk');
    await withBearer(helpdesk.key).expect(403);
    await withPath(helpdesk.key).expect(403);
    const ticket = (key: string) =>
      request(service.server).post('/api/v1/tickets').set('Authorization', `Bearer ${key}`);
    await ticket(helpdesk.key).expect(200);
    await ticket(pbx.key).expect(403);
    await request(service.server).get('/api/v1/users').set('Authorization', `Bearer ${pbx.key}`).expect(403);
  });

  it('that is wrong is refused with a challenge, whatever else comes along', async () => {
    const wrong = `opn_${randomToken()}`;
    expect((await withBearer(wrong).expect(401)).headers['www-authenticate']).toMatch(/^Bearer .*invalid_token/);
    // Basic is named only to who used it, lest browsers open their own dialogue.
    expect((await withBasic(wrong).expect(401)).headers['www-authenticate']).toMatch(/^Basic /);
    expect((await withPath(wrong).expect(401)).headers['www-authenticate']).toMatch(/^Bearer /);
    expect((await push().expect(401)).headers['www-authenticate']).toBe('Bearer realm="opname"');
    const { key } = await makeKey(administrator, 'pbx');
    await withPath(key).set('Authorization', `Bearer ${wrong}`).expect(401);
    await administrator.get('/api/v1/session').set('Authorization', `Bearer ${wrong}`).expect(401);
    await request(service.server).get('/api/v1/session').set('Cookie', `opname_session=${key}`).expect(401);
  });

  it('beside a password that a proxy in front asked for still counts', async () => {
    const { key } = await makeKey(administrator, 'pbx');
    const theirs = `Basic ${Buffer.from('office:let me in').toString('base64')}`;
    await withPath(key).set('Authorization', theirs).expect(200);
    await administrator.get('/api/v1/session').set('Authorization', theirs).expect(200);
    await push().set('Authorization', theirs).expect(401);
  });

  it('is no excuse for a fault, however the header is garbled', async () => {
    const { key } = await makeKey(administrator, 'pbx');
    const visible = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
      maxLength: 80,
    });
    const garbled = fc.oneof(
      visible,
      visible.map((text) => `Bearer ${text}`),
      visible.map((text) => `Basic ${text}`),
      visible.map((text) => `Basic ${Buffer.from(text).toString('base64')}`),
      fc.nat(key.length - 1).map((at) => `Bearer ${key.slice(0, at)}${key.slice(at + 1)}`),
      visible.map((text) => `Bearer ${key}${text}`).filter((text) => text.trim() !== `Bearer ${key}`),
    );
    await fc.assert(
      fc.asyncProperty(garbled, async (header) => {
        expect((await push().set('Authorization', header)).status).toBe(401);
      }),
      { numRuns: 60 },
    );
  });

  it('is asked for before the body is read', async () => {
    const response = await push().type('application/json').send('{"not": json');
    expect(response.status).toBe(401);
  });

  it('is not touched by what browsers add', async () => {
    const { key } = await makeKey(administrator, 'pbx');
    await withBearer(key).set({ Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }).expect(200);
  });

  it('is seen, to the minute', async () => {
    const { id, key } = await makeKey(administrator, 'pbx');
    const lastSeen = async () => {
      const [row] = await service.database.query<{ at: Date | null }>(
        'SELECT last_seen_at AS at FROM keys WHERE id = $1',
        [id],
      );
      return row?.at?.getTime() ?? 0;
    };
    try {
      await Promise.all(Array.from({ length: 5 }, () => withBearer(key).expect(200)));
      await expect.poll(lastSeen).toBeGreaterThan(0);
      const first = await lastSeen();
      await withBearer(key).expect(200);
      service.clock.advance(61_000);
      await withBearer(key).expect(200);
      await expect.poll(lastSeen).toBeGreaterThanOrEqual(first + 60_000);
    } finally {
      service.clock.reset();
    }
  });
});

describe('rotation', () => {
  it('gives a new key at once and lets the old one work for a day', async () => {
    const old = await makeKey(administrator, 'pbx');
    const response = await administrator.post(`/api/v1/keys/${old.id}/rotate`).expect(201);
    const fresh = response.body as {
      id: string;
      key: string;
      sourceId: string;
      previous: { id: string; expiresAt: string };
    };
    expect(fresh).toMatchObject({ sourceId: old.sourceId, previous: { id: old.id } });
    expect(fresh.id).not.toBe(old.id);
    await withBearer(fresh.key).expect(200);
    await withBearer(old.key).expect(200);
    try {
      service.clock.set(new Date(new Date(fresh.previous.expiresAt).getTime() - 5_000));
      await withBearer(old.key).expect(200);
      service.clock.set(fresh.previous.expiresAt);
      await withBearer(old.key).expect(401);
      await withBearer(fresh.key).expect(200);
    } finally {
      service.clock.reset();
    }
  });

  it('ends the old key at once when told to', async () => {
    const old = await makeKey(administrator, 'helpdesk');
    await administrator.post(`/api/v1/keys/${old.id}/rotate`).send({ overlapMs: 0 }).expect(201);
    await withBearer(old.key).expect(401);
    await administrator.post(`/api/v1/keys/${old.id}/rotate`).send({ overlapMs: -1 }).expect(422);
    await administrator.post(`/api/v1/keys/${old.id}/rotate`).type('text/plain').send('overlapMs=0').expect(415);
  });

  it('happens once to a key, also when asked twice at once', async () => {
    const old = await makeKey(administrator, 'pbx');
    const rotate = async () => (await administrator.post(`/api/v1/keys/${old.id}/rotate`)).status;
    expect((await Promise.all([rotate(), rotate(), rotate()])).sort()).toEqual([201, 409, 409]);
    await administrator.post('/api/v1/keys/01930000-0000-7000-8000-000000000000/rotate').expect(404);
  });
});

describe('revoking', () => {
  it('counts from the next request on, and leaves other keys of the source alone', async () => {
    const first = await makeKey(administrator, 'pbx', { source: 'shared' });
    const second = await makeKey(administrator, 'pbx', { source: 'shared' });
    expect(second.sourceId).toBe(first.sourceId);
    await withBearer(first.key).expect(200);
    await administrator.delete(`/api/v1/keys/${first.id}`).expect(204);
    await withBearer(first.key).expect(401);
    await withBasic(first.key).expect(401);
    await withPath(first.key).expect(401);
    await withBearer(second.key).expect(200);
    await administrator.delete(`/api/v1/keys/${first.id}`).expect(204);
    await administrator.post(`/api/v1/keys/${first.id}/rotate`).expect(409);
    await administrator.delete('/api/v1/keys/01930000-0000-7000-8000-000000000000').expect(404);
    const actions = await service.database.query<{ action: string }>(
      'SELECT action FROM audit_entries WHERE object_id = $1 ORDER BY id',
      [first.id],
    );
    expect(actions.map(({ action }) => action)).toEqual(['key.created', 'key.revoked']);
  });
});

describe('a source', () => {
  it('is made with the key’s name when none is told, and told apart when that name is taken', async () => {
    const first = (await administrator.post('/api/v1/keys').send({ name: 'Twin', role: 'pbx' }).expect(201)).body as {
      source: object;
    };
    const second = (await administrator.post('/api/v1/keys').send({ name: 'twin', role: 'pbx' }).expect(201)).body as {
      source: object;
    };
    expect(first.source).toMatchObject({ name: 'Twin' });
    expect(second.source).toMatchObject({ name: 'twin (2)' });
  });

  it('is one when two first keys name it at once', async () => {
    const keys = await Promise.all(
      Array.from({ length: 4 }, (_, n) => makeKey(administrator, 'pbx', { name: `key ${n}`, source: 'Contended' })),
    );
    expect(new Set(keys.map(({ sourceId }) => sourceId)).size).toBe(1);
  });

  it('is meant by id or by name, must be of the key’s kind, and keeps its settings', async () => {
    const { sourceId } = await makeKey(administrator, 'pbx', { source: 'Branch', timezone: 'Europe/Paris' });
    expect((await makeKey(administrator, 'pbx', { source: sourceId })).sourceId).toBe(sourceId);
    expect((await makeKey(administrator, 'pbx', { source: 'BRANCH', timezone: 'Europe/Paris' })).sourceId).toBe(
      sourceId,
    );
    const post = (rest: object) => administrator.post('/api/v1/keys').send({ name: 'x', role: 'pbx', ...rest });
    await post({ source: sourceId, timezone: 'Europe/Rome' }).expect(409);
    await post({ source: sourceId, channels: ['agent', 'caller'] }).expect(409);
    await post({ source: sourceId, role: 'helpdesk' }).expect(422);
    await post({ source: '01930000-0000-7000-8000-000000000000' }).expect(422);
  });

  it.each([
    { timezone: 'Amsterdam' },
    { timezone: '+01:00' },
    { timezone: '' },
    { channels: [] },
    { channels: ['caller', 'caller'] },
    { channels: ['left', 'right'] },
    { channels: ['caller', 'agent', 'caller'] },
    { name: ' ' },
    { role: 'administrator' },
  ])('and a key are not made of %o', async (wrong) => {
    const [before] = await service.database.query<{ count: number }>('SELECT count(*) AS count FROM sources');
    await administrator
      .post('/api/v1/keys')
      .send({ name: 'wrong', role: 'pbx', ...wrong })
      .expect(422);
    expect((await service.database.query<{ count: number }>('SELECT count(*) AS count FROM sources'))[0]).toEqual(
      before,
    );
  });

  it('is changed under its keys, its numbers kept as E.164', async () => {
    const { key, sourceId } = await makeKey(administrator, 'pbx', { source: 'Changing' });
    const change = {
      name: 'Changed',
      timezone: 'America/New_York',
      channels: ['agent'],
      ownNumbers: ['020 123 4567', '+44 20 7946 0958'],
    };
    const { body } = await administrator.patch(`/api/v1/sources/${sourceId}`).send(change).expect(200);
    expect(body).toMatchObject({ ...change, ownNumbers: ['+31201234567', '+442079460958'] });
    expect((await withBearer(key).expect(200)).body).toMatchObject({
      sourceName: 'Changed',
      timeZone: 'America/New_York',
      channelMap: ['agent'],
      ownNumbers: ['+31201234567', '+442079460958'],
    });
    const list = (await administrator.get('/api/v1/sources').expect(200)).body as { items: object[] };
    expect(list.items).toContainEqual(body);
    await makeKey(administrator, 'pbx', { source: 'Other name' });
    await administrator.patch(`/api/v1/sources/${sourceId}`).send({ name: 'other NAME' }).expect(409);
    const wrong = await administrator
      .patch(`/api/v1/sources/${sourceId}`)
      .send({ ownNumbers: ['+31201234567', 'reception'] })
      .expect(422);
    expect(wrong.body).toMatchObject({ errors: [{ path: 'ownNumbers.1' }] });
    expect(JSON.stringify(wrong.body)).not.toContain('reception');
    await administrator.patch('/api/v1/sources/01930000-0000-7000-8000-000000000000').send({ name: 'x' }).expect(404);
  });

  it('counts the organisation’s numbers as its own', async () => {
    const { key } = await makeKey(administrator, 'pbx');
    await administrator
      .put('/api/v1/organisation')
      .send({ ownNumbers: ['0800-0432'] })
      .expect(200);
    expect((await withBearer(key).expect(200)).body).toMatchObject({ ownNumbers: ['+318000432'] });
    await administrator.put('/api/v1/organisation').send({ ownNumbers: [] }).expect(200);
  });

  it('and keys are listed page by page', async () => {
    for (const path of ['/api/v1/keys', '/api/v1/sources']) {
      const whole = (await administrator.get(path).query({ limit: 200 }).expect(200)).body as {
        items: { id: string }[];
      };
      const paged: { id: string }[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const response: request.Response = await administrator
          .get(path)
          .query({ limit: 3, ...(cursor === '' ? {} : { cursor }) })
          .expect(200);
        const page = response.body as { items: { id: string }[]; nextCursor: string | null };
        paged.push(...page.items);
        cursor = page.nextCursor;
      }
      expect(paged).toEqual(whole.items);
    }
  });
});

describe('a random token', () => {
  it('has 43 letters and digits, all of them used', () => {
    const tokens = Array.from({ length: 500 }, randomToken);
    expect(new Set(tokens).size).toBe(500);
    expect(tokens.every((token) => /^[0-9A-Za-z]{43}$/.test(token))).toBe(true);
    expect(new Set(tokens.join('')).size).toBe(62);
  });

  it('and keys derived for two purposes differ', () => {
    expect(derivedKey(Buffer.alloc(32), 'one')).not.toEqual(derivedKey(Buffer.alloc(32), 'two'));
  });
});
