import { createReadStream } from 'node:fs';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Patience, Verdict } from './scanner.js';

/** clamd's INSTREAM: chunks with their length in front, an empty one at the end (clamd(8)). @throws when it cannot tell */
export async function askClamd(open: () => Socket, file: string, { signal, timeoutMs }: Patience): Promise<Verdict> {
  signal.throwIfAborted();
  const socket = open();
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error('the scanner does not answer')));
  const stop = () => socket.destroy(new Error('stopped'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    const answer = readAll(socket);
    // It may hang up early (its own size limit): what it said before that is what counts.
    const sent = pipeline(async function* () {
      yield Buffer.from('zINSTREAM\0', 'latin1');
      for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(chunk.length);
        yield Buffer.concat([length, chunk]);
      }
      yield Buffer.alloc(4);
    }, socket, { end: false });
    sent.catch(() => undefined);
    const text = await answer;
    if (/: OK\0?$/.test(text)) return 'clean';
    if (/ FOUND\0?$/.test(text)) return 'infected';
    throw new Error('the scanner could not tell');
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\0')) resolve(text);
    });
    socket.once('end', () => resolve(text));
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });
}
