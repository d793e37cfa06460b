/**
 * The one error class and the one registry of error codes (RFC 9457).
 *
 * A `Problem` is what a caller may be told. Anything else that is thrown is an internal fault and leaves the
 * service as `internal-error` without its message.
 */

/** Every code the service answers with: its HTTP status and its title. The OpenAPI document lists the same. */
export const problems = {
  'invalid-request': { status: 400, title: 'The request cannot be read' },
  unauthenticated: { status: 401, title: 'Who is calling is not known' },
  'wrong-credentials': { status: 401, title: 'E-mail address, password or code is wrong' },
  forbidden: { status: 403, title: 'This role may not do this' },
  'cross-site-request': { status: 403, title: 'A change asked for by another site' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'This address does not take this method' },
  conflict: { status: 409, title: 'This does not fit the present state' },
  'changed-meanwhile': { status: 409, title: 'It was changed since it was looked at' },
  'not-ready': { status: 409, title: 'The playback copy is not there yet' },
  'not-switched-on': { status: 409, title: 'This use is off: no act that allows it is on record' },
  quarantined: { status: 409, title: 'This file has not been found free of malware' },
  'retention-ended': { status: 410, title: 'Deleted according to its retention period' },
  'too-large': { status: 413, title: 'Larger than the limit' },
  'unsupported-media-type': { status: 415, title: 'This media type is not taken here' },
  'range-not-satisfiable': { status: 416, title: 'The range lies outside the file' },
  'invalid-input': { status: 422, title: 'Some fields are wrong' },
  'not-audio': { status: 422, title: 'This is not audio' },
  'empty-recording': { status: 422, title: 'There is no audio in this file' },
  'digest-mismatch': { status: 422, title: 'The bytes do not have the digest that was given' },
  'retention-over': { status: 422, title: 'The retention period of this recording is already over' },
  'direction-not-covered': { status: 422, title: 'Calls in this direction are not covered by the privacy statement' },
  'number-excluded': { status: 422, title: 'A number that is excluded from recording takes part in this call' },
  'too-many-attempts': { status: 429, title: 'Too many attempts' },
  'internal-error': { status: 500, title: 'Something went wrong here' },
  'storage-unavailable': { status: 503, title: 'The storage cannot be reached' },
  'database-unavailable': { status: 503, title: 'The database cannot be reached' },
  'too-busy': { status: 503, title: 'Too many uploads at once' },
  'disk-low': { status: 503, title: 'There is too little disk space to take this' },
  'shutting-down': { status: 503, title: 'The service is stopping' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

/** One wrong field: a JSON path such as `messages.0.at`, and what is wrong with it. Never its value. */
export interface FieldFault {
  path: string;
  message: string;
}

export interface ProblemOptions {
  /** What to tell the caller beyond the title. Never personal data. */
  detail?: string;
  errors?: FieldFault[];
  /** Extra response headers, such as `Retry-After`. */
  headers?: Record<string, string>;
  /** Extra members of the problem document (RFC 9457 §3.2), such as `deletedAt`. */
  members?: Record<string, unknown>;
  cause?: unknown;
}

/** An error that a caller may see. `code` is stable; `detail` is for people. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly errors: FieldFault[] | undefined;
  readonly headers: Record<string, string>;
  readonly members: Record<string, unknown>;

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.detail ?? problems[code].title, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.status = problems[code].status;
    this.title = problems[code].title;
    this.detail = options.detail;
    this.errors = options.errors;
    this.headers = { ...(this.status === 503 ? { 'Retry-After': '10' } : {}), ...options.headers };
    this.members = options.members ?? {};
  }
}

/**
 * The RFC 9457 document of a problem. `requestId` is what a person quotes when asking for help. `detail` is always
 * there, since clients print it: where there is no more to say, it repeats the title.
 */
export function problemDocument(problem: Problem, requestId: string): Record<string, unknown> {
  return {
    type: `urn:opname:problem:${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.detail ?? `${problem.title}.`,
    code: problem.code,
    requestId,
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
    ...problem.members,
  };
}
