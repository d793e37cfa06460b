import { signal } from '@preact/signals';

/** One wrong field as the service tells it. */
export interface FieldFault {
  path: string;
  message: string;
}

/** What went wrong with a request: the service's problem document, or `network` when it was not reached. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly requestId: string | undefined,
    readonly document: Record<string, unknown>,
  ) {
    super(code);
    this.name = 'ApiProblem';
  }

  get faults(): FieldFault[] {
    return Array.isArray(this.document['errors']) ? (this.document['errors'] as FieldFault[]) : [];
  }

  /** A text member of the problem document, such as `detail` or `deletedAt`. */
  member(name: string): string | undefined {
    const value = this.document[name];
    return typeof value === 'string' ? value : undefined;
  }
}

/** Counts up each time the service says that nobody is signed in any more. */
export const signedOut = signal(0);

export type Query = Record<string, string | number | boolean | undefined>;

interface Options {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
}

/** The address of a route of the service, for `<audio>` and the like. */
export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  return `/api/v1${path}${search.size > 0 ? `?${search.toString()}` : ''}`;
}

/** Asks the service. Throws `ApiProblem`, or the `AbortError` of its signal. */
export async function ask<Answer>(path: string, options: Options = {}): Promise<Answer> {
  const response = await reach(path, options);
  if (response.status === 204 || options.method === 'HEAD') return undefined as Answer;
  return (await response.json()) as Answer;
}

/** Asks for a file and gives it to the browser to save, by the name that the service has for it. Throws `ApiProblem`. */
export async function saveFile(path: string, options: Options = {}): Promise<void> {
  const response = await reach(path, options);
  const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name ?? '';
  link.click();
  // The browser has taken the file by the time that the next task runs; what stays would stay until the page goes.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

async function reach(path: string, { method = 'GET', query, body, signal: abort }: Options): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address(path, query), {
      method,
      credentials: 'same-origin',
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(abort ? { signal: abort } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem(0, 'network', undefined, {});
  }
  if (response.ok) return response;
  const problem = await readProblem(response);
  if (problem.status === 401 && path !== '/session') signedOut.value += 1;
  throw problem;
}

async function readProblem(response: Response): Promise<ApiProblem> {
  const document: Record<string, unknown> = await response.json().catch(() => ({}));
  const retryAfter = response.headers.get('retry-after');
  if (retryAfter !== null) document['retryAfter'] = retryAfter;
  const code = typeof document['code'] === 'string' ? document['code'] : `http-${response.status}`;
  const requestId = document['requestId'] ?? response.headers.get('x-request-id');
  return new ApiProblem(response.status, code, typeof requestId === 'string' ? requestId : undefined, document);
}
