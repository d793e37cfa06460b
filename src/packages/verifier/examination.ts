import { fromHex, hexOf, textOf, type Bytes } from './bytes.js';

/** A file of the package, its path counted from the folder that holds `bagit.txt`. */
export interface PackageFile {
  bytes: number;
  read(): Promise<Bytes>;
  /** Digests in hex. */
  digests(): Promise<{ sha256: string; sha512: string }>;
}

export type PackageFiles = ReadonlyMap<string, PackageFile>;

export const faultKinds = [
  'no_package', 'missing', 'changed', 'unlisted', 'malformed', 'signature', 'proof', 'custody', 'derivation', 'contents',
] as const;

export interface Fault {
  what: (typeof faultKinds)[number];
  /** The file, in plain letters; null for the package as a whole. */
  path: string | null;
}

const longestShown = 200;

/** What a stranger's package calls something, so that it cannot pass for words of ours: no line breaks, nothing that turns text around. */
export function plain(text: string): string {
  const shown = text.replaceAll(/[^ -~]/gu, (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`);
  return shown.length > longestShown ? `${shown.slice(0, longestShown)}…` : shown;
}

/** One package under examination: files by path, and the faults found. */
export class Examination {
  readonly faults: Fault[] = [];
  /** Digests by path, of what was read. */
  readonly sha256 = new Map<string, string>();
  readonly sha512 = new Map<string, string>();

  readonly #files: Map<string, PackageFile>;

  constructor(files: PackageFiles) {
    this.#files = new Map(files);
  }

  get files(): PackageFiles {
    return this.#files;
  }

  /** Goes on as if this file were not there. */
  drop(path: string): void {
    this.#files.delete(path);
  }

  fault(what: Fault['what'], told: string | null): void {
    const path = told === null ? null : plain(told);
    if (!this.faults.some((fault) => fault.what === what && fault.path === path)) this.faults.push({ what, path });
  }

  async text(path: string): Promise<string | undefined> {
    const file = this.files.get(path);
    if (file === undefined) {
      this.fault('missing', path);
      return undefined;
    }
    try {
      return textOf(await file.read());
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.fault('malformed', path);
      return undefined;
    }
  }

  /** What a JSON file holds, taken at its word: whoever uses it is inside `guarded`. */
  async json<T>(path: string): Promise<T | undefined> {
    const text = await this.text(path);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as T;
    } catch {
      this.fault('malformed', path);
      return undefined;
    }
  }

  /** Runs a check whose input may have any form at all: what it trips over is a fault of `path`, and the answer undefined. */
  async guarded<Found>(path: string, work: () => Promise<Found>): Promise<Found | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isFormFault(error)) throw error;
      this.fault('malformed', path);
      return undefined;
    }
  }
}

/** Does a token hold this digest? What the authority says of it is for openssl to check. */
export function holdsBytes(token: Uint8Array, digest: Uint8Array): boolean {
  return hexOf(token).includes(hexOf(digest));
}

/** The same for a digest in hex. */
export const holdsDigest = (token: Uint8Array, hex: string): boolean => holdsBytes(token, fromHex(hex));

/** Errors that a strange form causes; a file that could not be read is another matter. */
const isFormFault = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError ||
  (error instanceof DOMException && error.name !== 'NotReadableError');
