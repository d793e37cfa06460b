import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Rule = (request: { method: string; url: string; body: string }) => boolean | number;

/** A storage in front of a storage, that fails as it is told to: for what a healthy server never does. */
export interface FaultyProxy {
  endpoint: string;
  /** Requests for which this is true are answered with 500, or with the status it gives. */
  failWhen(rule: Rule | undefined): void;
  /** Hangs up on everybody. */
  away(isAway: boolean): void;
  close(): Promise<void>;
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** The Host header is signed, so it is passed on as it came. */
export async function faultyProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target);
  let rule: Rule | undefined;
  let isAway = false;

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request);
    const { method = '', url = '' } = request;
    if (isAway) {
      request.socket.destroy();
      return;
    }
    const failure = rule?.({ method, url, body: body.toString('latin1') }) ?? false;
    if (failure !== false) {
      response.writeHead(failure === true ? 500 : failure, { 'content-type': 'application/xml' });
      response.end(`<Error><Code>${failure === 501 ? 'NotImplemented' : 'InternalError'}</Code></Error>`);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onward = forward({ hostname, port, method, path: url, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response).on('finish', resolve).on('error', reject);
      });
      onward.on('error', reject);
      onward.end(body);
    });
  }

  const server = createServer((request, response) => {
    pass(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failWhen(next) {
      rule = next;
    },
    away(next) {
      isAway = next;
    },
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}
