import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Malware scanners: peers that hold a client to the letter of the protocol, and the real ones where they are installed. */

/** What the real ones are taught to find, and the others take for malware: harmless everywhere else. */
export const badBytes = Buffer.from('voor OPNAME-NAMALWARE na');
const signature = `Opname.Test:0:*:${Buffer.from('OPNAME-NAMALWARE').toString('hex')}\n`;
const isBad = (bytes: Buffer) => bytes.includes('OPNAME-NAMALWARE');

export interface Peer {
  setting: string;
  stop(): Promise<void>;
}

async function listen(server: Server, setting: (port: number) => string): Promise<Peer> {
  server.listen(0, '127.0.0.1');
  const open = new Set<Socket>();
  server.on('connection', (socket) => open.add(socket));
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    setting: setting((server.address() as AddressInfo).port),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** Bytes from a socket by number or up to a mark; throws when the client says less. */
class Reader {
  private held = Buffer.alloc(0);
  private readonly chunks: AsyncIterator<Buffer>;

  constructor(socket: Socket) {
    this.chunks = (socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  async take(length: number): Promise<Buffer> {
    while (this.held.length < length) {
      const next = await this.chunks.next();
      if (next.done === true) throw new Error('the client hung up');
      this.held = Buffer.concat([this.held, next.value]);
    }
    const taken = this.held.subarray(0, length);
    this.held = this.held.subarray(length);
    return taken;
  }

  async line(mark: string): Promise<string> {
    let text = '';
    while (!text.endsWith(mark)) text += (await this.take(1)).toString('latin1');
    return text.slice(0, -mark.length);
  }
}

/** clamd, as far as INSTREAM goes. `answer` may replace what it says. */
export const clamdPeer = (answer: { now?: string } = {}): Promise<Peer> =>
  listen(
    createServer((socket) => {
      socket.on('error', () => undefined);
      void (async () => {
        const from = new Reader(socket);
        const command = await from.line('\0');
        if (command !== 'zINSTREAM') return socket.end('UNKNOWN COMMAND\0');
        const file: Buffer[] = [];
        for (;;) {
          const length = (await from.take(4)).readUInt32BE();
          if (length === 0) break;
          file.push(await from.take(length));
        }
        return socket.end(answer.now ?? (isBad(Buffer.concat(file)) ? 'stream: Opname.Test FOUND\0' : 'stream: OK\0'));
      })().catch(() => socket.destroy());
    }),
    (port) => `clamd://127.0.0.1:${port}`,
  );

/** How an ICAP server passes or refuses what it was given; all of these are seen in the field. */
export type IcapManner = 'allow-204' | 'echo' | 'block-page' | 'header-only' | 'error' | 'garbage' | 'hang-up' | 'early';

/** An ICAP server that reads the request by its Encapsulated header and its chunks (RFC 3507, 4.4 and 4.9). */
export const icapPeer = (manner: { now: IcapManner }): Promise<Peer> =>
  listen(
    createServer((socket) => {
      socket.on('error', () => undefined);
      void (async () => {
        const from = new Reader(socket);
        const [request = '', ...lines] = (await from.line('\r\n\r\n')).split('\r\n');
        const headers = new Map(lines.map((line): [string, string] => [line.split(': ')[0]?.toLowerCase() ?? '', line.split(': ')[1] ?? '']));
        const places = new Map((headers.get('encapsulated') ?? '').split(', ').map((part): [string, number] => [part.split('=')[0] ?? '', Number(part.split('=')[1])]));
        const body = places.get('res-body') ?? Number.NaN;
        const heads = (await from.take(body)).toString('latin1');
        const answered = heads.slice(places.get('res-hdr'));
        const right = /^RESPMOD icap:\/\/[^ ]+\/avscan ICAP\/1\.0$/.test(request) && headers.has('host') && answered.startsWith('HTTP/1.1 200 OK\r\n') && answered.endsWith('\r\n\r\n');
        if (!right) return socket.end('ICAP/1.0 400 Bad Request\r\n\r\n');
        if (manner.now === 'early') return socket.end('ICAP/1.0 500 Server Error\r\n\r\n');
        const chunks: Buffer[] = [];
        for (;;) {
          const length = Number.parseInt(await from.line('\r\n'), 16);
          if (length > 0) chunks.push(await from.take(length));
          if ((await from.line('\r\n')) !== '') return socket.end('ICAP/1.0 400 Bad Request\r\n\r\n');
          if (length === 0) break;
        }
        const file = Buffer.concat(chunks);
        const within = (status: string, bytes: Buffer, extra = '') => {
          const head = `HTTP/1.1 ${status}\r\nContent-Type: text/html\r\n\r\n`;
          socket.write(`ICAP/1.0 200 OK\r\nISTag: "t"\r\n${extra}Encapsulated: res-hdr=0, res-body=${head.length}\r\n\r\n${head}`);
          // In two chunks, the second in two writes: nothing comes as it was sent.
          const half = Math.ceil(bytes.length / 2);
          socket.write(`${half.toString(16)};ext=1\r\n`);
          socket.write(bytes.subarray(0, half));
          socket.write(`\r\n${bytes.length - half > 0 ? `${(bytes.length - half).toString(16)}\r\n` : ''}`);
          if (bytes.length - half > 0) socket.write(bytes.subarray(half));
          socket.end(bytes.length - half > 0 ? '\r\n0\r\n\r\n' : '0\r\n\r\n');
        };
        const page = Buffer.from('<h1>geblokkeerd</h1>');
        if (manner.now === 'error') return socket.end('ICAP/1.0 500 Server Error\r\n\r\n');
        if (manner.now === 'garbage') return socket.end('HTTP/1.1 200 OK\r\n\r\n');
        if (manner.now === 'hang-up') return socket.end('ICAP/1.0 20');
        if (manner.now === 'echo') return within('200 OK', isBad(file) ? page : file);
        if (!isBad(file)) return socket.end('ICAP/1.0 204 No Content\r\nISTag: "t"\r\nEncapsulated: null-body=0\r\n\r\n');
        if (manner.now === 'block-page') return within('403 Forbidden', page);
        return manner.now === 'header-only'
          ? socket.end('ICAP/1.0 204 No Content\r\nX-Virus-ID: Opname.Test\r\nEncapsulated: null-body=0\r\n\r\n')
          : within('200 OK', page, 'X-Infection-Found: Type=0; Resolution=2; Threat=Opname.Test;\r\n');
      })().catch(() => socket.destroy());
    }),
    (port) => `icap://127.0.0.1:${port}/avscan`,
  );

const installed = (command: string) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
export const hasClamd = installed('clamd');
const icapModules = '/usr/lib/x86_64-linux-gnu/c_icap';
export const hasCIcap = hasClamd && installed('c-icap') && spawnSync('test', ['-e', `${icapModules}/virus_scan.so`]).status === 0;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await sleep(100);
  }
  throw new Error('the scanner does not start');
}

/** ClamAV's own daemon with one signature, and c-icap before it where `icap` is set. */
export async function realScanner(options: { icap: boolean }): Promise<Peer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'opname-clamd-'));
  const running: ReturnType<typeof spawn>[] = [];
  const start = async (command: string, args: string[], port: number) => {
    running.push(spawn(command, args, { stdio: 'ignore' }));
    await answers(port);
  };
  const stop = async () => {
    for (const each of running.reverse()) {
      const gone = new Promise((resolve) => each.once('exit', resolve));
      each.kill();
      await gone;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const port = await freePort();
    await writeFile(path.join(folder, 'opname.ndb'), signature);
    await writeFile(
      path.join(folder, 'clamd.conf'),
      `Foreground yes\nDatabaseDirectory ${folder}\nTCPSocket ${port}\nTCPAddr 127.0.0.1\nLocalSocket ${folder}/clamd.sock\nStreamMaxLength 1M\n`,
    );
    await start('clamd', ['-c', path.join(folder, 'clamd.conf')], port);
    if (!options.icap) return { setting: `clamd://127.0.0.1:${port}`, stop };
    const icapPort = await freePort();
    await writeFile(
      path.join(folder, 'c-icap.conf'),
      `PidFile ${folder}/icap.pid\nCommandsSocket ${folder}/icap.ctl\nPort 127.0.0.1:${icapPort}\nServerLog ${folder}/server.log
AccessLog ${folder}/access.log\nModulesDir ${icapModules}/\nServicesDir ${icapModules}/\nTemplateDir /usr/share/c_icap/templates/
LoadMagicFile /etc/c-icap/c-icap.magic\nStartServers 1\nMaxServers 1\nThreadsPerChild 5\nTmpDir ${folder}
Module common clamd_mod.so\nclamd_mod.ClamdSocket ${folder}/clamd.sock\nService avscan virus_scan.so
virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GIF JPEG MSOFFICE\nvirus_scan.PassOnError off\nvirus_scan.MaxObjectSize 2M
virus_scan.DefaultEngine clamd\nService echo srv_echo.so\n`,
    );
    await start('c-icap', ['-N', '-f', path.join(folder, 'c-icap.conf')], icapPort);
    return { setting: `icap://127.0.0.1:${icapPort}/avscan`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
