import request from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureFirstAdministrator } from '../src/access/first-administrator.js';
import { nameOfPeople } from '../src/access/people.js';
import { systemClock } from '../src/platform/clock.js';
import { freshDatabase } from './support/database.js';
import { makePerson, signedIn, startAccess, usualPassword, type AccessService, type Agent } from './support/access.js';

let service: AccessService;
let administrator: Agent;
let ownId: string;

beforeAll(async () => {
  service = await startAccess();
});
afterAll(() => service.close());
beforeEach(async () => {
  administrator = await signedIn(service.server, service.administrator.email, service.administrator.password);
  ownId = ((await administrator.get('/api/v1/session')).body as { user: { id: string } }).user.id;
});

const users = '/api/v1/users';
const signIn = (email: string, password: string) =>
  request(service.server).post('/api/v1/session').send({ email, password });

describe('a user', () => {
  it('is made with what the contract names, and found by id', async () => {
    const made = await administrator
      .post(users)
      .send({
        email: 'J.deVries@example.nl',
        name: ' Jan de Vries ',
        role: 'agent',
        password: usualPassword,
        locale: 'en',
        extensions: ['201', '202'],
      })
      .expect(201);
    expect(made.body).toMatchObject({
      email: 'J.deVries@example.nl',
      name: 'Jan de Vries',
      role: 'agent',
      locale: 'en',
      extensions: ['201', '202'],
      disabled: false,
      secondFactor: false,
      singleSignOn: false,
    });
    const { id } = made.body as { id: string };
    expect(made.headers['location']).toBe(`/api/v1/users/${id}`);
    expect((await administrator.get(`${users}/${id}`).expect(200)).body).toEqual(made.body);
    expect(JSON.stringify(made.body)).not.toMatch(/argon|password_hash/);
    await signIn('j.devries@EXAMPLE.nl', usualPassword).expect(200);
  });

  it.each([
    [{ email: 'no address' }, 'email'],
    [{ name: '  ' }, 'name'],
    [{ role: 'owner' }, 'role'],
    [{ role: 'pbx' }, 'role'],
    [{ password: 'eleven char' }, 'password'],
    [{ locale: 'de' }, 'locale'],
    [{ extensions: ['two words'] }, 'extensions.0'],
    [{ name: 'lone \ud800 surrogate' }, 'name'],
  ])('is not made of %o', async (wrong, path) => {
    const right = { email: 'right@example.nl', name: 'Right', role: 'trainer', password: usualPassword };
    const response = await administrator
      .post(users)
      .send({ ...right, ...wrong })
      .expect(422);
    expect(response.body).toMatchObject({ code: 'invalid-input', errors: [{ path }] });
  });

  it('has an e-mail address of their own, in whichever case, also when two are made at once', async () => {
    await makePerson(administrator, 'trainer', 'Unique');
    const again = { email: 'UNIQUE@example.nl', name: 'Other', role: 'trainer', password: usualPassword };
    expect((await administrator.post(users).send(again).expect(409)).body).toMatchObject({
      code: 'conflict',
      errors: [{ path: 'email' }],
    });
    const other = await makePerson(administrator, 'trainer', 'Other');
    await administrator.patch(`${users}/${other.id}`).send({ email: 'Unique@Example.NL' }).expect(409);
    const twins = { ...again, email: 'twins@example.nl' };
    const statuses = await Promise.all(
      [twins, twins, twins].map(async (twin) => (await administrator.post(users).send(twin)).status),
    );
    expect(statuses.sort()).toEqual([201, 409, 409]);
  });

  it('is listed newest first, page by page, each once', async () => {
    for (let n = 0; n < 5; n += 1) await makePerson(administrator, 'auditor', `Auditor ${n}`);
    const seen: { id: string; createdAt: string; role: string }[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await administrator
        .get(users)
        .query({ limit: 2, ...(cursor === '' ? {} : { cursor }) })
        .expect(200);
      const page = body as { items: typeof seen; nextCursor: string | null };
      seen.push(...page.items);
      cursor = page.nextCursor;
    }
    const [row] = await service.database.query<{ count: number }>('SELECT count(*) AS count FROM users');
    expect(seen).toHaveLength(row?.count ?? 0);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    const times = seen.map(({ createdAt }) => createdAt);
    expect(times).toEqual([...times].sort().reverse());
    const auditors = (await administrator.get(users).query({ role: 'auditor' }).expect(200)).body as {
      items: typeof seen;
    };
    expect(auditors.items.length).toBeGreaterThanOrEqual(5);
    expect(auditors.items.every(({ role }) => role === 'auditor')).toBe(true);
    await administrator.get(users).query({ cursor: 'nonsense' }).expect(422);
    await administrator.get(users).query({ limit: 0 }).expect(422);
  });

  it('is nobody under an unknown id or one that is none', async () => {
    const id = '01930000-0000-7000-8000-000000000000';
    for (const path of [id, 'none', "'; DROP TABLE users"])
      await administrator.get(`${users}/${encodeURIComponent(path)}`).expect(404);
    await administrator.patch(`${users}/${id}`).send({ name: 'X' }).expect(404);
    await administrator.post(`${users}/${id}/password`).expect(404);
    await administrator.delete(`${users}/${id}/second-factor`).expect(404);
  });

  it('has a name for colleagues, and no more than that', async () => {
    const { id, email } = await makePerson(administrator, 'agent', 'Anna');
    const trainer = await makePerson(administrator, 'trainer', 'Theo');
    const theo = await signedIn(service.server, trainer.email, usualPassword);
    const list = async () =>
      (await theo.get('/api/v1/people').query({ role: 'agent' }).expect(200)).body as { items: object[] };
    expect((await list()).items).toContainEqual({ id, name: 'Anna', role: 'agent' });
    const anna = await signedIn(service.server, email, usualPassword);
    await anna.get('/api/v1/people').expect(403);
    await administrator.patch(`${users}/${id}`).send({ disabled: true }).expect(200);
    expect((await list()).items).not.toContainEqual(expect.objectContaining({ id }));
    expect(await nameOfPeople(service.database, [id, id, '01930000-0000-7000-8000-000000000000'])).toEqual(
      new Map([[id, 'Anna']]),
    );
  });
});

describe('a password handed out', () => {
  it('replaces the old one, ends sessions, and is good for three days', async () => {
    const { id, email } = await makePerson(administrator, 'trainer', 'Forgetful');
    const before = await signedIn(service.server, email, usualPassword);
    const { body } = await administrator.post(`${users}/${id}/password`).expect(201);
    const { password } = body as { password: string };
    await before.get('/api/v1/session').expect(401);
    await signIn(email, usualPassword).expect(401);
    const agent = await signedIn(service.server, email, password);
    expect((await agent.get('/api/v1/session')).body).toMatchObject({
      passwordExpiresAt: (body as { expiresAt: string }).expiresAt,
    });
    try {
      service.clock.advance(72 * 60 * 60_000 + 1000);
      await signIn(email, password).expect(401);
    } finally {
      service.clock.reset();
    }
    const newPassword = 'my very own password';
    const in_time = await signedIn(service.server, email, password);
    await in_time.put('/api/v1/session/password').send({ currentPassword: password, newPassword }).expect(204);
    expect((await in_time.get('/api/v1/session')).body).toMatchObject({ passwordExpiresAt: null });
    const actions = await service.database.query<{ action: string }>(
      'SELECT action FROM audit_entries WHERE object_id = $1',
      [id],
    );
    expect(actions.map(({ action }) => action)).toContain('user.password_reset');
  });

  it('is not for oneself', async () => {
    await administrator.post(`${users}/${ownId}/password`).expect(403);
    await administrator.get('/api/v1/session').expect(200);
  });
});

describe('administrators', () => {
  it('neither change their own role nor lock themselves out', async () => {
    await makePerson(administrator, 'administrator', 'Second');
    await administrator.patch(`${users}/${ownId}`).send({ role: 'privacy_officer' }).expect(403);
    await administrator.patch(`${users}/${ownId}`).send({ disabled: true }).expect(403);
    await administrator
      .patch(`${users}/${ownId}`)
      .send({ name: 'The Administrator', role: 'administrator' })
      .expect(200);
  });

  it('are never none, also when the last two remove one another at once', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { id, email } = await makePerson(administrator, 'administrator', `Rival ${round}`);
      await service.database.query(
        `UPDATE users SET disabled_at = created_at WHERE role = 'administrator' AND id NOT IN ($1, $2)`,
        [ownId, id],
      );
      const rival = await signedIn(service.server, email, usualPassword);
      const change = round === 1 ? { role: 'trainer' } : { disabled: true };
      const [first, second] = await Promise.all([
        administrator.patch(`${users}/${id}`).send(change),
        rival.patch(`${users}/${ownId}`).send(change),
      ]);
      // Whoever came second found their own session over, or no administrator left to remove.
      const statuses = [first.status, second.status].sort();
      expect(statuses[0]).toBe(200);
      expect([401, 409]).toContain(statuses[1]);
      const left = await service.database.query(
        `SELECT FROM users WHERE role = 'administrator' AND disabled_at IS NULL`,
      );
      expect(left).toHaveLength(1);
      await service.database.query(`UPDATE users SET disabled_at = NULL, role = 'administrator' WHERE id = $1`, [
        ownId,
      ]);
      administrator = await signedIn(service.server, service.administrator.email, service.administrator.password);
    }
  });

  it('keep the one who is left, whoever asks', async () => {
    const { id, email } = await makePerson(administrator, 'administrator', 'Late');
    const late = await signedIn(service.server, email, usualPassword);
    await service.database.query(
      `UPDATE users SET disabled_at = created_at WHERE role = 'administrator' AND id NOT IN ($1, $2)`,
      [ownId, id],
    );
    await late.patch(`${users}/${ownId}`).send({ role: 'agent' }).expect(200);
    await administrator.get(users).expect(401);
    await late.patch(`${users}/${ownId}`).send({ role: 'administrator' }).expect(200);
  });
});

describe('the first administrator', () => {
  it('is made once, whichever of several processes comes first, and its password told once', async () => {
    const { database, drop } = await freshDatabase();
    try {
      const told: { email: string; password: string }[] = [];
      const start = () =>
        ensureFirstAdministrator({ clock: systemClock, database }, undefined, (signIn) => told.push(signIn));
      await Promise.all([start(), start(), start(), start()]);
      await start();
      expect(told).toHaveLength(1);
      expect(told[0]?.password).toMatch(/^[0-9A-Za-z]{5}(-[0-9A-Za-z]{5}){3}$/);
      expect(await database.query<object>('SELECT email, role FROM users')).toEqual([
        { email: told[0]?.email, role: 'administrator' },
      ]);
      expect(await database.query<object>('SELECT action, actor_kind FROM audit_entries')).toEqual([
        { action: 'user.created', actor_kind: 'system' },
      ]);
    } finally {
      await drop();
    }
  });

  it('is one, also when two starts have both seen that there is nobody', async () => {
    const { database, drop } = await freshDatabase();
    try {
      const start = (n: number) =>
        ensureFirstAdministrator(
          { clock: systemClock, database },
          { email: `admin${n}@example.nl`, password: 'the first administrator' },
          () => undefined,
        );
      const waiting = async () => {
        const rows = await database.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return rows.length;
      };
      const starts = await database.inTransaction(async (tx) => {
        // Reading goes on, writing waits: both come as far as they can before either has written.
        await database.query('LOCK TABLE users IN EXCLUSIVE MODE', [], tx);
        const both = [start(1), start(2)];
        await expect.poll(waiting, { timeout: 10_000 }).toBe(2);
        return both;
      });
      await Promise.all(starts);
      expect(await database.query('SELECT FROM users')).toHaveLength(1);
    } finally {
      await drop();
    }
  });

  it('is not there yet when telling its password fails, so that the next start tells another', async () => {
    const { database, drop } = await freshDatabase();
    try {
      const start = (announce: () => void) =>
        ensureFirstAdministrator({ clock: systemClock, database }, undefined, announce);
      await expect(
        start(() => {
          throw new Error('died');
        }),
      ).rejects.toThrow('died');
      expect(await database.query('SELECT FROM users')).toHaveLength(0);
      let told = 0;
      await start(() => (told += 1));
      expect(told).toBe(1);
    } finally {
      await drop();
    }
  });

  it('is the one that was given, told to nobody; not made where there are users', async () => {
    await ensureFirstAdministrator(service, { email: 'late@example.nl', password: 'too late to matter' }, () => {
      throw new Error('told');
    });
    await signIn('late@example.nl', 'too late to matter').expect(401);
    await signIn(service.administrator.email, service.administrator.password).expect(200);
  });
});
