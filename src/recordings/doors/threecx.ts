import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Machine } from '../../access/caller.js';
import { Problem, type ProblemCode } from '../../platform/problem.js';
import { receiveStream } from '../upload.js';
import type { Door } from './door.js';
import { counted, takeUpload } from './take.js';

/**
 * 3CX v20 pushes nothing: it is asked, through its XAPI (`/xapi/v1/Recordings`, OData 4) with client credentials. Held to
 * answers as 3CX documents them; not yet tried on a live system.
 */

/** One 3CX that is asked. The credentials are a "service principal" with access to recordings. */
export interface PullSettings {
  kind: '3cx';
  /** The name of the source its recordings belong to. */
  source: string;
  url: string;
  clientId: string;
  clientSecret: string;
}

const tokenSchema = z.object({ access_token: z.string().min(1) });
const text = z.string().nullish();
const recordingSchema = z.object({
  Id: z.int().min(0),
  StartTime: text,
  EndTime: text,
  CallType: text,
  FromDn: text,
  FromCallerNumber: text,
  FromDisplayName: text,
  ToDn: text,
  ToCallerNumber: text,
  ToDidNumber: text,
});
const pageSchema = z.object({ value: z.array(recordingSchema) });
type Listed = z.output<typeof recordingSchema>;

const pageSize = 100;
const answerWithinMs = 30_000;
const downloadWithinMs = 2 * 3_600_000;
const mostAttempts = 24;

/** What the service will say again however often it is asked. */
const settledCodes: ReadonlySet<ProblemCode> = new Set([
  'not-audio', 'empty-recording', 'retention-over', 'direction-not-covered', 'number-excluded', 'too-large', 'invalid-input',
]);

/** A 3CX that does not answer as it should. Its message names neither address nor credentials. */
class PullFault extends Error {}

const directions = { inbound: /^inbound/i, outbound: /^outbound/i, internal: /^(local|internal)/i } as const;

/** What 3CX says of a recording, in the fields of the plain door. */
export function fieldsOfListed(listed: Listed): Record<string, unknown> {
  const direction = (['inbound', 'outbound', 'internal'] as const).find((each) => directions[each].test(listed.CallType ?? ''));
  const extension = direction === 'outbound' ? listed.FromDn : listed.ToDn;
  const told = {
    callId: String(listed.Id),
    startedAt: listed.StartTime,
    // A clock that was set back must not cost a recording: the audio tells its length.
    endedAt: Date.parse(listed.EndTime ?? '') >= Date.parse(listed.StartTime ?? '') ? listed.EndTime : undefined,
    direction,
    caller: listed.FromCallerNumber || listed.FromDn,
    callerName: listed.FromDisplayName,
    callee: listed.ToDidNumber || listed.ToCallerNumber || listed.ToDn,
    agent: /^\d{1,6}$/.test(extension ?? '') ? extension : undefined,
  };
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined && value !== null && value !== ''));
}

class Threecx {
  #token: string | undefined;

  constructor(readonly settings: PullSettings, readonly signal: AbortSignal) {}

  async #signIn(): Promise<string> {
    const { clientId, clientSecret, url } = this.settings;
    const answer = await fetch(`${url}/connect/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }),
      redirect: 'error',
      signal: AbortSignal.any([this.signal, AbortSignal.timeout(answerWithinMs)]),
    });
    const parsed = tokenSchema.safeParse(answer.ok ? await answer.json().catch(() => undefined) : undefined);
    if (!parsed.success) throw new PullFault(`3CX gave no token (${answer.status})`);
    return parsed.data.access_token;
  }

  /** Asks, with a new token where the old one has run out. */
  async #get(address: string, withinMs: number): Promise<Response> {
    for (let tries = 1; ; tries += 1) {
      this.#token ??= await this.#signIn();
      const answer = await fetch(`${this.settings.url}/xapi/v1/${address}`, {
        headers: { Authorization: `Bearer ${this.#token}` },
        redirect: 'error',
        signal: AbortSignal.any([this.signal, AbortSignal.timeout(withinMs)]),
      });
      if (answer.status !== 401 || tries === 2) return answer;
      await answer.body?.cancel();
      this.#token = undefined;
    }
  }

  /** Recordings by a filter of OData, oldest first. */
  async list(filter: string): Promise<Listed[]> {
    const query = new URLSearchParams({ $filter: filter, $orderby: 'Id', $top: String(pageSize) });
    const answer = await this.#get(`Recordings?${query.toString()}`, answerWithinMs);
    const parsed = pageSchema.safeParse(answer.ok ? await answer.json().catch(() => undefined) : undefined);
    if (!parsed.success) throw new PullFault(`3CX gave no list (${answer.status})`);
    return parsed.data.value;
  }

  async download(id: number): Promise<Readable> {
    const answer = await this.#get(`Recordings/Pbx.DownloadRecording(recId=${id})`, downloadWithinMs);
    if (!answer.ok || answer.body === null) throw new PullFault(`3CX gave no file (${answer.status})`);
    return Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]);
  }
}

/** Takes one recording. @returns false when it has to be tried again */
async function takeOne(door: Door, machine: Machine, pbx: Threecx, listed: Listed): Promise<boolean> {
  try {
    await counted(door, machine, async () => {
      const upload = await receiveStream(await pbx.download(listed.Id), undefined, door.limits);
      return await takeUpload(door, machine, upload, fieldsOfListed(listed));
    });
    return true;
  } catch (error) {
    if (error instanceof Problem && settledCodes.has(error.code)) return true;
    door.platform.log.warn({ sourceId: machine.sourceId, error: error instanceof Error ? error.name : 'Error' }, 'a recording was not pulled yet');
    return false;
  }
}

/**
 * Takes what is new at a 3CX, and what did not come before. How far it came is committed after each recording; what is
 * asked for twice is known by its bytes.
 */
export async function pullFromThreecx(door: Door, machine: Machine, settings: PullSettings, signal: AbortSignal): Promise<void> {
  const { clock, database } = door.platform;
  const pbx = new Threecx(settings, signal);
  await database.query('INSERT INTO pulls (source_id) VALUES ($1) ON CONFLICT DO NOTHING', [machine.sourceId]);
  await retryEarlier(door, machine, pbx);
  while (!signal.aborted) {
    const [{ takenTo } = { takenTo: 0 }] = await database.query<{ takenTo: number }>(
      'SELECT taken_to AS "takenTo" FROM pulls WHERE source_id = $1', [machine.sourceId],
    );
    const page = await pbx.list(`Id gt ${takenTo}`);
    for (const listed of page.filter((each) => each.Id > takenTo).sort((a, b) => a.Id - b.Id)) {
      if (signal.aborted) return;
      const settled = await takeOne(door, machine, pbx, listed);
      await database.inTransaction(async (tx) => {
        if (!settled)
          await database.query(
            `INSERT INTO pull_retries (source_id, remote_id, attempts, next_attempt_at) VALUES ($1, $2, 1, $3)
             ON CONFLICT (source_id, remote_id) DO NOTHING`,
            [machine.sourceId, listed.Id, new Date(clock.now().getTime() + 60_000)],
            tx,
          );
        await database.query('UPDATE pulls SET taken_to = greatest(taken_to, $2), last_pull_at = $3 WHERE source_id = $1', [
          machine.sourceId, listed.Id, clock.now(),
        ], tx);
      });
    }
    if (page.length < pageSize || page.every((each) => each.Id <= takenTo)) return;
  }
}

async function retryEarlier(door: Door, machine: Machine, pbx: Threecx): Promise<void> {
  const { clock, database } = door.platform;
  const due = await database.query<{ id: number; attempts: number }>(
    'SELECT remote_id AS id, attempts FROM pull_retries WHERE source_id = $1 AND next_attempt_at <= $2 ORDER BY next_attempt_at LIMIT 20',
    [machine.sourceId, clock.now()],
  );
  for (const { id, attempts } of due) {
    const [listed] = await pbx.list(`Id eq ${id}`);
    // Gone at the 3CX, or tried for days: it is counted as refused, and the alarm for missing recordings stands.
    const over = listed === undefined || attempts >= mostAttempts || (await takeOne(door, machine, pbx, listed));
    if (over) await database.query('DELETE FROM pull_retries WHERE source_id = $1 AND remote_id = $2', [machine.sourceId, id]);
    else
      await database.query('UPDATE pull_retries SET attempts = attempts + 1, next_attempt_at = $3 WHERE source_id = $1 AND remote_id = $2', [
        machine.sourceId, id, new Date(clock.now().getTime() + Math.min(60_000 * 2 ** attempts, 6 * 3_600_000)),
      ]);
  }
}
