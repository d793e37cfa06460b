/** The storage of a life, on a thread of its own: service and storage then work at the same time, as they do elsewhere. */
import { parentPort, workerData } from 'node:worker_threads';
import { startEmbeddedS3 } from '../../src/platform/embedded/s3/server.js';
import { createLog } from '../../src/platform/log.js';
import type { StorageOrder, StorageTold } from './storage.js';

const { folder, accessKeyId, secretAccessKey, sharedMs } = workerData as StorageOrder;
const server = await startEmbeddedS3({
  folder, accessKeyId, secretAccessKey, clock: { now: () => new Date(sharedMs[0] ?? 0) },
  log: createLog('silent'), fsync: false, lifecycleEveryMs: 2 ** 30,
});
const tell = (told: StorageTold): void => parentPort?.postMessage(told);
parentPort?.on('message', (asked: 'enforce' | 'close') => {
  if (asked === 'close')
    void server.close().then(() => {
      tell({ closed: true });
      parentPort?.close();
    });
  else void server.enforceLifecycle().then((removed) => tell({ removed }), (error: unknown) => tell({ error: String(error) }));
});
tell({ endpoint: server.endpoint });
