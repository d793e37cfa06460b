import express, { type Router } from 'express';
import type { Metrics } from './metrics.js';
import { Problem } from './problem.js';

/** What must work before requests are sent here. Each throws a `Problem` when it does not. */
export interface Readiness {
  check(): Promise<void>;
}

/** `/healthz`: the process answers. `/readyz`: what it needs answers too. `/metrics`: figures for Prometheus. */
export function healthRoutes(metrics: Metrics, readiness: Readiness, isStopping: () => boolean): Router {
  const router = express.Router();
  router.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'alive' });
  });
  router.get('/readyz', async (_request, response) => {
    if (isStopping()) throw new Problem('shutting-down');
    await readiness.check();
    response.set('Cache-Control', 'no-store').json({ status: 'ready' });
  });
  router.get('/metrics', async (_request, response) => {
    const text = await metrics.registry.metrics();
    response.set({ 'Cache-Control': 'no-store', 'Content-Type': metrics.registry.contentType }).send(text);
  });
  return router;
}
