import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import express, { type RequestHandler, type Router } from 'express';
import helmet from 'helmet';
import { Problem } from './problem.js';

/** Serves the built user interface under a strict content security policy: only what carries this response's nonce runs. */

const nonceMark = '__CSP_NONCE__';
/** In the page's own element: by which clock its dates are told. */
const timeZoneMark = '__TIME_ZONE__';

/** Security headers for every answer; a page's own policy is set where the page is made. */
export function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    crossOriginEmbedderPolicy: false,
    // Behind a proxy that speaks TLS it is the proxy's to promise.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
}

/** The policy of a page that carries `nonce`. */
export function pagePolicy(nonce: string): string {
  return [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'self' 'nonce-${nonce}'`,
    `img-src 'self' data:`,
    `media-src 'self' blob:`,
    `connect-src 'self'`,
    `font-src 'self'`,
    `manifest-src 'self'`,
    `base-uri 'none'`,
    `form-action 'self'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}

export const newNonce = () => randomBytes(16).toString('base64');

const typeOf: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/** Sends the compressed twin that the build wrote beside a script or style, to who takes it; passes on where there is none. */
function compressed(folder: string): RequestHandler {
  return (request, response, next) => {
    const name = path.posix.basename(request.path);
    const type = typeOf[path.extname(name)];
    if (type === undefined || request.acceptsEncodings('gzip') !== 'gzip') return next();
    const headers = { 'Content-Type': `${type}; charset=utf-8`, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' };
    response.sendFile(`${name}.gz`, { root: folder, headers, immutable: true, maxAge: '1y', acceptRanges: false }, (error) => {
      if (error !== undefined && !response.headersSent) {
        for (const header of Object.keys(headers)) response.removeHeader(header);
        next();
      }
    });
  };
}

/** An address whose last part has an extension asks for a file: one that is not there is no page. */
const isFile = (address: string) => /\.[a-z0-9]+$/i.test(address);

/**
 * The pages and assets in `folder`. Every address that is no file and not below `/api` is the application's own: it shows
 * what belongs there, or says that there is nothing. Dates are told by `timeZone`, the organisation's.
 */
export function userInterface(folder: string, timeZone = 'Europe/Amsterdam'): Router {
  const router = express.Router();
  let page: Promise<string> | undefined;
  router.use('/assets', compressed(path.join(folder, 'assets')));
  router.use(
    '/assets',
    express.static(path.join(folder, 'assets'), { immutable: true, maxAge: '1y', index: false, redirect: false }),
  );
  router.use(express.static(folder, { index: false, redirect: false, maxAge: '1h' }));
  router.get(/^\/(?!api(\/|$)|assets\/).*/, async (request, response, next) => {
    if (isFile(request.path)) return next();
    page ??= readFile(path.join(folder, 'index.html'), 'utf8');
    const html = await page.catch((error: unknown) => {
      page = undefined;
      throw new Problem('not-found', { detail: 'The user interface has not been built.', cause: error });
    });
    const nonce = newNonce();
    response.set({ 'Content-Security-Policy': pagePolicy(nonce), 'Cache-Control': 'no-cache' });
    response.type('html').send(html.replaceAll(nonceMark, nonce).replaceAll(timeZoneMark, timeZone));
  });
  return router;
}
