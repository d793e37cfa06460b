/**
 * A real, small S3 server on the file system, for a machine that has none: path-style addresses, one account, buckets
 * without versioning. What it does not do it refuses with 501, so that nothing is promised and not kept.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import { accountRequest, bucketRequest } from './bucket-requests.js';
import { errorXml, type Call } from './call.js';
import { asS3Error, S3Error } from './errors.js';
import { enforceLifecycle } from './lifecycle.js';
import { objectRequest } from './object-requests.js';
import { checkSignature, decode, type Credentials } from './signature.js';
import { Store } from './store.js';

export interface EmbeddedS3Options extends Credentials {
  /** Where the objects live; made when missing. One server per folder. */
  folder: string;
  /** Says how old objects are. Signatures are held against the machine's own time. */
  clock: Clock;
  log: Log;
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Whether to wait for the disk before acknowledging. Default true; false only where a power cut does not matter. */
  fsync?: boolean;
  /** How often lifecycle rules are carried out. Default every hour. */
  lifecycleEveryMs?: number;
}

export interface EmbeddedS3 {
  endpoint: string;
  /** Carries out the lifecycle rules now; how many objects and uploads were removed. */
  enforceLifecycle(): Promise<number>;
  /** Lets requests under way end, then lets go of the folder. */
  close(): Promise<void>;
}

const hourMs = 60 * 60 * 1000;
/** A client that neither sends nor takes a byte for this long is gone. */
const idleMs = 2 * 60 * 1000;

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  store: Store,
  credentials: Credentials,
): Promise<void> {
  const [path = '', search = ''] = (request.url ?? '').split('?', 2);
  const query = new URLSearchParams(search);
  const signed = checkSignature(request, query, credentials);
  // A presigned address carries as parameters what would else be headers; they are signed along with it.
  for (const [name, value] of query) {
    if (query.has('X-Amz-Algorithm') && name.startsWith('x-amz-')) request.headers[name] ??= value;
  }
  if (!path.startsWith('/')) throw new S3Error('InvalidURI');
  const slash = path.indexOf('/', 1);
  const bucketName = decode(slash < 0 ? path.slice(1) : path.slice(1, slash));
  const key = slash < 0 ? '' : decode(path.slice(slash + 1));
  const call: Call = { request, response, signed, method: request.method ?? '', query, bucketName, key, store };
  if (bucketName === '') accountRequest(call);
  else if (key === '') await bucketRequest(call);
  else await objectRequest(call);
}

function answerError(request: IncomingMessage, response: ServerResponse, error: S3Error, requestId: string): void {
  if (response.headersSent) {
    response.destroy(); // the length announced is not reached: the client sees that it does not have everything
    return;
  }
  const body = request.method === 'HEAD' ? '' : `<?xml version="1.0" encoding="UTF-8"?>\n${errorXml(error, requestId)}`;
  const headers: Record<string, string> = { 'content-type': 'application/xml', ...error.headers };
  // Who still waits for "100 Continue" will not send the body: this connection has lost its place.
  if (request.headers.expect !== undefined) headers['connection'] = 'close';
  response.writeHead(error.status, headers);
  response.end(body);
  request.resume(); // takes in what is still on its way, so that the client comes to read the answer
}

/** Opens `options.folder` and serves it. Throws when another process serves it, or the port is taken. */
export async function startEmbeddedS3(options: EmbeddedS3Options): Promise<EmbeddedS3> {
  const { folder, clock, log, host = '127.0.0.1', port = 0, fsync = true, lifecycleEveryMs = hourMs } = options;
  const { accessKeyId, secretAccessKey } = options;
  const store = await Store.open({ folder, clock, log, fsync });

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = randomBytes(8).toString('hex').toUpperCase();
    response.setHeader('x-amz-request-id', requestId);
    handle(request, response, store, { accessKeyId, secretAccessKey }).catch((thrown: unknown) => {
      if (request.socket.destroyed) return; // the client hung up
      const error = asS3Error(thrown);
      if (error.status >= 500 && error.code !== 'NotImplemented') {
        log.error({ error: thrown, requestId, status: error.status }, 'the embedded storage failed');
      }
      answerError(request, response, error, requestId);
    });
  };
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 30_000 }, serve);
  server.on('checkContinue', serve);
  server.setTimeout(idleMs);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    await store.close();
    throw error;
  }

  let enforcing: Promise<number> = Promise.resolve(0);
  const enforce = (): Promise<number> => {
    enforcing = enforcing.catch(() => 0).then(() => enforceLifecycle(store, clock));
    return enforcing;
  };
  const timer = setInterval(() => {
    enforce().then(
      (removed) => log.info({ removed }, 'lifecycle rules carried out'),
      (error: unknown) => log.error({ error }, 'lifecycle rules could not be carried out'),
    );
  }, lifecycleEveryMs);
  timer.unref();

  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    endpoint: `http://${name}:${address.port}`,
    enforceLifecycle: enforce,
    async close() {
      clearInterval(timer);
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), 5000);
      await closed;
      clearTimeout(cut);
      await enforcing.catch(() => 0);
      await store.close();
    },
  };
}
