import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import express from 'express';
import request from 'supertest';
import { createGate } from '../../src/access/authenticate.js';
import { ensureFirstAdministrator } from '../../src/access/first-administrator.js';
import { accessOperations } from '../../src/access/routes.js';
import { answerProblems, createRouter, trackRequests } from '../../src/platform/http.js';
import { createMetrics } from '../../src/platform/metrics.js';
import type { Platform } from '../../src/platform/platform.js';
import { openSigningKey } from '../../src/platform/signing.js';
import type { Category } from '../../src/retention/category.js';
import { retentionOperations } from '../../src/retention/routes.js';
import { claimBegun, claimDue } from '../../src/retention/purge.js';
import { carryOut } from '../../src/retention/carry-out.js';
import { prepareTickets } from '../../src/tickets/jobs.js';
import { ticketCategories } from '../../src/tickets/purge.js';
import { ticketOperations } from '../../src/tickets/routes.js';
import type { TicketSettings } from '../../src/tickets/settings.js';
import { makeKey, makePerson, secret, signedIn, usualPassword, type Agent } from './access.js';
import { retentionWorld, type RetentionWorld } from './retention.js';

/** Tickets over HTTP, on a real database and bucket, with people and two helpdesks. Jobs are not run: a test says when. */
export interface TicketService extends Omit<RetentionWorld, 'category' | 'categories' | 'officer'> {
  platform: Platform;
  settings: TicketSettings;
  categories: Category[];
  server: Server;
  officer: Agent;
  trainer: Agent;
  auditor: Agent;
  admin: Agent;
  helpdeskKey: string;
  helpdeskSourceId: string;
  /** The helpdesk, by its key. */
  helpdesk: Agent;
  /** Another helpdesk with a source of its own. */
  otherHelpdesk: Agent;
  pbx: Agent;
  pbxKey: string;
  nobody: Agent;
  /** Tells of a ticket; the answer must be 200 or 201. */
  put(externalId: string, body: object): Promise<Shown>;
  read(id: string, who?: Agent): Promise<Shown>;
  /** Deletes what is past its date, as the sweep does. @returns how many items went */
  sweep(): Promise<number>;
  keysUnder(prefix: string): Promise<string[]>;
}

/** A ticket as the API answers it: tests look at what they need. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Shown = Record<string, any>;

const timeZone = 'Europe/Amsterdam';

export async function ticketService(options: Partial<TicketSettings> = {}): Promise<TicketService> {
  const world = await retentionWorld({ people: false });
  const { clock, database, log, jobs, objects } = world;
  const dataDir = await mkdtemp(path.join(tmpdir(), 'opname-tickets-'));
  const platform: Platform = { clock, database, log, jobs, objects, metrics: createMetrics() };
  const signingKey = await openSigningKey({ folder: dataDir });
  const settings: TicketSettings = {
    dataDir,
    timeZone,
    defaultCountry: 'NL',
    searchKey: Buffer.alloc(32, 9),
    maxAttachmentBytes: 2 * 1024 * 1024,
    scanner: undefined,
    helpdeskTokens: {},
    ...options,
  };
  await prepareTickets(settings);
  const first = { email: 'admin@example.nl', password: 'the first administrator' };
  await ensureFirstAdministrator(platform, first, () => undefined);
  const categories = ticketCategories(platform, timeZone);
  const operations = [
    ...accessOperations(platform, { secret, publicUrl: undefined, timeZone, defaultCountry: 'NL' }),
    ...retentionOperations(platform, categories, { timeZone, fourEyes: 'required', signingKey }),
    ...ticketOperations(platform, settings),
  ];
  const app = express();
  app.use(trackRequests(() => undefined));
  app.use('/api/v1', createRouter(operations, createGate(platform, { publicUrl: undefined })));
  app.use(answerProblems(log));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const admin = await signedIn(server, first.email, first.password);
  const sign = async (role: 'privacy_officer' | 'auditor' | 'trainer') =>
    signedIn(server, (await makePerson(admin, role)).email, usualPassword);
  const machine = async (role: 'helpdesk' | 'pbx') => {
    const made = await makeKey(admin, role, { name: `${role} ${randomUUID()}` });
    return { ...made, agent: request.agent(server).set('Authorization', `Bearer ${made.key}`) as Agent };
  };
  const helpdesk = await machine('helpdesk');
  const officer = await sign('privacy_officer');
  const pbx = await machine('pbx');

  return {
    ...world,
    platform,
    settings,
    categories,
    server,
    admin,
    officer,
    trainer: await sign('trainer'),
    auditor: await sign('auditor'),
    helpdeskKey: helpdesk.key,
    helpdeskSourceId: helpdesk.sourceId,
    helpdesk: helpdesk.agent,
    otherHelpdesk: (await machine('helpdesk')).agent,
    pbx: pbx.agent,
    pbxKey: pbx.key,
    nobody: request.agent(server) as Agent,
    async put(externalId, body) {
      const answer = await helpdesk.agent.put(`/api/v1/tickets/by-external/${encodeURIComponent(externalId)}`).send(body);
      if (answer.status !== 200 && answer.status !== 201) throw new Error(`answered ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body as Shown;
    },
    async read(id, who = officer) {
      return (await who.get(`/api/v1/tickets/${id}`).expect(200)).body as Shown;
    },
    async sweep() {
      const context = { clock, database, objects, log, ruleDays: () => 1096 };
      let purged = 0;
      for (const category of categories)
        for (;;) {
          const begun = await claimBegun(context, category, 500);
          const due = await claimDue(context, categories, category, 500);
          if (begun.length + due.length === 0) break;
          purged += (await carryOut(context, category, [...begun, ...due])).purged;
        }
      return purged;
    },
    async keysUnder(prefix) {
      const keys: string[] = [];
      for await (const version of objects.list(prefix)) keys.push(version.key);
      return keys;
    },
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await world.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The clock moves on, and whoever is signed in stays so: sessions end long before retention periods do. */
export async function leapTo(service: TicketService, instant: Date | string): Promise<void> {
  service.clock.set(instant);
  await service.database.query(
    `UPDATE sessions SET opened_at = $1, last_seen_at = $1, expires_at = $1::timestamptz + interval '10 hours'`,
    [new Date(instant)],
  );
}
