import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { MovableClock } from '../../src/platform/clock.js';

export interface StorageOrder {
  folder: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** What the clock of the life shows, for the other thread to read. */
  sharedMs: Float64Array;
}

export interface StorageTold {
  endpoint?: string;
  removed?: number;
  error?: string;
  closed?: true;
}

/** A frozen clock that another thread reads as well. */
export class SharedClock extends MovableClock {
  readonly sharedMs = new Float64Array(new SharedArrayBuffer(8));

  override freeze(instant: Date | string): void {
    super.freeze(instant);
    this.sharedMs[0] = this.now().getTime();
  }

  override advance(ms: number): void {
    super.advance(ms);
    this.sharedMs[0] = this.now().getTime();
  }
}

export interface LifeStorage {
  endpoint: string;
  /** Carries out the bucket's rules now. @returns how many objects went */
  enforceLifecycle(): Promise<number>;
  close(): Promise<void>;
}

/** Starts the embedded storage on a thread of its own. */
export async function startStorage(order: StorageOrder): Promise<LifeStorage> {
  const thread = new URL('storage-thread.ts', import.meta.url).href;
  // A thread reads no TypeScript of itself.
  const worker = new Worker(
    `import('tsx/esm/api').then(({ tsImport }) => tsImport(${JSON.stringify(thread)}, ${JSON.stringify(import.meta.url)}))`,
    { eval: true, workerData: order, execArgv: [] },
  );
  const asked = async (ask?: 'enforce' | 'close'): Promise<StorageTold> => {
    if (ask !== undefined) worker.postMessage(ask);
    const [answer] = (await once(worker, 'message')) as [StorageTold];
    if (answer.error !== undefined) throw new Error(`the storage: ${answer.error}`);
    return answer;
  };
  const { endpoint = '' } = await asked();
  return {
    endpoint,
    enforceLifecycle: async () => (await asked('enforce')).removed ?? 0,
    close: async () => {
      await asked('close');
      await worker.terminate();
    },
  };
}
