import type { Server } from 'node:http';
import express from 'express';
import { createGate } from '../../src/access/authenticate.js';
import { ensureFirstAdministrator } from '../../src/access/first-administrator.js';
import { accessOperations } from '../../src/access/routes.js';
import { answerProblems, createRouter, trackRequests } from '../../src/platform/http.js';
import { createMetrics, type Metrics } from '../../src/platform/metrics.js';
import type { Platform } from '../../src/platform/platform.js';
import { openSigningKey, type SigningKey } from '../../src/platform/signing.js';
import { retentionOperations } from '../../src/retention/routes.js';
import { makePerson, secret, signedIn, usualPassword, type Agent } from './access.js';
import { retentionWorld, type RetentionWorld } from './retention.js';

/** Retention over HTTP, with somebody of each role signed in. Jobs are not run: a test says when. */
export interface RetentionService extends RetentionWorld {
  platform: Platform;
  metrics: Metrics;
  signingKey: SigningKey;
  server: Server;
  as: { administrator: Agent; officer: Agent; secondOfficer: Agent; auditor: Agent; trainer: Agent };
}

const timeZone = 'Europe/Amsterdam';

export async function retentionService(
  folder: string,
  options: { fourEyes?: 'required' | 'recorded'; bucket?: string; endpoint?: string } = {},
): Promise<RetentionService> {
  const world = await retentionWorld({ ...options, people: false });
  const { clock, database, log, jobs, objects, categories } = world;
  const metrics = createMetrics();
  const platform: Platform = { clock, database, log, jobs, objects, metrics };
  const signingKey = await openSigningKey({ folder });
  const first = { email: 'admin@example.nl', password: 'the first administrator' };
  await ensureFirstAdministrator(platform, first, () => undefined);
  const operations = [
    ...accessOperations(platform, { secret, publicUrl: undefined, timeZone, defaultCountry: 'NL' }),
    ...retentionOperations(platform, categories, { timeZone, fourEyes: options.fourEyes ?? 'required', signingKey }),
  ];
  const app = express();
  app.use(trackRequests(() => undefined));
  app.use('/api/v1', createRouter(operations, createGate(platform, { publicUrl: undefined })));
  app.use(answerProblems(log));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const administrator = await signedIn(server, first.email, first.password);
  const sign = async (role: 'privacy_officer' | 'auditor' | 'trainer', name: string) =>
    signedIn(server, (await makePerson(administrator, role, name)).email, usualPassword);
  return {
    ...world,
    platform,
    metrics,
    signingKey,
    server,
    as: {
      administrator,
      officer: await sign('privacy_officer', 'first officer'),
      secondOfficer: await sign('privacy_officer', 'second officer'),
      auditor: await sign('auditor', 'auditor'),
      trainer: await sign('trainer', 'trainer'),
    },
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await world.close();
    },
  };
}
