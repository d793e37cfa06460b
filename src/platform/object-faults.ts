/**
 * What an error of an S3 client means. Decided on the error's name and the HTTP status alone: servers in the field
 * (Ceph, for one) send no message worth reading, and messages can quote keys.
 */
import { Problem } from './problem.js';

interface Fault {
  name?: unknown;
  code?: unknown;
  syscall?: unknown;
  $metadata?: { httpStatusCode?: unknown };
}

export function statusOf(error: unknown): number | undefined {
  const status = (error as Fault | null)?.$metadata?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}

export function nameOf(error: unknown): string {
  const name = (error as Fault | null)?.name;
  return typeof name === 'string' ? name : '';
}

/** The object, or this version of it, is not there. A bucket that is not there is something else: a fault. */
export function isMissing(error: unknown): boolean {
  if (nameOf(error) === 'NoSuchBucket') return false;
  return statusOf(error) === 404 || ['NoSuchKey', 'NotFound', 'NoSuchVersion'].includes(nameOf(error));
}

/** The server says that it does not do this at all. */
export function isUnsupported(error: unknown): boolean {
  return statusOf(error) === 501 || statusOf(error) === 405 || nameOf(error) === 'NotImplemented';
}

/** A condition of the request (If-None-Match) does not hold. */
export function isPreconditionRefusal(error: unknown): boolean {
  return statusOf(error) === 412 || nameOf(error) === 'PreconditionFailed';
}

/** The server noticed that the bytes are not the ones announced. */
export function isDigestRefusal(error: unknown): boolean {
  return statusOf(error) === 400 && /Digest|Checksum|SHA256Mismatch/.test(nameOf(error));
}

const localCalls = ['open', 'read', 'stat', 'fstat', 'close'];
/** A connection that breaks is told as a failed `read` too: storage closed it while it was idle, or a router forgot it. */
const brokenLines = ['ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE', 'ENOTCONN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN'];

/** Our own file could not be read: nothing that storage did. */
function isLocal(error: unknown): boolean {
  const { syscall, code } = (error ?? {}) as Fault;
  return localCalls.includes(String(syscall)) && !brokenLines.includes(String(code));
}

/** Trying once more may help: no answer, an answer of 5xx or "slow down", or bytes that changed on the way. */
export function isPassing(error: unknown): boolean {
  if (isUnsupported(error) || isPreconditionRefusal(error) || error instanceof Problem) return false;
  if (isLocal(error)) return false;
  const status = statusOf(error);
  return status === undefined || status >= 500 || status === 408 || status === 429 || isDigestRefusal(error);
}

/**
 * The `Problem` of a storage that is away, full, too slow, or will not let us in; anything else as it is. Where the
 * caller itself gave up, its own reason.
 */
export function asProblem(error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof Problem) return error;
  if (signal?.aborted) return signal.reason;
  const isRefusal = statusOf(error) === 401 || statusOf(error) === 403 || nameOf(error) === 'NoSuchBucket';
  return isPassing(error) || isRefusal ? new Problem('storage-unavailable', { cause: error }) : error;
}
