import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Bag } from '../packages/bag.js';

/** Text that grows on disk and not in memory: written piece by piece into a temporary file, read back once it is ended. */
export interface Spool {
  readonly file: string;
  /** How many pieces were written. */
  readonly count: number;
  /** Waits while the disk is behind. */
  write(text: string): Promise<void>;
  /** No more is written; it is all in the file. Harmless the second time. */
  end(): Promise<void>;
  /** The text from its beginning, after `end`. */
  read(): AsyncIterable<string>;
  /** Puts it into the bag, after `end`. */
  addTo(bag: Bag, place: string): Promise<void>;
}

/** Begins a spool in a new file, which whoever owns the folder removes. What is not ended is closed when `signal` aborts. */
export function createSpool(file: string, signal: AbortSignal): Spool {
  const stream = createWriteStream(file, { flags: 'wx', mode: 0o600, signal });
  // Told by the write or the end that comes next; without a listener it would end the process.
  let fault: Error | undefined;
  stream.on('error', (error) => (fault = error));
  let count = 0;
  const refuseFaulty = () => {
    if (fault !== undefined) throw fault;
  };
  return {
    file,
    get count() {
      return count;
    },
    async write(text) {
      refuseFaulty();
      count += 1;
      if (!stream.write(text)) await once(stream, 'drain');
      refuseFaulty();
    },
    async end() {
      if (stream.closed) return refuseFaulty();
      stream.end();
      await once(stream, 'close');
      refuseFaulty();
    },
    // Decoded by the stream: a piece may end in the middle of a character.
    read: () => createReadStream(file, 'utf8') as AsyncIterable<string>,
    addTo: async (bag, place) => void (await bag.add(place, createReadStream(file) as AsyncIterable<Buffer>, (await stat(file)).size)),
  };
}
