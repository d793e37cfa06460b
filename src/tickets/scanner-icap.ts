import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Patience, Verdict } from './scanner.js';

/**
 * ICAP (RFC 3507): the file is handed over as the body of an HTTP answer (RESPMOD), for the server to pass (204), or to
 * change or replace (200) where it found something.
 */

const defaultPort = 1344;
/** What servers say besides when they found something (draft-stecher-icap-subid, and the products' own manuals). */
const foundHeaders = ['x-infection-found', 'x-virus-id', 'x-violations-found', 'x-blocked', 'x-virus-name'];
const longestHeadBytes = 64 * 1024;

/** @throws when it cannot tell: an error of the server, or an answer that is no ICAP */
export async function askIcap(address: URL, file: string, { signal, timeoutMs }: Patience): Promise<Verdict> {
  signal.throwIfAborted();
  const { size } = await stat(file);
  const port = address.port === '' ? defaultPort : Number(address.port);
  const socket = connect({ host: bareHost(address), port });
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error('the scanner does not answer')));
  const stop = () => socket.destroy(new Error('stopped'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    const sha256 = createHash('sha256');
    const answer = read(socket);
    // It may answer before it has everything, and hang up: what it said is what counts.
    const sent = pipeline(async function* () {
      yield Buffer.from(head(address, port, size), 'latin1');
      for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
        sha256.update(chunk);
        yield Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`, 'latin1'), chunk, Buffer.from('\r\n', 'latin1')]);
      }
      yield Buffer.from('0\r\n\r\n', 'latin1');
    }, socket, { end: false });
    sent.catch(() => undefined);
    const { status, headers, httpStatus, bodySha256 } = await answer;
    if (foundHeaders.some((name) => headers.has(name) && headers.get(name) !== '0')) return 'infected';
    if (status === 204) return 'clean';
    if (status !== 200) throw new Error('the scanner could not tell');
    await sent;
    // Whatever it did not hand back as it was given, it did not let through.
    return httpStatus === 200 && bodySha256 === sha256.digest('hex') ? 'clean' : 'infected';
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

/** An IPv6 address stands in brackets in a URL, and without them everywhere else. */
export const bareHost = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, '');

/** The ICAP request up to the body. The names within are ours, not the file's: those may hold anything. */
function head(address: URL, port: number, bytes: number): string {
  const request = 'GET /attachment HTTP/1.1\r\nHost: attachments.invalid\r\n\r\n';
  const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bytes}\r\n\r\n`;
  const service = `icap://${address.hostname}:${port}${address.pathname}${address.search}`;
  return (
    `RESPMOD ${service} ICAP/1.0\r\nHost: ${address.hostname}:${port}\r\nUser-Agent: Opname\r\nAllow: 204\r\nConnection: close\r\n` +
    `Encapsulated: req-hdr=0, res-hdr=${request.length}, res-body=${request.length + answer.length}\r\n\r\n${request}${answer}`
  );
}

interface IcapAnswer {
  status: number;
  headers: Map<string, string>;
  /** Of the HTTP answer within, if there is one. */
  httpStatus: number | undefined;
  /** Of the body within, hexadecimal. */
  bodySha256: string;
}

async function read(socket: Socket): Promise<IcapAnswer> {
  const from = new Bytes(socket);
  const [first = '', ...lines] = (await from.until('\r\n\r\n')).split('\r\n');
  const status = Number(/^ICAP\/1\.\d (\d{3})/.exec(first)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) throw new Error('the scanner does not speak ICAP');
  const headers = new Map(
    lines.flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon < 1 ? [] : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]];
    }),
  );
  const sha256 = createHash('sha256');
  let httpStatus: number | undefined;
  const parts = headers.get('encapsulated') ?? '';
  if (status === 200) {
    if (parts.includes('res-hdr')) httpStatus = Number(/^HTTP\/1\.\d (\d{3})/.exec(await from.until('\r\n\r\n'))?.[1] ?? Number.NaN);
    if (parts.includes('res-body'))
      for (let length = await from.chunkLength(); length > 0; length = await from.chunkLength()) {
        for await (const bytes of from.next(length)) sha256.update(bytes);
        await from.until('\r\n');
      }
  }
  return { status, headers, httpStatus, bodySha256: sha256.digest('hex') };
}

/** What comes from a socket, a piece at a time: a body of any size never lies in memory whole. */
class Bytes {
  private held = Buffer.alloc(0);
  private readonly chunks: AsyncIterator<Buffer>;

  constructor(socket: Socket) {
    this.chunks = (socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  private async more(): Promise<void> {
    const next = await this.chunks.next();
    if (next.done === true) throw new Error('the scanner hung up');
    this.held = Buffer.concat([this.held, next.value]);
  }

  /** The text up to `mark`, which is left out. */
  async until(mark: string): Promise<string> {
    for (;;) {
      const end = this.held.indexOf(mark, 0, 'latin1');
      if (end >= 0) {
        const text = this.held.toString('latin1', 0, end);
        this.held = this.held.subarray(end + mark.length);
        return text;
      }
      if (this.held.length > longestHeadBytes) throw new Error('the scanner does not speak ICAP');
      await this.more();
    }
  }

  async chunkLength(): Promise<number> {
    const length = Number.parseInt(await this.until('\r\n'), 16);
    if (Number.isNaN(length)) throw new Error('the scanner does not speak ICAP');
    return length;
  }

  async *next(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      if (this.held.length === 0) await this.more();
      const piece = this.held.subarray(0, left);
      this.held = this.held.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
}
