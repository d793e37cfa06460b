import type { Request } from 'express';

/** The host of `origin`, its default port left out; undefined for `null` and what is no address. */
const hostOf = (origin: string) => (URL.canParse(origin) ? new URL(origin).host : undefined);

/**
 * Did another site make the browser send this change? Browsers say so in `Sec-Fetch-Site` (Fetch Metadata) and in
 * `Origin` (RFC 6454 §7), neither of which a script can forge. Clients that are no browsers send neither.
 *
 * A sister site (`same-site`) is refused too: a SameSite cookie goes along with its requests, and whoever runs another
 * host of the same domain is not the one who runs this one. Behind a proxy that passes on another Host, `publicUrl` is
 * what the browser sees.
 */
export function isCrossSite(request: Request, publicUrl: string | undefined): boolean {
  const site = request.get('Sec-Fetch-Site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const origin = request.get('Origin');
  if (origin === undefined) return false;
  // A form of a page that sends no referrer has this origin although it is our own (Fetch §3.2): the browser says so beside it.
  if (origin === 'null' && site === 'same-origin') return false;
  const from = hostOf(origin);
  if (from === undefined || from === '') return true;
  // Express's `host` is the forwarded one where a proxy is trusted. The scheme is the origin's, so that ports compare.
  const own = hostOf(`${new URL(origin).protocol}//${request.host ?? ''}`);
  return from !== own && (publicUrl === undefined || from !== hostOf(publicUrl));
}

/** Methods that change nothing (RFC 9110 §9.2.1). */
export const isSafe = (method: string) => method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
