import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../src/platform/clock.js';
import { Disk } from '../../src/platform/embedded/s3/disk.js';
import { fileName, hashOf, nextRevision, shardOf, type Entry } from '../../src/platform/embedded/s3/entry.js';
import { startEmbeddedS3 } from '../../src/platform/embedded/s3/server.js';
import { shards, writeSnapshot } from '../../src/platform/embedded/s3/snapshot.js';
import { createLog } from '../../src/platform/log.js';

/**
 * The storage of the sweep bench, in a process of its own as an S3 server is, so that the memory of the sweep can be weighed
 * without it. Objects are written where the embedded server looks for them before it starts, as it would have written them
 * itself: that is much faster than by as many puts, and from there on nothing is different.
 */

export interface StorageOrder {
  folder: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  ids: string[];
  names: string[];
}

const body = Buffer.alloc(200, 1);

/** The keys of what is swept and of what is deleted bare, as many of each. */
function* keysOf({ ids, names }: StorageOrder): Generator<string> {
  for (const [at, id] of ids.entries())
    for (const name of names) {
      yield `bare/${at}/${name}`;
      yield `recordings/${id}/v/${name}`;
    }
}

async function seed(order: StorageOrder): Promise<void> {
  const folder = path.join(order.folder, 'buckets', order.bucket);
  for (const shard of shards) mkdirSync(path.join(folder, 'objects', shard), { recursive: true });
  mkdirSync(path.join(order.folder, 'temporary'));
  writeFileSync(path.join(folder, 'bucket.json'), JSON.stringify({ createdAt: systemClock.now().toISOString() }));
  const etag = `"${createHash('md5').update(body).digest('hex')}"`;
  const modifiedAtMs = systemClock.now().getTime();
  function* written(): Generator<Entry> {
    for (const key of keysOf(order)) {
      const revision = nextRevision();
      const entry: Entry = {
        key, revision, dataRevision: revision, bytes: body.length, etag, modifiedAtMs, contentType: 'application/octet-stream',
        headers: {}, tags: { hold: '0' }, checksum: {},
      };
      const hash = hashOf(key);
      const shard = path.join(folder, 'objects', shardOf(hash));
      writeFileSync(path.join(shard, fileName(hash, revision, 'data')), body);
      writeFileSync(path.join(shard, fileName(hash, revision, 'json')), JSON.stringify(entry));
      yield entry;
    }
  }
  await writeSnapshot(folder, written(), new Disk(path.join(order.folder, 'temporary'), false));
}

process.once('message', (order: StorageOrder) => {
  void (async () => {
    await seed(order);
    const { folder, accessKeyId, secretAccessKey } = order;
    const { endpoint } = await startEmbeddedS3({
      folder, accessKeyId, secretAccessKey, clock: systemClock, log: createLog('error'), fsync: false,
    });
    process.once('disconnect', () => process.exit(0));
    process.send?.(endpoint);
  })();
});
