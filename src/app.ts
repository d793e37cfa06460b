import express, { type Express } from 'express';
import type { Caller } from './access/caller.js';
import { createGate } from './access/authenticate.js';
import { apiDocsPage } from './platform/api-docs.js';
import { healthRoutes, type Readiness } from './platform/health.js';
import { answerProblems, createRouter, operation, trackRequests, type Operation } from './platform/http.js';
import { openApiDocument } from './platform/openapi.js';
import type { Platform } from './platform/platform.js';
import { newNonce, pagePolicy, securityHeaders, userInterface } from './platform/user-interface.js';
import { z } from 'zod';

export const basePath = '/api/v1';

export interface AppOptions {
  platform: Platform;
  operations: readonly Operation<Caller>[];
  readiness: Readiness;
  version: string;
  publicUrl: string | undefined;
  trustProxy: boolean | number | string;
  /** The built user interface. */
  uiFolder: string;
  /** The organisation's: by it the screens tell dates. */
  timeZone: string;
  isStopping: () => boolean;
  /** Public keys, to be found without the API (RFC 8615). */
  wellKnown: express.Router;
}

/** The document of all operations, its own included. */
function documented(operations: readonly Operation<Caller>[], version: string) {
  const self = operation<Caller>({
    method: 'get',
    path: '/openapi.json',
    id: 'readOpenApi',
    tag: 'service',
    summary: 'This document',
    action: 'open',
    replies: { 200: { description: 'OpenAPI 3.1', schema: z.object({}).loose() } },
    handle: () => Promise.resolve({ status: 200, body: document }),
  });
  const all = [...operations, self];
  const document = openApiDocument(all as readonly Operation<never>[], basePath, version);
  return { all, document };
}

/** The whole order of middleware and routers. */
export function createApp(options: AppOptions): Express {
  const { platform } = options;
  const { log, metrics } = platform;
  const { all, document } = documented(options.operations, options.version);
  const requests = metrics.histogram(
    'opname_request_seconds',
    'Requests answered, by operation and status',
    ['operation', 'status'],
    [0.005, 0.02, 0.1, 0.5, 2, 10],
  );

  const app = express();
  app.disable('x-powered-by');
  // Each operation sets its own entity tags; hashing every JSON answer would cost more than it saves.
  app.disable('etag');
  app.set('trust proxy', options.trustProxy);
  app.set('query parser', 'simple');

  app.use(
    trackRequests((answered) => {
      requests.observe({ operation: answered.operation, status: String(answered.status) }, answered.durationMs / 1000);
      log.info(answered, 'request');
    }),
  );
  app.use(securityHeaders());
  app.use(healthRoutes(metrics, options.readiness, options.isStopping));
  app.use(basePath, createRouter(all, createGate(platform, { publicUrl: options.publicUrl })));
  app.get('/api/docs', (_request, response) => {
    const nonce = newNonce();
    response.set('Content-Security-Policy', pagePolicy(nonce)).type('html').send(apiDocsPage(document, nonce));
  });
  app.use('/.well-known', options.wellKnown);
  app.use(userInterface(options.uiFolder, options.timeZone));
  app.use(createRouter<Caller>([], createGate(platform, { publicUrl: options.publicUrl })));
  app.use(answerProblems(log));
  return app;
}
