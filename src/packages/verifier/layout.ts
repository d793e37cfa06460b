/**
 * What those who seal a package and those who check it must agree on. Everything in this folder runs in a browser as well
 * as in Node: no imports from either.
 */

/** Who signs, in `allowed_signers`; and the namespace that keeps the signature from meaning anything else. */
export const signerName = 'call-evidence';
export const signatureNamespace = 'call-evidence@v1';

/** Where the list of what is in a package stands. */
export const contentsPath = 'data/records/contents.json';

/** A version of a recording, as it was received. */
export interface ContentVersion {
  versionId: string;
  number: number;
  sha256: string;
  bytes: number;
  receivedAt: string;
}

/** A recording in a package, and where its files stand. */
export interface ContentRecording {
  id: string;
  /** Folders, each ending in `/`. */
  audio: string;
  records: string;
  proofs: string;
  versions: ContentVersion[];
  custody: { entries: number; head: string };
}

/** `data/records/contents.json`. */
export interface Contents {
  format: 'opname-package/1';
  kind: string;
  reference: string;
  scope: string;
  sealedAt: string;
  recordings: ContentRecording[];
  /** What should be here and is not, by path. */
  missing: string[];
}

/** A line of `custody.jsonl`: what became of a recording, each line bound to the one before. */
export interface CustodyLine {
  sequence: number;
  at: string;
  actor: { kind: string; id: string; role?: string };
  action: string;
  details: Record<string, unknown>;
  /** Its number in the audit chain. */
  entry: number;
  /** SHA-256 of the line before, without its line end; of the first: 64 zeros. */
  previous: string;
}

/** `changes.json`: what became known or was corrected after receipt, and statements of the person concerned. */
export interface Changes {
  format: 'opname-changes/1';
  recordingId: string;
  changes: {
    id: string;
    /** As the line of custody has it. */
    at: string;
    by: CustodyLine['actor'];
    fields: { field: string; old: unknown; new: unknown }[];
    statement: string | null;
    salt: string;
  }[];
}

/** Where the text of a recording's statement stands, counted from 0 in the order of `changes.json`. */
export const statementPath = (records: string, index: number): string =>
  `${records}statement-${String(index + 1).padStart(2, '0')}.txt`;

/** A wording of an agreement, as `agreement.json` tells it. */
export interface Wording {
  revision: number;
  startMs: number;
  endMs: number;
  summary: string;
  parties: string[];
  ticket: string | null;
  /** Null for those marked before digests were salted. */
  salt: string | null;
}

/** `agreement.json`. */
export interface Agreements {
  agreements: (Omit<Wording, 'salt'> & { id: string; history: Wording[] })[];
  /** Marked by mistake: their wordings are nobody's concern. */
  withdrawn: { id: string }[];
}

export const noHash = '0'.repeat(64);

/** A file that was made of an original. */
export interface Derivation {
  file: string;
  sha256: string;
  bytes: number;
  durationMs: number;
  kind: 'clip' | 'masked_copy';
  agreementId: string | null;
  source: { versionId: string; number: number; sha256: string };
  tool: string;
  toolVersion: string;
  arguments: string[];
  passage: { startMs: number; endMs: number } | null;
  cuts: { startMs: number; endMs: number }[];
  masks: { startMs: number; endMs: number; channel?: number | undefined }[];
}

/** `derivation.json`. */
export interface Derivations {
  format: 'opname-derivation/1';
  recordingId: string;
  derivations: Derivation[];
}
