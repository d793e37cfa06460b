import { createHash, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { latestBatch, batchStatement } from '../audit/batch.js';
import { canonicalBytes } from '../audit/canonical.js';
import { publishedKeys } from '../audit/keys.js';
import { inclusionProofs, type InclusionProof } from '../audit/proof.js';
import type { Sealer } from '../audit/seal.js';
import { organisationOf } from '../access/organisation.js';
import type { Bag } from '../packages/bag.js';
import { addCopy, addFile, fetchOriginal } from '../packages/originals.js';
import type { PackageRow } from '../packages/package.js';
import type { Filled, PackageKind, SealWork, Sealing } from '../packages/seal.js';
import { contentsPath, type ContentRecording, type Contents, type Derivation } from '../packages/verifier/layout.js';
import { fingerprint } from '../platform/signing.js';
import { TimeStampUnavailable, type TimeStamper } from '../platform/time-stamp.js';
import type { VersionRow } from '../recordings/recording.js';
import { agreementsOf, type AgreementRow } from './agreement.js';
import { copiesOf } from './copies.js';
import { custodyOf, type Custody } from './custody.js';
import { ingestStampsOf, stampVersions } from './ingest-stamps.js';
import type { EvidenceRequest } from './order-evidence.js';
import { dutchReadMe, englishReadMe } from './read-me.js';
import { writeRecords, type Packed } from './records.js';

/**
 * What goes into an evidence package: the passages agreed upon (or, where none is marked, a masked copy of the whole), the
 * originals when they were asked for, what is known of each recording, and the proof that each was received as it is.
 */

type EvidenceSealing = Omit<Sealing, 'kinds'> & { sealer: Sealer };

export function evidenceKind(sealing: EvidenceSealing): PackageKind {
  return { kind: 'evidence', fill: (row, bag, work) => new Filling(sealing, row, bag, work).fill() };
}

/** One package being filled. */
class Filling {
  readonly #missing: string[] = [];
  readonly #certificates = new Set<string>();
  readonly #statements: string[] = [];
  readonly #receipts: { path: string; sha256: string }[] = [];
  #sealedAt: Date;
  /** Undefined where none is configured, and once none answered: this package then waits for none a second time. */
  #timeStamper: TimeStamper | undefined;
  /** As they stood when custody was read, withdrawn ones too. */
  #agreements: ReadonlyMap<string, AgreementRow[]> = new Map();
  readonly #request: EvidenceRequest;

  constructor(
    private readonly sealing: EvidenceSealing,
    private readonly row: PackageRow,
    private readonly bag: Bag,
    private readonly work: SealWork,
  ) {
    this.#request = row.request as unknown as EvidenceRequest;
    this.#sealedAt = work.at;
  }

  async fill(): Promise<Filled> {
    const { bag, row, sealing, work } = this;
    const { database } = sealing.platform;
    // What is not sealed into the chain yet cannot be proved to be in it.
    await sealing.sealer.seal({ signal: work.signal });
    // After the chain: what is proved was there before the package.
    this.#sealedAt = sealing.platform.clock.now();
    const sealedUpTo = (await latestBatch(database))?.last_id ?? 0;
    const trails: Custody[] = [];
    for (const id of row.recordingIds) trails.push(await custodyOf(database, id, sealedUpTo));
    this.#agreements = await agreementsOf(database, row.recordingIds, { all: true });
    await this.#refuseLate(sealedUpTo);
    this.#timeStamper = await this.#answering();
    // All at once, so that all of them lead to one and the same head.
    const proofs = await inclusionProofs(database, trails.flatMap(({ entryIds }) => entryIds));
    const recordings: ContentRecording[] = [];
    for (const [index, custody] of trails.entries()) {
      work.signal.throwIfAborted();
      recordings.push(await this.#addRecording(index, custody, proofs));
    }
    await this.#addChain([...proofs.values()][0]);
    const timeStamped = this.#timeStamper !== undefined;
    if (this.#certificates.size > 0)
      await bag.addText('data/proofs/tsa-chain.pem', [...this.#certificates].map((pem) => `${pem.trim()}\n`).join(''));
    const contents: Contents = {
      format: 'opname-package/1', kind: row.kind, reference: row.reference, scope: this.#request.scope,
      sealedAt: this.#sealedAt.toISOString(), recordings, missing: this.#missing,
    };
    await bag.addJson(contentsPath, contents);
    // Of what was corrected while the package was made, its records would tell and custody would not.
    await this.#refuseLate(sealedUpTo);
    return {
      ...(await this.#frame(timeStamped)), missing: this.#missing, certificates: timeStamped ? this.#certificates : undefined,
    };
  }

  /**
   * @throws when something that the package tells of (a receipt, a correction, an agreement, a hold, this order) is not sealed
   * into the chain yet: then it is made anew in a moment
   */
  async #refuseLate(sealedUpTo: number): Promise<void> {
    const [late] = await this.sealing.platform.database.query<{ id: number }>(
      `SELECT id FROM audit_entries WHERE object_id = ANY ($1::text[]) AND object_type = 'recording' AND id > $2
         AND (action = 'recording.received' OR action LIKE 'agreement.%' OR action LIKE 'hold.%'
           OR details ->> 'changeId' IS NOT NULL OR details ->> 'packageId' = $3) LIMIT 1`,
      [this.row.recordingIds, sealedUpTo, this.row.id],
    );
    if (late !== undefined) throw new Error('what belongs in this package is not sealed into the audit chain yet');
  }

  async #addRecording(
    index: number, custody: Custody, proofs: ReadonlyMap<number, InclusionProof>,
  ): Promise<ContentRecording> {
    const packed = await this.#load(index, custody);
    const { versions, place } = packed;
    await this.#addAudio(packed);
    this.#statements.push(...(await writeRecords(this.sealing.platform, this.bag, packed)));
    const found = custody.entryIds.flatMap((id) => proofs.get(id) ?? []);
    const inclusion = `${place.proofs}inclusion.json`;
    const proven = new Set(found.map((proof) => proof.entry.action === 'recording.received' && proof.entry.details['versionId']));
    // A receipt older than the trail's own period is gone from it: that is said, not hidden.
    if (versions.some(({ id }) => !proven.has(id))) this.#missing.push(inclusion);
    else await this.bag.addJson(inclusion, { proofs: found });
    return {
      id: packed.recording.id,
      ...place,
      versions: versions.map((version) => ({
        versionId: version.id, number: version.number ?? 0, sha256: version.sha256, bytes: version.bytes,
        receivedAt: version.received_at.toISOString(),
      })),
      custody: { entries: custody.entries, head: custody.head },
    };
  }

  async #load(index: number, custody: Custody): Promise<Packed> {
    const { database } = this.sealing.platform;
    const recordingId = this.row.recordingIds[index];
    const [recording] = await database.query<Packed['recording']>(
      'SELECT r.*, s.name AS source_name FROM recordings r JOIN sources s ON s.id = r.source_id WHERE r.id = $1', [recordingId],
    );
    if (recording === undefined || recordingId === undefined) throw new Error('a recording of this package is gone');
    const versions = await database.query<VersionRow>(
      'SELECT * FROM recording_versions WHERE recording_id = $1 AND number IS NOT NULL ORDER BY number', [recordingId],
    );
    const agreements = this.#agreements.get(recording.id) ?? [];
    // One recording stands alone; of several each has folders of its own.
    const own = this.row.recordingIds.length === 1 ? '' : `${String(index + 1).padStart(3, '0')}/`;
    return {
      recording,
      versions,
      custody,
      agreements: agreements.filter((agreement) => agreement.withdrawnAt === null),
      withdrawn: agreements.filter((agreement) => agreement.withdrawnAt !== null),
      place: { audio: `data/audio/${own}`, records: `data/records/${own}`, proofs: `data/proofs/${own}` },
    };
  }

  async #addAudio(packed: Packed): Promise<void> {
    const { versions, place, recording } = packed;
    if (this.#timeStamper !== undefined) {
      const given = await stampVersions(this.sealing.platform, this.#timeStamper, versions, this.work.signal);
      if (!given) this.#timeStamper = undefined;
    }
    const stamps = await ingestStampsOf(this.sealing.platform, versions.map((version) => version.id));
    const orders = await copiesOf(
      this.sealing.platform.database, recording, versions, this.#agreements, this.#request.masks ?? [],
    );
    const derivations: Derivation[] = [];
    for (const version of versions) {
      const suffix = version === versions.at(-1) ? '' : `-v${version.number}`;
      const stamp = stamps.get(version.id);
      if (stamp !== undefined) {
        const path = `${place.proofs}ingest${suffix}.tsr`;
        await this.bag.add(path, stamp.response, stamp.response.length);
        this.#receipts.push({ path, sha256: version.sha256 });
        for (const certificate of stamp.certificates) this.#certificates.add(certificate);
      }
      const copies = orders.get(version.id) ?? [];
      const wantsOriginal = this.#request.scope === 'full';
      if (copies.length === 0 && !wantsOriginal) continue;
      const originalPath = `${place.audio}original${suffix}.${version.file_extension}`;
      const original = await fetchOriginal(this.sealing.platform, version, this.work);
      if (original === undefined) {
        const unmade = copies.map(({ file }) => `${place.audio}derived/${file}`);
        this.#missing.push(...(wantsOriginal ? [originalPath] : []), ...unmade);
        continue;
      }
      if (wantsOriginal) await addFile(this.bag, originalPath, original);
      for (const order of copies) {
        const made = await addCopy(
          this.bag, { ffmpeg: this.sealing.ffmpeg, original, version }, `${place.audio}derived/`, order, this.work,
        );
        if (made === undefined) this.#missing.push(`${place.audio}derived/${order.file}`);
        else derivations.push(made);
      }
      await rm(original, { force: true });
    }
    if (derivations.length > 0)
      await this.bag.addJson(`${place.audio}derived/derivation.json`, {
        format: 'opname-derivation/1', recordingId: recording.id, derivations,
      });
  }

  async #addChain(proof: InclusionProof | undefined): Promise<void> {
    const { database } = this.sealing.platform;
    await this.bag.addJson('data/proofs/keys.json', { keys: await publishedKeys(database) });
    const tip = await latestBatch(database);
    const head = proof?.tip ?? (tip === undefined ? undefined : {
      statement: batchStatement(tip), keyId: tip.key_id, signature: tip.signature.toString('base64'),
    });
    if (head === undefined) throw new Error('the audit chain is empty');
    const { batch, count, signedAt } = head.statement;
    await this.bag.addJson('data/proofs/chain-head.json', {
      count, head: createHash('sha256').update(canonicalBytes(head.statement)).digest('hex'), batch, signedAt, ...head,
    });
  }

  /**
   * The authorities, if one of them answers now. The certificates it signs with must lie under the very signature that its
   * token will be over, so they are learned from a token over nothing in particular.
   */
  async #answering(): Promise<TimeStamper | undefined> {
    const { timeStamper } = this.sealing;
    if (timeStamper === undefined) return undefined;
    try {
      const probe = await timeStamper.stamp(createHash('sha256').update(randomUUID()).digest('hex'), this.work.signal);
      for (const certificate of probe.certificates) this.#certificates.add(certificate);
      return timeStamper;
    } catch (error) {
      if (!(error instanceof TimeStampUnavailable)) throw error;
      this.sealing.platform.log.warn({ fault: error.message, packageId: this.row.id }, 'sealed without a time stamp');
      return undefined;
    }
  }

  async #frame(timeStamped: boolean): Promise<Pick<Filled, 'info' | 'files'>> {
    const { controller } = await organisationOf(this.sealing.platform.database);
    const { keyId } = this.sealing.signingKey;
    const facts = {
      reference: this.row.reference, controller, recipient: this.row.recipient, sealedAt: this.#sealedAt,
      scope: this.#request.scope, keyId, fingerprint: fingerprint(keyId), timeZone: this.sealing.timeZone,
      timeStamped, receipts: this.#receipts, statements: this.#statements, missing: this.#missing,
    };
    const unavailable = this.sealing.timeStamper !== undefined && !timeStamped;
    return {
      info: [
        ['External-Description', `Evidence of agreements, scope ${this.#request.scope}`],
        ['Recipient', this.row.recipient],
        ...(unavailable ? [['Time-Stamp-Unavailable', 'no authority answered'] as const] : []),
      ],
      files: [
        { name: 'README.nl.txt', text: dutchReadMe(facts) },
        { name: 'README.en.txt', text: englishReadMe(facts) },
      ],
    };
  }
}
