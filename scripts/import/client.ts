import { setTimeout as sleep } from 'node:timers/promises';

/** What the import cannot mend by itself, in words for whoever runs it. */
export class Fault extends Error {}

export interface Answered {
  status: number;
  code: string;
  body: Record<string, unknown>;
}

/** How long the service may be away before the import ends; a restart, an update and a full disk are shorter. */
const mostAwayMs = 30 * 60_000;
/** How often one file is tried on which the service, answering, fails. */
const mostTries = 6;

/** How long the service asks to be left alone, in milliseconds; undefined when it does not say. */
function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 120) * 1000 : undefined;
}

/** The kernel's or TLS's name of what was wrong, which Node's fetch hides in the cause. */
const faultOf = (error: unknown): string => {
  const { cause, message } = error as { cause?: { code?: unknown; message?: unknown }; message?: unknown };
  return String(cause?.code ?? cause?.message ?? message);
};

/** The API as the import speaks it. */
export class Client {
  /** Since when the service has not answered, and how; undefined while it does. */
  away: { sinceMs: number; why: string } | undefined;

  constructor(readonly url: string, readonly headers: Record<string, string> = {}, readonly signal?: AbortSignal) {}

  async send(
    method: string,
    address: string,
    body?: string | FormData,
    type?: string,
  ): Promise<Answered & { cookie: string; againAfterMs: number | undefined }> {
    const response = await fetch(`${this.url}/api/v1${address}`, {
      method,
      // Where a proxy sends it elsewhere is not where a key or a recording is to go.
      redirect: 'manual',
      headers: { ...this.headers, ...(type === undefined ? {} : { 'Content-Type': type }) },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    let answered: Record<string, unknown> = {};
    try {
      answered = JSON.parse(text) as Record<string, unknown>;
    } catch {
      // A proxy's page, or nothing: the status is what counts.
    }
    const cookie = response.headers.getSetCookie().map((each) => each.split(';')[0]).join('; ');
    const code = typeof answered['code'] === 'string' ? answered['code'] : String(response.status);
    return { status: response.status, code, body: answered, cookie, againAfterMs: retryAfterMs(response) };
  }

  /**
   * Tries again while the service is away or busy.
   * @param body made anew for each try
   * @throws Fault when the key is wrong, something else answers, or nobody has for half an hour: then nothing will go
   */
  async patiently(method: string, address: string, body: () => Promise<string | FormData>, type?: string): Promise<Answered> {
    for (let tries = 1; ; tries += 1) {
      let why = '';
      const answer = await this.send(method, address, await body(), type).catch((error: unknown) => {
        why = faultOf(error);
        return undefined;
      });
      if (answer?.status === 401 || answer?.status === 403) throw new Fault(`The service does not take this key (${answer.code}).`);
      if (answer !== undefined && ((answer.status >= 300 && answer.status < 400) || answer.status === 404 || answer.status === 405))
        throw new Fault(`There is something else than Opname at ${this.url} (${answer.status}).`);
      const isAway = answer === undefined || [429, 502, 503, 504].includes(answer.status);
      if (!isAway) {
        this.away = undefined;
        const isItsFault = answer.status >= 500 || answer.status === 408;
        if (!isItsFault || tries >= mostTries) return answer;
      } else {
        this.away ??= { sinceMs: performance.now(), why: answer === undefined ? why : answer.code };
        if (performance.now() - this.away.sinceMs > mostAwayMs)
          throw new Fault(`Opname has not answered at ${this.url} for half an hour (${this.away.why}).`);
      }
      const waitMs = Math.max(answer?.againAfterMs ?? 0, Math.min(500 * 2 ** tries, 30_000));
      // Not all at the same moment, when it is back.
      await sleep(waitMs * (0.75 + Math.random() / 2), undefined, this.signal === undefined ? {} : { signal: this.signal });
    }
  }
}

export interface Access {
  client: Client;
  /** Revokes the key if it was made for this import. */
  close(): Promise<void>;
}

const keyName = 'Import';

/** Asked before anything else: a mistyped address is told at once. @throws Fault */
async function requireService(url: string): Promise<void> {
  const answer = await fetch(`${url}/healthz`, { redirect: 'manual' }).catch((error: unknown) => {
    throw new Fault(`Opname is not reached at ${url} (${faultOf(error)}).`);
  });
  if (answer.status !== 200) throw new Fault(`There is something else than Opname at ${url} (${answer.status}).`);
}

async function administratorAt(url: string, email: string, password: string): Promise<Client> {
  const session = await new Client(url).send('POST', '/session', JSON.stringify({ email, password }), 'application/json');
  if (session.status !== 200) throw new Fault('The administrator could not sign in.');
  return new Client(url, { Cookie: session.cookie });
}

interface ListedKey {
  id: string;
  name: string;
  state: string;
  sourceId: string;
}

/**
 * A client with the key that was given, or with one that is made for this import and revoked behind it, as are those of
 * imports of this source that were killed.
 * @throws Fault in words
 */
export async function signIn(
  url: string,
  told: { key: string | undefined; source: string | undefined; email: string | undefined; password: string | undefined; usage: string },
  signal: AbortSignal,
): Promise<Access> {
  const withKey = (key: string) => new Client(url, { Authorization: `Bearer ${key}` }, signal);
  await requireService(url);
  if (told.key !== undefined) return { client: withKey(told.key), close: () => Promise.resolve() };
  const { source, email, password } = told;
  if (source === undefined || email === undefined || password === undefined) throw new Fault(told.usage);
  const administrator = await administratorAt(url, email, password);
  const wanted = JSON.stringify({ name: keyName, role: 'pbx', source });
  const made = await administrator.send('POST', '/keys', wanted, 'application/json');
  if (made.status !== 201) throw new Fault(`No key could be made for this source (${made.code}).`);
  const sourceId = String(made.body['sourceId']);
  return {
    client: withKey(String(made.body['key'])),
    async close() {
      // Hours may have gone by, and the session with them.
      const later = await administratorAt(url, email, password);
      const listed = await later.send('GET', '/keys');
      const keys = Array.isArray(listed.body['items']) ? (listed.body['items'] as ListedKey[]) : [];
      const ours = keys.filter((key) => key.name === keyName && key.state !== 'revoked' && key.sourceId === sourceId);
      const ids = new Set([String(made.body['id']), ...ours.map((key) => key.id)]);
      for (const id of ids) {
        const gone = await later.send('DELETE', `/keys/${id}`);
        if (gone.status !== 204) throw new Fault(`The key "${keyName}" of ${source} could not be revoked: do so in Opname.`);
      }
    },
  };
}
