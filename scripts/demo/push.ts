import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { SampleCall } from '../samples/calls.js';
import type { SampleTicket } from '../samples/tickets.js';
import type { Client } from './client.js';
import { at } from './moment.js';

/** The simulated PBX and helpdesk. */

/** Pushes a call as a PBX would. @param folder of the sample audio  @returns the recording's id */
export async function pushCall(pbx: Client, folder: string, call: SampleCall, index: number): Promise<string> {
  const startedAt = at(call.daysAgo, call.timeOfDay);
  const form = new FormData();
  const fields: Record<string, string | undefined> = {
    callId: `${Math.floor(startedAt.getTime() / 1000)}.${index}`,
    startedAt: startedAt.toISOString(),
    endedAt: new Date(startedAt.getTime() + call.durationMs).toISOString(),
    direction: call.direction,
    caller: call.caller,
    callerName: call.callerName,
    callee: call.callee,
    agent: call.agent,
    queue: call.queue,
    ticket: call.ticket,
    holds: call.holds === undefined ? undefined : JSON.stringify(call.holds),
  };
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value);
  form.set('audio', new Blob([new Uint8Array(await readFile(path.join(folder, call.file)))]), call.file);
  return await pbx.make('POST', '/recordings', form);
}

/** Pushes a ticket as a helpdesk would. */
export async function pushTicket(helpdesk: Client, ticket: SampleTicket): Promise<void> {
  const opened = at(ticket.daysAgo, ticket.timeOfDay);
  const after = (minutes: number) => new Date(Math.min(opened.getTime() + minutes * 60_000, Date.now() - 60_000)).toISOString();
  const messages = ticket.messages.map(({ minutesLater, ...message }, index) => ({
    externalId: `${ticket.number}-${index + 1}`,
    at: after(minutesLater),
    contentType: 'text/plain',
    ...message,
  }));
  const { number, subject, category, requester, status } = ticket;
  const closedAt = status === 'closed' ? messages.at(-1)?.at : undefined;
  await helpdesk.send('PUT', `/tickets/by-external/${number}`, {
    number, subject, category, requester, status, messages,
    createdAt: opened.toISOString(),
    ...(closedAt === undefined ? {} : { closedAt }),
  });
}
