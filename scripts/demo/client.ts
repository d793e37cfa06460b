/** Someone or something that talks to the service through its API, as a browser, a PBX or a helpdesk would. */
export class Client {
  /** @param stopping once it is aborted nothing more is asked; what was asked is waited for, so that nothing is cut off */
  constructor(
    readonly base: string,
    readonly stopping: AbortSignal,
    readonly headers: Record<string, string> = {},
  ) {}

  /**
   * One request below `/api/v1`; the cookie of a session is kept.
   * @throws for every answer but a 2xx, with what it said; the reason of `stopping` when it is aborted
   */
  async send(method: string, address: string, body?: object | FormData): Promise<Record<string, unknown>> {
    this.stopping.throwIfAborted();
    const form = body instanceof FormData;
    const response = await fetch(`${this.base}/api/v1${address}`, {
      method,
      headers: { ...this.headers, ...(body === undefined || form ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${address} was answered ${response.status}: ${text}`);
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0];
    if (cookie !== undefined) this.headers['Cookie'] = cookie;
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  /** As `send`, for what answers with something that has an id. */
  async make(method: string, address: string, body: object | FormData): Promise<string> {
    return String((await this.send(method, address, body))['id']);
  }
}
