import { randomUUID } from 'node:crypto';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import type { z } from 'zod';
import type { Log } from './log.js';
import { Problem, problemDocument, type FieldFault, type ProblemCode } from './problem.js';

/**
 * One operation of the API, declared once: what it takes, who may use it, what it answers. The router, the
 * OpenAPI document and the permissions test all read the same declaration.
 *
 * Every request takes the same path: authenticate → may this role ever? → parse → `handle`, where the thing itself is
 * loaded in the caller's scope, the policy is asked about its facts, and a domain verb is called.
 */
export interface Operation<Caller> {
  method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** As OpenAPI writes it, below the base path: `/recordings/{id}`. */
  path: string;
  id: string;
  tag: string;
  summary: string;
  description?: string;
  /** The row of the policy table that says who may use it; `open` needs nobody to be known (`security: []`). */
  action: string;
  params?: z.ZodObject;
  query?: z.ZodObject;
  /** A JSON body; it may be missing where the schema takes `undefined`. Other kinds are read by the handler, see `upload`. */
  body?: z.ZodType;
  bodyLimitBytes?: number;
  upload?: Record<string, { schema: z.ZodType }>;
  replies: Record<number, Reply>;
  /** Codes it answers with beyond those that every operation may give. */
  problems?: readonly ProblemCode[];
  handle(call: Call<Caller>): Promise<Answer | undefined>;
}

interface Reply {
  description: string;
  schema?: z.ZodType;
  /** Of replies that are not JSON. */
  mediaType?: string;
}

/** What a handler is given: the caller, checked input, and the bare request for streams. */
export interface Call<Caller, Params = unknown, Query = unknown, Body = unknown> {
  caller: Caller;
  params: Params;
  query: Query;
  body: Body;
  requestId: string;
  request: Request;
  response: Response;
  /** Aborted when the client goes away before the answer is out. */
  signal: AbortSignal;
}

/** A JSON answer. A handler that has answered by itself (a stream) returns undefined. */
export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** Declares an operation with its input types inferred from its schemas. */
export function operation<
  Caller,
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(
  declared: Omit<Operation<Caller>, 'params' | 'query' | 'body' | 'handle'> & {
    params?: Params;
    query?: Query;
    body?: Body;
    handle(call: Call<Caller, Output<Params>, Output<Query>, Output<Body>>): Promise<Answer | undefined>;
  },
): Operation<Caller> {
  return declared as unknown as Operation<Caller>;
}

/** What the router asks of the feature that knows who people and machines are. */
export interface Gate<Caller> {
  /** Who is calling, told from headers, cookie or path alone. @throws Problem `unauthenticated`, `cross-site-request` */
  identify(request: Request): Promise<Caller | undefined>;
  /** @throws Problem `forbidden` when this caller may never use this operation, `unauthenticated` when nobody is known. */
  admit(caller: Caller | undefined, operation: Operation<Caller>): void;
  /** A pseudonym of the caller for the access log. */
  label(caller: Caller | undefined): string | undefined;
}

// Characters that PostgreSQL cannot store (NUL) or that are no Unicode (lone surrogates): refused at the door.
const unstorable = /[\0]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

function findUnstorable(value: unknown, path: string[], faults: FieldFault[]): void {
  if (typeof value === 'string') {
    if (unstorable.test(value)) faults.push({ path: path.join('.'), message: 'holds characters that are not text' });
  } else if (Array.isArray(value)) value.forEach((item, index) => findUnstorable(item, [...path, String(index)], faults));
  else if (value !== null && typeof value === 'object' && !(value instanceof Date))
    for (const [name, item] of Object.entries(value)) findUnstorable(item, [...path, name], faults);
}

/**
 * Checks `input` against `schema`.
 * @throws Problem `invalid-input` with a path and a message per fault; the values themselves are never repeated.
 */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const faults: FieldFault[] = [];
  findUnstorable(input, [], faults);
  const parsed = schema.safeParse(input);
  if (!parsed.success)
    for (const issue of parsed.error.issues) faults.push({ path: issue.path.map(String).join('.'), message: issue.message });
  if (faults.length > 0 || !parsed.success) throw new Problem('invalid-input', { errors: faults });
  return parsed.data;
}

/** The route pattern Express knows for an OpenAPI path. */
const expressPath = (path: string) => path.replace(/\{(\w+)\}/g, ':$1');

/** A router that serves `operations`, and answers 405 for their paths' other methods. */
export function createRouter<Caller>(operations: readonly Operation<Caller>[], gate: Gate<Caller>): Router {
  const router = express.Router({ caseSensitive: true });
  for (const declared of operations) {
    const readJson = express.json({ limit: declared.bodyLimitBytes ?? 1024 * 1024, strict: false });
    router[declared.method](expressPath(declared.path), (request, response, next) => {
      serve(declared, readJson, gate, request, response).catch(next);
    });
  }
  for (const path of new Set(operations.map((declared) => declared.path))) {
    const methods = operations.filter((declared) => declared.path === path).map((declared) => declared.method.toUpperCase());
    router.all(expressPath(path), () => {
      throw new Problem('method-not-allowed', { headers: { Allow: methods.join(', ') } });
    });
  }
  router.use(() => {
    throw new Problem('not-found');
  });
  return router;
}

async function serve<Caller>(
  declared: Operation<Caller>,
  readJson: express.RequestHandler,
  gate: Gate<Caller>,
  request: Request,
  response: Response,
): Promise<void> {
  response.locals['operation'] = declared.id;
  response.set('Cache-Control', 'no-store');
  const caller = await gate.identify(request);
  response.locals['caller'] = gate.label(caller);
  gate.admit(caller, declared);
  if (declared.body !== undefined) {
    await new Promise<void>((resolve, reject) => {
      readJson(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error as Error)));
    });
    if (request.body === undefined && (sendsBody(request) || !mayBeMissing(declared.body)))
      throw new Problem('unsupported-media-type', { detail: 'Send JSON with Content-Type: application/json.' });
  }
  const answer = await declared.handle({
    caller: caller as Caller,
    params: declared.params === undefined ? undefined : parsePath(declared.params, request.params),
    query: declared.query === undefined ? undefined : parse(declared.query, request.query),
    body: declared.body === undefined ? undefined : parse(declared.body, request.body),
    requestId: requestIdOf(response),
    request,
    response,
    signal: goneSignal(response),
  });
  if (answer === undefined) return;
  response.status(answer.status).set(answer.headers ?? {});
  if (answer.body === undefined) response.end();
  else response.json(answer.body);
}

/** Does `schema` describe a body that may be left out? */
export const mayBeMissing = (schema: z.ZodType) => schema.safeParse(undefined).success;

/** RFC 9112 §6: a body is announced by its length or its transfer coding. */
const sendsBody = (request: Request) =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;

/** An id that cannot exist names nothing: 404, not 422. */
function parsePath(schema: z.ZodObject, params: unknown): unknown {
  const parsed = schema.safeParse(params);
  if (!parsed.success) throw new Problem('not-found');
  return parsed.data;
}

function goneSignal(response: Response): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** The id of the request being answered. */
export function requestIdOf(response: Response): string {
  return String(response.locals['requestId']);
}

/** What is known of a request once it is answered: for the access log and the metrics. Never its address. */
export interface Answered {
  requestId: string;
  method: string;
  operation: string;
  status: number;
  durationMs: number;
  caller: string | undefined;
}

/** Gives each request an id, and reports it when it is over (answered or given up). */
export function trackRequests(report: (answered: Answered) => void): express.RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    response.locals['requestId'] = randomUUID();
    response.set('X-Request-Id', requestIdOf(response));
    response.once('close', () => {
      report({
        requestId: requestIdOf(response),
        method: request.method,
        operation: String(response.locals['operation'] ?? 'none'),
        status: response.writableFinished ? response.statusCode : 499,
        durationMs: Math.round(performance.now() - startedAt),
        caller: response.locals['caller'] as string | undefined,
      });
    });
    next();
  };
}

/** What a thrown thing looks like to the caller. Anything unforeseen becomes `internal-error`, its message kept inside. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  // body-parser and Express mark what the client did wrong with a `status` and a `type`.
  const { status, type } = (error ?? {}) as { status?: unknown; type?: unknown };
  if (type === 'entity.too.large') return new Problem('too-large');
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') return new Problem('unsupported-media-type');
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new Problem('invalid-request', { detail: 'The address or the body cannot be decoded.' });
  return new Problem('internal-error', { cause: error });
}

/** A client that is still sending reads the answer only afterwards, so the rest of its body is read and thrown away. */
const lingerMs = 30_000;

function lingerBriefly(request: Request, response: Response): void {
  request.unpipe();
  request.resume();
  response.once('finish', () => {
    const timer = setTimeout(() => request.socket.destroy(), lingerMs);
    timer.unref();
    request.once('close', () => clearTimeout(timer));
    request.once('end', () => clearTimeout(timer));
  });
}

/** Answers every error as a problem document. Unforeseen ones are logged with the request id the caller is given. */
export function answerProblems(log: Log): express.ErrorRequestHandler {
  return (error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const problem = toProblem(error);
    const requestId = requestIdOf(response);
    if (problem.status >= 500)
      log.error({ requestId, operation: response.locals['operation'], code: problem.code, error: problem.cause ?? error }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (!request.complete) lingerBriefly(request, response);
    response
      .status(problem.status)
      .set(problem.headers)
      .type('application/problem+json')
      .send(JSON.stringify(problemDocument(problem, requestId)));
  };
}
