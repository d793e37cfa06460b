import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Archive, Digests } from '../platform/archive.js';
import { sshSignature, allowedSigner } from '../platform/ssh-signature.js';
import type { SigningKey } from '../platform/signing.js';
import { TimeStampUnavailable, type TimeStamper } from '../platform/time-stamp.js';
import { signerName, signatureNamespace } from './verifier/layout.js';

/**
 * A bag (BagIt, RFC 8493) in a zip, one folder at its root: payload under `data/`, manifests with the digests of all of it,
 * and a signature over the digests of the rest. Everything streams by once; only digests stay in memory.
 */
export interface Bag {
  /** Adds a file under `data/`; a path once. */
  add(path: string, source: AsyncIterable<Uint8Array> | Uint8Array, bytes: number): Promise<Digests>;
  addText(path: string, text: string): Promise<Digests>;
  addJson(path: string, value: unknown): Promise<Digests>;
  /** Digests of what is in it so far, by path. */
  readonly contents: ReadonlyMap<string, Digests>;
}

/** What stands around the payload. */
export interface BagFrame {
  /** Lines of `bag-info.txt` beside those that the bag knows itself. No line breaks in values. */
  info: readonly (readonly [label: string, value: string])[];
  /** Files at the root of the bag, such as READMEs: their text, or the file that holds it. Covered by the signature. */
  files: readonly ({ name: string; mode?: number } & ({ text: string } | { file: string }))[];
  key: SigningKey;
  /** Undefined: no authority is asked when the bag is sealed. */
  timeStamper: TimeStamper | undefined;
  /** The authorities' certificates (PEM) that the payload holds; needed where one is asked. */
  certificates?: ReadonlySet<string> | undefined;
  at: Date;
  signal?: AbortSignal | undefined;
}

/** Paths are safe in every shell, file system and manifest by being this plain. */
const plainPath = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;

/** A bag in `archive`, below the folder `folder`. `seal` ends it. */
export function createBag(archive: Archive, folder: string): Bag & { seal(frame: BagFrame): Promise<void> } {
  return new ZippedBag(archive, folder);
}

class ZippedBag implements Bag {
  readonly #payload = new Map<string, Digests>();

  constructor(
    private readonly archive: Archive,
    private readonly folder: string,
  ) {}

  get contents(): ReadonlyMap<string, Digests> {
    return this.#payload;
  }

  async add(path: string, source: AsyncIterable<Uint8Array> | Uint8Array, bytes: number): Promise<Digests> {
    if (!plainPath.test(path) || !path.startsWith('data/') || path.includes('..') || this.#payload.has(path))
      throw new Error('This path cannot stand in a bag');
    const digests = await this.archive.add(`${this.folder}/${path}`, source, bytes);
    this.#payload.set(path, digests);
    return digests;
  }

  async addText(path: string, text: string): Promise<Digests> {
    const bytes = Buffer.from(text);
    return await this.add(path, bytes, bytes.length);
  }

  async addJson(path: string, value: unknown): Promise<Digests> {
    return await this.addText(path, `${JSON.stringify(value, null, 2)}\n`);
  }

  /**
   * Writes manifests, information and signatures. Signatures stand outside the tag manifest, which they sign.
   * @throws TimeStampUnavailable when no authority answers any more, or another than those whose certificates are in it
   */
  async seal(frame: BagFrame): Promise<void> {
    const { at, certificates, files, info, key, signal, timeStamper } = frame;
    const payload = [...this.#payload].sort(([a], [b]) => (a < b ? -1 : 1));
    const total = payload.reduce((sum, [, { bytes }]) => sum + bytes, 0);
    const lines = [
      ...info,
      ['Bagging-Date', at.toISOString().slice(0, 10)],
      ['Payload-Oxum', `${total}.${payload.length}`],
      ['Signing-Key-SHA256', key.keyId],
    ] as const;
    const tags = [
      { name: 'bagit.txt', text: 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n' },
      { name: 'bag-info.txt', text: lines.map(([label, value]) => `${label}: ${oneLine(value)}\n`).join('') },
      { name: 'manifest-sha256.txt', text: payload.map(([path, { sha256 }]) => `${sha256}  ${path}\n`).join('') },
      { name: 'manifest-sha512.txt', text: payload.map(([path, { sha512 }]) => `${sha512}  ${path}\n`).join('') },
      ...files,
    ];
    const digests: string[] = [];
    for (const tag of tags as BagFrame['files']) {
      const { sha256 } = 'file' in tag ? await this.#writeFile(tag.name, tag.file, tag.mode) : await this.#write(tag.name, tag.text, tag.mode);
      digests.push(`${sha256}  ${tag.name}\n`);
    }
    const tagManifest = Buffer.from(digests.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join(''));
    const { sha256 } = await this.#write('tagmanifest-sha256.txt', tagManifest);
    await this.#write('signatures/tagmanifest.p256.sig', key.sign(tagManifest));
    await this.#write('signatures/tagmanifest.sshsig', sshSignature(key, tagManifest, signatureNamespace));
    await this.#write('signatures/allowed_signers', allowedSigner(key.publicPem, signerName, signatureNamespace));
    await this.#write('signatures/evidence.pub.pem', key.publicPem);
    if (timeStamper === undefined) return;
    const stamp = await timeStamper.stamp(sha256, signal);
    // Nobody could check a token by certificates that are not in the package; made anew, it holds them.
    if (!stamp.certificates.some((certificate) => certificates?.has(certificate)))
      throw new TimeStampUnavailable('another authority answered than when the package was begun');
    await this.#write('signatures/export.tsr', stamp.response);
    // A token is no part of what it stamps: this ties it to the package for those who cannot read tokens.
    await this.#write('signatures/export.tsr.p256.sig', key.sign(stamp.response));
  }

  async #writeFile(name: string, file: string, mode?: number): Promise<Digests> {
    return await this.archive.add(`${this.folder}/${name}`, createReadStream(file) as AsyncIterable<Buffer>, (await stat(file)).size, mode);
  }

  async #write(name: string, content: string | Buffer, mode?: number): Promise<Digests> {
    const bytes = Buffer.from(content as Buffer);
    return await this.archive.add(`${this.folder}/${name}`, bytes, bytes.length, mode);
  }
}

/**
 * A value must not begin a line of its own, not even where other programs see line ends (U+0085, U+2028, U+2029), steer the
 * terminal that shows it, or turn the text around it.
 */
export const oneLine = (value: string): string =>
  value.replaceAll(/[\s\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();
