import { createHash, randomBytes, verify, X509Certificate } from 'node:crypto';
import { der, dottedOf, element, objectIdentifier, readElements, readFirst, readGeneralizedTime, type Element } from './der.js';

/**
 * Time stamps (RFC 3161): another authority signs that a digest existed at some moment. What is kept is its whole answer,
 * as `openssl ts -verify -in` takes it. Whether the authority is to be trusted is for whoever checks: here it is proved only
 * that the answer is about our digest, and signed by the certificate that it brings along.
 */
export interface TimeStamp {
  /** TimeStampResp, DER. */
  response: Buffer;
  /** Which authority gave it: the host of its address. */
  authority: string;
  at: Date;
  /** The certificates in it, PEM: the signer's, and what of its chain the authority sends. */
  certificates: string[];
}

export interface TimeStamper {
  /**
   * A token over a SHA-256 (hex). Authorities are asked in turn until one answers rightly.
   * @throws TimeStampUnavailable when none does
   */
  stamp(sha256: string, signal?: AbortSignal): Promise<TimeStamp>;
}

/** No authority gave a usable token. Its message names hosts and faults, nothing else. */
export class TimeStampUnavailable extends Error {
  override readonly name = 'TimeStampUnavailable';
}

const oids = {
  sha256: '2.16.840.1.101.3.4.2.1',
  signedData: '1.2.840.113549.1.7.2',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
};
const digestNames: Record<string, string> = {
  [oids.sha256]: 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const answerLimitBytes = 256 * 1024;

/**
 * Asks the authorities at `urls` in their order, each for `timeoutMs` (10 s) at most. One that failed is asked last for the
 * next `restMs` (a minute): one that hangs would otherwise cost its ten seconds for each token.
 */
export function createTimeStamper(urls: readonly string[], timeoutMs = 10_000, restMs = 60_000): TimeStamper {
  const failedAtMs = new Map<string, number>();
  const rests = (url: string) => performance.now() < (failedAtMs.get(url) ?? -Infinity) + restMs;
  return {
    async stamp(sha256, signal) {
      const faults: string[] = [];
      for (const url of [...urls.filter((each) => !rests(each)), ...urls.filter(rests)]) {
        const authority = new URL(url).host;
        try {
          const nonce = randomBytes(8);
          const response = await ask(url, timeStampRequest(sha256, nonce), timeoutMs, signal);
          return { authority, ...readTimeStamp(response, sha256, nonce) };
        } catch (error) {
          signal?.throwIfAborted();
          failedAtMs.set(url, performance.now());
          faults.push(`${authority}: ${error instanceof Error ? error.message : 'failed'}`);
        }
      }
      throw new TimeStampUnavailable(faults.join('; '));
    },
  };
}

async function ask(url: string, request: Buffer, timeoutMs: number, signal: AbortSignal | undefined): Promise<Buffer> {
  const limit = AbortSignal.timeout(timeoutMs);
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/timestamp-query', Accept: 'application/timestamp-reply' },
    body: new Uint8Array(request),
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  });
  if (!answer.ok || answer.body === null) throw new Error(`answered ${answer.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > answerLimitBytes) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An integer whose content is the magnitude `bytes`. */
const positive = (bytes: Buffer) =>
  element(der.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);

/** TimeStampReq (RFC 3161 §2.4.1) over a SHA-256 (hex); the signer's certificate is asked for. */
export function timeStampRequest(sha256: string, nonce: Buffer): Buffer {
  const algorithm = element(der.sequence, objectIdentifier(oids.sha256), element(der.null));
  const imprint = element(der.sequence, algorithm, element(der.octets, Buffer.from(sha256, 'hex')));
  const wantsCertificate = element(der.boolean, Buffer.from([0xff]));
  return element(der.sequence, positive(Buffer.from([1])), imprint, positive(stripped(nonce)), wantsCertificate);
}

/** DER allows no needless zeros in front. */
function stripped(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? Buffer.alloc(1) : bytes.subarray(first);
}

const part = (parts: readonly Element[], index: number, tag: number): Element => {
  const found = parts[index];
  if (found === undefined || found.tag !== tag) throw new RangeError('its token has another form');
  return found;
};

/**
 * Reads an authority's answer and proves that it is a token over `sha256` (hex), signed by a certificate in it that is made
 * for time stamps and was valid then.
 * @throws Error that says what is wrong
 */
export function readTimeStamp(
  response: Buffer, sha256: string, nonce?: Buffer,
): Pick<TimeStamp, 'response' | 'at' | 'certificates'> {
  const [status, token] = readElements(readFirst(response).body);
  const granted = status === undefined ? undefined : readElements(status.body)[0]?.body;
  if (granted === undefined || granted.length !== 1 || (granted[0] !== 0 && granted[0] !== 1) || token === undefined)
    throw new Error('it refused the request');
  const { content, certificates, signer } = readSignedData(token);
  const info = readElements(readFirst(content).body);
  const imprint = readElements(part(info, 2, der.sequence).body);
  const algorithm = readElements(part(imprint, 0, der.sequence).body);
  if (dottedOf(part(algorithm, 0, der.oid).body) !== oids.sha256 || part(imprint, 1, der.octets).body.toString('hex') !== sha256)
    throw new Error('its token is about something else');
  const at = readGeneralizedTime(part(info, 4, der.time).body);
  const given = info.slice(5).find(({ tag }) => tag === der.integer);
  if (nonce !== undefined && (given === undefined || !stripped(given.body).equals(stripped(nonce))))
    throw new Error('its token answers another request');
  const certificate = certificates.find((each) => isSigner(each, signer, content, at));
  if (certificate === undefined) throw new Error('its token is not validly signed');
  return { response, at, certificates: certificates.map((each) => each.toString()) };
}

interface Signer {
  digest: string;
  signature: Buffer;
  /** As signed: with the tag of a set. */
  attributes: Buffer;
  messageDigest: Buffer;
}

/** CMS SignedData (RFC 5652 §5) around a TSTInfo. */
function readSignedData(token: Element): { content: Buffer; certificates: X509Certificate[]; signer: Signer } {
  const outer = readElements(token.body);
  if (dottedOf(part(outer, 0, der.oid).body) !== oids.signedData) throw new RangeError('its token has another form');
  const signed = readElements(readFirst(part(outer, 1, 0xa0).body).body);
  const wrapped = readElements(part(signed, 2, der.sequence).body);
  if (dottedOf(part(wrapped, 0, der.oid).body) !== oids.tstInfo) throw new RangeError('its token has another form');
  const content = readFirst(part(wrapped, 1, 0xa0).body).body;
  const bag = signed.slice(3).find(({ tag }) => tag === 0xa0);
  const certificates = bag === undefined ? [] : readElements(bag.body).filter(({ tag }) => tag === der.sequence);
  const infos = signed.at(-1);
  if (infos?.tag !== der.set) throw new RangeError('its token has another form');
  return {
    content,
    certificates: certificates.map(({ whole }) => new X509Certificate(whole)),
    signer: readSigner(readFirst(infos.body)),
  };
}

function readSigner(info: Element): Signer {
  const parts = readElements(info.body);
  const digest = digestNames[dottedOf(part(readElements(part(parts, 2, der.sequence).body), 0, der.oid).body)];
  const attributes = part(parts, 3, 0xa0);
  if (digest === undefined) throw new RangeError('its token is digested in an unknown way');
  const valueOf = (oid: string) => {
    const found = readElements(attributes.body)
      .map(({ body }) => readElements(body))
      .find(([name]) => name !== undefined && dottedOf(name.body) === oid);
    const values = found?.[1];
    return values === undefined ? undefined : readFirst(values.body).body;
  };
  const messageDigest = valueOf(oids.messageDigest);
  const contentType = valueOf(oids.contentType);
  if (messageDigest === undefined || contentType === undefined || dottedOf(contentType) !== oids.tstInfo)
    throw new RangeError('its token has another form');
  return {
    digest, messageDigest, signature: part(parts, 5, der.octets).body,
    attributes: Buffer.concat([Buffer.from([der.set]), attributes.whole.subarray(1)]),
  };
}

function isSigner(certificate: X509Certificate, signer: Signer, content: Buffer, at: Date): boolean {
  // What Node calls keyUsage are the extended key usages (RFC 5280 §4.2.1.12).
  const isMadeForIt = (certificate.keyUsage as string[] | undefined)?.includes(oids.timeStamping) === true;
  const isValid = new Date(certificate.validFrom) <= at && at <= new Date(certificate.validTo);
  const digest = createHash(signer.digest).update(content).digest();
  if (!isMadeForIt || !isValid || !digest.equals(signer.messageDigest)) return false;
  try {
    return verify(signer.digest, signer.attributes, certificate.publicKey, signer.signature);
  } catch {
    return false;
  }
}
