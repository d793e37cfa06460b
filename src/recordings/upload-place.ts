import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { Transform, Writable } from 'node:stream';
import { Problem } from '../platform/problem.js';

/** Where the bytes of an upload go, each piece looked at on its way. */

/** Looks at the bytes that come, one piece after the other. @throws Problem when no more of them are to come */
export type See = (piece: Buffer) => Promise<void> | undefined;

/** Where an upload goes: `content` has it once it has passed through `steps`. */
export interface Place {
  steps: [Writable] | [Transform, Writable];
  content(bytes: number): string | Buffer;
}

/** Into `room`, which is large enough for what was announced. */
export function inMemory(room: Buffer, see: See): Place {
  let filled = 0;
  const sink = new Writable({
    highWaterMark: 1 << 18,
    write: passing(see, (piece) => {
      // A client that sends more than it announced is cut off by its own server; this is in case it is not.
      if (piece.copy(room, filled) < piece.length) throw new Problem('invalid-request', { detail: 'The body is longer than was announced.' });
      filled += piece.length;
      return undefined;
    }),
  });
  return { steps: [sink], content: (bytes) => room.subarray(0, bytes) };
}

/** Into a new file in `folder`. */
export function onDisk(folder: string, see: See): Place {
  const file = path.join(folder, randomUUID());
  const transform = passing(see, (piece) => piece);
  const sink = createWriteStream(file, { mode: 0o600, flags: 'wx', highWaterMark: 1 << 20 });
  return { steps: [new Transform({ transform }), sink], content: () => file };
}

/** What a stream does with a piece: it is seen, and then taken. */
function passing(see: See, take: (piece: Buffer) => Buffer | undefined) {
  return (piece: Buffer, _encoding: BufferEncoding, done: (error?: Error | null, passed?: Buffer) => void): void => {
    let passed: Buffer | undefined;
    try {
      const seen = see(piece);
      if (seen !== undefined) {
        seen.then(() => take(piece)).then((taken) => done(null, taken), done);
        return;
      }
      passed = take(piece);
    } catch (error) {
      done(error as Error);
      return;
    }
    done(null, passed);
  };
}
