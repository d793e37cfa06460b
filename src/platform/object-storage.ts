/**
 * The object storage as the service knows it, made of single requests to some S3. What is put is proved to be there;
 * what is deleted is deleted in every version. It believes nothing that it can ask for: `prepare` finds out what this
 * storage checks by itself.
 */
import { createHash, randomUUID } from 'node:crypto';
import type {
  ObjectFacts,
  ObjectRead,
  Objects,
  ObjectVersion,
  ProvedObject,
  PutOptions,
  ReadOptions,
  StorageTraits,
  StoredObject,
} from './object-contract.js';
import { asProblem, isDigestRefusal, isMissing, isPassing } from './object-faults.js';
import { keepRule, readRule, writeRule, type LifecycleRule, type RawRule } from './object-lifecycle.js';
import { bytesSource, factsOf, fileSource, putProved, tagProved, type PutRequests } from './object-put.js';
import { deleteEvery, stillPresent, type VersionRequests } from './object-versions.js';
import { Problem } from './problem.js';
import { Turns } from './turns.js';

const reachableMs = 2000;
const filesAtOnce = 8;
const canaryFolder = 'canary/';

export interface UploadInParts {
  key: string;
  uploadId: string;
  begunAt: Date | undefined;
}

/** All single requests; `Rule` is the client's own shape of a lifecycle rule, kept whole for rules of others. */
export interface StorageRequests<Rule extends RawRule> extends PutRequests, VersionRequests {
  bucketExists(signal?: AbortSignal): Promise<boolean>;
  makeBucket(): Promise<void>;
  hasObjectLock(): Promise<boolean>;
  /** Puts with a Content-MD5 (hex) that need not be right; the entity tag. */
  sendWithMd5(key: string, body: Buffer, md5: string): Promise<string>;
  setLegalHold(key: string, on: boolean, versionId?: string): Promise<void>;
  uploads(prefix: string): AsyncIterable<UploadInParts>;
  rules(): Promise<Rule[] | 'unsupported'>;
  setRules(rules: (Rule | ReturnType<typeof writeRule>)[]): Promise<void>;
  close(): void;
}

export class ProvedObjects<Rule extends RawRule> implements Objects {
  #traits: StorageTraits = {
    versioning: 'unknown',
    objectLock: false,
    legalHold: false,
    checksBytes: false,
    etagIsMd5: false,
    keepsTags: false,
  };
  /** Each file under way costs buffers on both sides: a burst of pushes waits here instead of filling memory. */
  readonly #fileTurns = new Turns(filesAtOnce);

  constructor(private readonly requests: StorageRequests<Rule>) {}

  /** Runs `ask`, turning what it throws into what callers are told. */
  async #asking<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw asProblem(error, signal);
    }
  }

  async prepare(): Promise<StorageTraits> {
    return this.#asking(async () => {
      const { requests } = this;
      if (!(await requests.bucketExists())) {
        await requests.makeBucket();
        requests.log.info({}, 'the bucket was made');
      }
      const versioning = await requests.versioning();
      const objectLock = await requests.hasObjectLock();
      const legalHold = objectLock && (await this.#holdsLegally());
      this.#traits = { versioning, objectLock, legalHold, ...(await this.#canary()) };
      requests.log.info({ storage: this.#traits }, 'storage is there');
      return this.#traits;
    });
  }

  /** Puts a little object under legal hold and tries to delete it. */
  async #holdsLegally(): Promise<boolean> {
    const key = `${canaryFolder}${randomUUID()}`;
    await this.putBytes(key, Buffer.from('canary'), 'text/plain', {});
    try {
      await this.requests.setLegalHold(key, true);
    } catch (error) {
      if (isPassing(error)) throw error;
      await deleteEvery(this.requests, [key]);
      return false;
    }
    const [outcome] = await deleteEvery(this.requests, [key]);
    const stood = outcome?.error !== undefined && (await stillPresent(this.requests, [key])).length > 0;
    if (stood) await this.requests.setLegalHold(key, false);
    await deleteEvery(this.requests, [key]);
    return stood;
  }

  /** Puts a little object with a wrong Content-MD5, one with the right one, one with tags, and looks what happens. */
  async #canary(): Promise<Pick<StorageTraits, 'checksBytes' | 'etagIsMd5' | 'keepsTags'>> {
    const key = `${canaryFolder}${randomUUID()}`;
    const body = Buffer.from('canary');
    const md5 = createHash('md5').update(body).digest('hex');
    const wrong = createHash('md5').update('another bird').digest('hex');
    try {
      let checksBytes = false;
      try {
        await this.requests.sendWithMd5(key, body, wrong);
      } catch (error) {
        if (!isDigestRefusal(error)) throw error;
        checksBytes = true;
      }
      const etagIsMd5 = (await this.requests.sendWithMd5(key, body, md5)) === md5;
      await this.requests.sendWhole(key, body, factsOf(body, 'text/plain', { hold: 'canary' }), {});
      return { checksBytes, etagIsMd5, keepsTags: (await this.requests.tags(key))?.['hold'] === 'canary' };
    } finally {
      await deleteEvery(this.requests, [key]);
    }
  }

  putFile(key: string, content: string | Buffer, facts: ObjectFacts, options: PutOptions = {}): Promise<ProvedObject> {
    const source = typeof content === 'string' ? fileSource(content) : bytesSource(content);
    return this.#fileTurns.run(() => putProved(this.requests, this.#traits, key, source, facts, options));
  }

  putBytes(
    key: string,
    bytes: Buffer,
    contentType: string,
    tags: Record<string, string>,
    options: PutOptions = {},
  ): Promise<ProvedObject> {
    return putProved(this.requests, this.#traits, key, bytesSource(bytes), factsOf(bytes, contentType, tags), options);
  }

  read(key: string, options: ReadOptions = {}): Promise<ObjectRead | undefined> {
    return this.requests.read(key, options);
  }

  head(key: string, versionId?: string): Promise<StoredObject | undefined> {
    return this.requests.head(key, versionId);
  }

  tag(key: string, tags: Record<string, string>, versionId?: string): Promise<void> {
    return tagProved(this.requests, key, tags, versionId);
  }

  tags(key: string, versionId?: string): Promise<Record<string, string> | undefined> {
    return this.requests.tags(key, versionId);
  }

  async legalHold(key: string, on: boolean, versionId?: string): Promise<void> {
    if (!this.#traits.legalHold) return;
    try {
      await this.requests.setLegalHold(key, on, versionId);
    } catch (error) {
      throw isMissing(error) ? new Problem('not-found', { cause: error }) : asProblem(error);
    }
  }

  deleteEveryVersion(keys: string[]): Promise<{ key: string; error?: string }[]> {
    return this.#asking(() => deleteEvery(this.requests, keys));
  }

  confirmAbsent(keys: string[]): Promise<string[]> {
    return this.#asking(() => stillPresent(this.requests, keys));
  }

  async *list(prefix: string, { after }: { after?: string } = {}): AsyncIterable<ObjectVersion> {
    try {
      yield* this.requests.versions(prefix, { after });
    } catch (error) {
      throw asProblem(error);
    }
  }

  async abortUploads(prefix: string, olderThan?: Date, only?: (key: string) => boolean): Promise<number> {
    return this.#asking(async () => {
      let aborted = 0;
      for await (const { key, uploadId, begunAt } of this.requests.uploads(prefix)) {
        if (olderThan && begunAt && begunAt >= olderThan) continue;
        if (only && !only(key)) continue;
        await this.requests.abortParts(key, uploadId);
        aborted++;
      }
      return aborted;
    });
  }

  async lifecycle(): Promise<LifecycleRule[] | 'unsupported'> {
    const rules = await this.#asking(() => this.requests.rules());
    return rules === 'unsupported' ? rules : rules.map(readRule);
  }

  async putLifecycle(rules: LifecycleRule[], retired: string[] = []): Promise<LifecycleRule[] | 'unsupported'> {
    await this.#asking(async () => {
      const present = await this.requests.rules();
      if (present === 'unsupported') return;
      const replaced = new Set([...rules.map(({ id }) => id), ...retired]);
      const others = present.filter(({ ID }) => !replaced.has(ID ?? '')).map(keepRule);
      await this.requests.setRules([...others, ...rules.map(writeRule)]);
    });
    return this.lifecycle();
  }

  async reachable(signal?: AbortSignal): Promise<void> {
    const limit = AbortSignal.timeout(reachableMs);
    const either = signal ? AbortSignal.any([signal, limit]) : limit;
    const isThere = await this.#asking(() => this.requests.bucketExists(either), signal);
    if (!isThere) throw new Problem('storage-unavailable');
  }

  close(): void {
    this.requests.close();
  }
}
