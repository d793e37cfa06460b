import type { Server } from 'node:http';
import express from 'express';
import request from 'supertest';
import { createGate } from '../../src/access/authenticate.js';
import type { Caller, MachineRole, PersonRole } from '../../src/access/caller.js';
import { ensureFirstAdministrator } from '../../src/access/first-administrator.js';
import type { IdentityProvider } from '../../src/access/oidc.js';
import { accessOperations } from '../../src/access/routes.js';
import { MovableClock } from '../../src/platform/clock.js';
import type { Database } from '../../src/platform/database.js';
import { answerProblems, createRouter, trackRequests, type Operation } from '../../src/platform/http.js';
import { createLog } from '../../src/platform/log.js';
import { freshDatabase } from './database.js';

/** A service that knows people and machines and nothing else, on a database of its own. */
export interface AccessService {
  server: Server;
  database: Database;
  clock: MovableClock;
  operations: Operation<Caller>[];
  administrator: { email: string; password: string };
  close(): Promise<void>;
}

export const secret = Buffer.alloc(32, 7);

export interface AccessServiceOptions {
  publicUrl?: string;
  trustProxy?: boolean;
  oidc?: IdentityProvider;
  /** Operations besides those of access. */
  more?: Operation<Caller>[];
}

/** Starts it, with a first administrator. */
export async function startAccess(options: AccessServiceOptions = {}): Promise<AccessService> {
  const { database, drop } = await freshDatabase();
  const clock = new MovableClock();
  const log = createLog('silent');
  const platform = { clock, database, log };
  const administrator = { email: 'Admin@Example.nl', password: 'the first administrator' };
  await ensureFirstAdministrator(platform, administrator, () => undefined);
  const { publicUrl } = options;
  const operations = [
    ...accessOperations(platform, { secret, publicUrl, oidc: options.oidc, timeZone: 'Europe/Amsterdam', defaultCountry: 'NL' }),
    ...(options.more ?? []),
  ];
  const app = express();
  app.set('trust proxy', options.trustProxy ?? false);
  app.use(trackRequests(() => undefined));
  app.use('/api/v1', createRouter(operations, createGate(platform, { publicUrl })));
  app.use(answerProblems(log));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    server,
    database,
    clock,
    operations,
    administrator,
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await drop();
    },
  };
}

/** Signs in and keeps the cookie. */
export async function signedIn(
  server: Server,
  email: string,
  password: string,
): Promise<ReturnType<typeof request.agent>> {
  const agent = request.agent(server);
  await agent.post('/api/v1/session').send({ email, password }).expect(200);
  return agent;
}

export type Agent = Awaited<ReturnType<typeof signedIn>>;

/** The password of everyone that `makePerson` makes. */
export const usualPassword = 'four words without sense';

/** Makes a user of `role`; the address is made from `name`. */
export async function makePerson(
  administrator: Agent,
  role: PersonRole,
  name: string = role,
): Promise<{ id: string; email: string }> {
  const { body } = await administrator
    .post('/api/v1/users')
    .send({ email: `${name.replaceAll(/\W/g, '.')}@example.nl`, name, role, password: usualPassword })
    .expect(201);
  return body as { id: string; email: string };
}

/** Makes a key, and a source with it. */
export async function makeKey(
  administrator: Agent,
  role: MachineRole,
  rest: Record<string, unknown> = {},
): Promise<{ id: string; key: string; sourceId: string }> {
  const { body } = await administrator
    .post('/api/v1/keys')
    .send({ name: `a ${role}`, role, ...rest })
    .expect(201);
  return body as { id: string; key: string; sourceId: string };
}
