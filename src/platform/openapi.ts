import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { z } from 'zod';
import { mayBeMissing, type Operation } from './http.js';
import { problems, type ProblemCode } from './problem.js';

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]]),
    requestId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });

const always: readonly ProblemCode[] = ['invalid-request', 'internal-error', 'database-unavailable', 'shutting-down'];

/** The codes an operation may answer with, those that follow from its shape included. */
export function problemCodesOf(declared: Operation<never>): ProblemCode[] {
  return [
    ...always,
    ...(declared.action === 'open' ? [] : (['unauthenticated', 'forbidden'] as const)),
    ...(declared.method === 'get' ? [] : (['cross-site-request'] as const)),
    ...(declared.params === undefined ? [] : (['not-found'] as const)),
    ...(declared.query === undefined && declared.body === undefined ? [] : (['invalid-input'] as const)),
    ...(declared.body === undefined ? [] : (['too-large', 'unsupported-media-type'] as const)),
    ...(declared.problems ?? []),
  ];
}

function describe(declared: Operation<never>): ZodOpenApiOperationObject {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set(problemCodesOf(declared)))
    byStatus.set(problems[code].status, [...(byStatus.get(problems[code].status) ?? []), code]);
  const responses: ZodOpenApiOperationObject['responses'] = {};
  for (const [status, reply] of Object.entries(declared.replies))
    responses[status as `${1 | 2 | 3 | 4 | 5}${string}`] = {
      description: reply.description,
      ...(reply.schema === undefined
        ? {}
        : { content: { [reply.mediaType ?? 'application/json']: { schema: reply.schema } } }),
    };
  for (const [status, codes] of byStatus)
    responses[String(status) as `${1 | 2 | 3 | 4 | 5}${string}`] ??= {
      description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join('; '),
      content: { 'application/problem+json': { schema: problemSchema } },
    };
  return {
    operationId: declared.id,
    tags: [declared.tag],
    summary: declared.summary,
    ...(declared.description === undefined ? {} : { description: declared.description }),
    ...(declared.action === 'open' ? { security: [] } : {}),
    requestParams: {
      ...(declared.params === undefined ? {} : { path: declared.params }),
      ...(declared.query === undefined ? {} : { query: declared.query }),
    },
    ...(declared.body === undefined && declared.upload === undefined
      ? {}
      : {
          requestBody: {
            required: declared.body === undefined || !mayBeMissing(declared.body),
            content: declared.upload ?? { 'application/json': { schema: declared.body as z.ZodType } },
          },
        }),
    responses,
    'x-action': declared.action,
  };
}

/** The OpenAPI 3.1 document of `operations`, served under `basePath`. */
export function openApiDocument(operations: readonly Operation<never>[], basePath: string, version: string): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const declared of operations)
    paths[declared.path] = { ...paths[declared.path], [declared.method]: describe(declared) };
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'Opname',
      version,
      description: 'Call recordings and support tickets: kept as long as promised, listened to, retrieved, provably deleted.',
    },
    servers: [{ url: basePath }],
    security: [{ session: [] }, { bearer: [] }, { basic: [] }],
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'opname_session' },
        bearer: { type: 'http', scheme: 'bearer', description: 'A machine key' },
        basic: { type: 'http', scheme: 'basic', description: 'A machine key as the password' },
      },
    },
    paths,
  });
}
