import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { openObjects, type LifecycleRule, type ObjectStoreOptions } from '../../src/platform/objects.js';
import { collect } from '../support/objects-conformance.js';
import { objectOptions } from '../support/objects.js';
import { lifecycleCommand, realS3 } from '../support/real-s3.js';

/** One lifecycle pass over the bucket, in which a day lasts one second. */
async function passOver({ bucket }: ObjectStoreOptions): Promise<void> {
  const [program, ...first] = lifecycleCommand();
  await promisify(execFile)(program, [...first, bucket, '1']);
}

it(
  'removes on a third-party server what is due, and leaves what is held, untagged or elsewhere',
  { timeout: 300_000 },
  async () => {
    lifecycleCommand(); // before the long wait
    const options = objectOptions(realS3());
    const objects = await openObjects(options);
    await objects.prepare();
    const rule: LifecycleRule = {
      id: 'r',
      enabled: true,
      prefix: 'recordings/',
      tags: { hold: '0' },
      expireAfterDays: 20,
    };
    await objects.putLifecycle([rule]);
    const put = (key: string, tags: Record<string, string>) =>
      objects.putBytes(key, Buffer.from('x'), 'text/plain', tags);
    await put('recordings/due', { hold: '0', other: 'x' });
    await put('recordings/held', { hold: '1' });
    await put('recordings/untagged', {});
    await put('tickets/elsewhere', { hold: '0' });
    await pause(22_000);
    await put('recordings/younger', { hold: '0' });
    await passOver(options);
    const left = (await collect(objects.list(''))).map(({ key }) => key);
    expect(left).toEqual(['recordings/held', 'recordings/untagged', 'recordings/younger', 'tickets/elsewhere']);
    objects.close();
  },
);
