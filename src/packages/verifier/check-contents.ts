import { hexOf, sha256, utf8 } from './bytes.js';
import { holdsDigest, type Examination } from './examination.js';
import {
  contentsPath, noHash, type ContentRecording, type Contents, type CustodyLine, type Derivations,
} from './layout.js';
import { checkAgreements, checkChanges } from './check-records.js';
import { canonical, headOf, holds, isSignedStatement, type Proof, type SignedStatement } from './proof.js';
import { readPublicKey, type PublicKey } from './signature.js';

/** What the records in a package say of one another, and of the audio beside them. */

export interface ContentReport {
  kind: string | null;
  reference: string | null;
  sealedAt: string | null;
  recordings: {
    id: string;
    receivedAt: string | null;
    /** When the chain that holds its receipt was signed. */
    provenAt: string | null;
    custodyEntries: number;
    /** Tokens of time-stamping authorities over what was received; openssl checks those. */
    stamps: number;
    audio: string[];
  }[];
  /** What the sender says is missing. */
  missing: string[];
}

export async function checkContents(examination: Examination, key: PublicKey | undefined): Promise<ContentReport> {
  const report: ContentReport = { kind: null, reference: null, sealedAt: null, recordings: [], missing: [] };
  const contents = await examination.json<Contents>(contentsPath);
  if (contents === undefined) return report;
  await examination.guarded(contentsPath, async () => {
    if (contents.format !== 'opname-package/1') throw new RangeError('unknown format');
    Object.assign(report, {
      kind: told(contents.kind), reference: told(contents.reference), sealedAt: told(contents.sealedAt),
      missing: contents.missing.map(told),
    });
    checkPlaces(examination, contents);
    const chain = contents.recordings.length === 0 ? undefined : await readChain(examination, key, contents);
    for (const recording of contents.recordings) {
      const shown: ContentReport['recordings'][number] = {
        id: told(recording.id),
        receivedAt: told(recording.versions[0]?.receivedAt),
        provenAt: null,
        custodyEntries: recording.custody.entries,
        stamps: 0,
        audio: [...examination.files.keys()].filter(
          (path) => path.startsWith(recording.audio) && /^[\w./-]+$/.test(path) && !path.endsWith('.json'),
        ),
      };
      report.recordings.push(shown);
      const isReceiptGone = contents.missing.includes(`${recording.proofs}inclusion.json`);
      const custody = await checkCustody(examination, recording, isReceiptGone);
      // Custody of another package, or one that was cut off before, lacks it.
      const isOrder = ({ action, details }: CustodyLine) =>
        action === 'recording.export_ordered' && details['reference'] === contents.reference;
      if (!custody.some(isOrder)) examination.fault('custody', `${recording.records}custody.jsonl`);
      await checkChanges(examination, recording, custody);
      await checkAgreements(examination, recording, custody, isReceiptGone);
      await checkAudio(examination, recording);
      shown.stamps = await checkStamps(examination, recording);
      if (chain !== undefined && !isReceiptGone) shown.provenAt = await checkProofs(examination, recording, chain, custody);
    }
  });
  return report;
}

/** A number, date, id or path that is shown as the package says it. @throws RangeError for what could be words */
function told(value: unknown): string {
  if (typeof value !== 'string' || !/^[\w./:+-]{1,120}$/.test(value)) throw new RangeError('not a number, date, id or path');
  return value;
}

/** All audio belongs to one of the recordings: nothing is to be heard that nothing is said of. */
function checkPlaces(examination: Examination, { recordings }: Contents): void {
  const folders = recordings.map(({ audio, records, proofs }) => {
    const own = /^data\/audio\/((?:\d{3,}\/)?)$/.exec(audio)?.[1];
    if (own === undefined || records !== `data/records/${own}` || proofs !== `data/proofs/${own}`)
      throw new RangeError('folders of another form');
    return audio;
  });
  const isAlone = recordings.length === 1 || !folders.includes('data/audio/');
  if (!isAlone || new Set(folders).size !== folders.length) examination.fault('contents', contentsPath);
  for (const path of examination.files.keys())
    if (path.startsWith('data/audio/') && !folders.some((folder) => path.startsWith(folder))) examination.fault('contents', path);
}

interface Chain {
  keys: ReadonlyMap<string, PublicKey>;
  head: string;
}

/** The head of the chain at sealing, and the keys that signed it over time: whoever signed the package vouches for those. */
async function readChain(
  examination: Examination, key: PublicKey | undefined, contents: Contents,
): Promise<Chain | undefined> {
  const headPath = 'data/proofs/chain-head.json';
  if (contents.missing.includes(headPath)) return undefined;
  const keysPath = 'data/proofs/keys.json';
  const keys = new Map<string, PublicKey>(key === undefined ? [] : [[key.keyId, key]]);
  const published = await examination.json<{ keys: { keyId: string; publicPem: string }[] }>(keysPath);
  await examination.guarded(keysPath, async () => {
    if (published === undefined) return;
    for (const { keyId, publicPem } of published.keys) {
      const read = await readPublicKey(publicPem);
      if (read.keyId !== keyId) throw new RangeError('a key under another key’s name');
      keys.set(keyId, read);
    }
  });
  const told = await examination.json<{ head: string; count: number } & SignedStatement>(headPath);
  let chain: Chain | undefined;
  await examination.guarded(headPath, async () => {
    if (told === undefined) return;
    const sound =
      (await headOf(told)) === told.head && told.statement.count === told.count && (await isSignedStatement(told, keys));
    if (sound) chain = { keys, head: told.head };
    else examination.fault('proof', headPath);
  });
  return chain;
}

/** The receipt of every version and every line of custody stand in the signed chain. @returns when the last receipt was signed */
async function checkProofs(
  examination: Examination, recording: ContentRecording, { keys, head }: Chain, custody: readonly CustodyLine[],
): Promise<string | null> {
  const path = `${recording.proofs}inclusion.json`;
  const file = await examination.json<{ proofs: Proof[] }>(path);
  let provenAt: string | null = null;
  await examination.guarded(path, async () => {
    if (file === undefined) return;
    const received = new Set<string>();
    const entries = new Map<number, Proof['entry']>();
    for (const proof of file.proofs) {
      const { entry, batch, tip } = proof;
      const sound = (await holds(proof, keys)) && (await headOf(tip)) === head && !entries.has(entry.id);
      if (!sound) examination.fault('proof', path);
      entries.set(entry.id, entry);
      if (!sound || entry.action !== 'recording.received' || entry.object?.id !== recording.id) continue;
      received.add(`${String(entry.details['versionId'])} ${String(entry.details['sha256'])}`);
      provenAt = provenAt === null || batch.statement.signedAt > provenAt ? batch.statement.signedAt : provenAt;
    }
    for (const version of recording.versions)
      if (!received.has(`${version.versionId} ${version.sha256}`)) examination.fault('proof', path);
    const isTold = custody.every((line) => isLineOf(entries.get(line.entry), line, recording.id));
    if (!isTold || entries.size !== custody.length) examination.fault('custody', `${recording.records}custody.jsonl`);
  });
  return provenAt;
}

/** Does the line say what the entry of the chain says, and is it about this recording? */
function isLineOf(entry: Proof['entry'] | undefined, line: CustodyLine, recordingId: string): boolean {
  if (entry === undefined) return false;
  const about = entry.object?.type === 'recording' ? entry.object.id : entry.details['recordingId'];
  const { at, action, details, actor } = line;
  const told = { id: line.entry, at, actor: { kind: actor.kind, id: actor.id }, action, object: entry.object, details };
  return about === recordingId && canonical(told) === canonical(entry);
}

/** No line of custody is gone, moved or altered, and it begins with the receipt of these very bytes. @returns its lines */
async function checkCustody(
  examination: Examination, recording: ContentRecording, isReceiptGone: boolean,
): Promise<CustodyLine[]> {
  const path = `${recording.records}custody.jsonl`;
  const text = await examination.text(path);
  const acts: CustodyLine[] = [];
  if (text === undefined) return acts;
  await examination.guarded(path, async () => {
    const lines = text.split('\n');
    if (lines.pop() !== '') throw new RangeError('cut short');
    let previous = noHash;
    const received = new Set<string>();
    for (const [index, line] of lines.entries()) {
      const read = JSON.parse(line) as CustodyLine;
      if (read.sequence !== index + 1 || read.previous !== previous) examination.fault('custody', path);
      if (read.action === 'recording.received') received.add(String(read.details['sha256']));
      previous = hexOf(await sha256(utf8(line)));
      acts.push(read);
    }
    if (lines.length !== recording.custody.entries || previous !== recording.custody.head) examination.fault('custody', path);
    // A receipt older than the trail's own period is in no custody file: the list of what is missing says so.
    for (const version of recording.versions)
      if (!isReceiptGone && !received.has(version.sha256)) examination.fault('custody', path);
  });
  return acts;
}

/** Audio is an original with the digest it was received with, or made of one as its derivation says. */
async function checkAudio(examination: Examination, recording: ContentRecording): Promise<void> {
  const derived = `${recording.audio}derived/`;
  const originals = new Map(recording.versions.map((version) => [version.sha256, version]));
  for (const [path, digest] of examination.sha256)
    if (path.startsWith(recording.audio) && !path.startsWith(derived) && !originals.has(digest))
      examination.fault('changed', path);
  const files = [...examination.files.keys()].filter((path) => path.startsWith(derived));
  const path = `${derived}derivation.json`;
  if (files.length === 0) return;
  const told = await examination.json<Derivations>(path);
  await examination.guarded(path, async () => {
    if (told === undefined) return;
    const explained = new Set([path]);
    for (const { file, sha256: digest, source } of told.derivations) {
      explained.add(`${derived}${file}`);
      const fits =
        examination.sha256.get(`${derived}${file}`) === digest &&
        originals.get(source.sha256)?.versionId === source.versionId;
      if (!fits || told.recordingId !== recording.id) examination.fault('derivation', path);
    }
    for (const file of files) if (!explained.has(file)) examination.fault('derivation', file);
  });
}

/** A token of the receipt is about one of these originals. @returns how many there are */
async function checkStamps(examination: Examination, recording: ContentRecording): Promise<number> {
  let stamps = 0;
  for (const [path, file] of examination.files) {
    if (!path.startsWith(recording.proofs) || !/\/ingest[^/]*\.tsr$/.test(path)) continue;
    const token = await file.read();
    if (!recording.versions.some((version) => holdsDigest(token, version.sha256))) examination.fault('proof', path);
    stamps += 1;
  }
  return stamps;
}
