import { z } from 'zod';
import { requirePerson, type Caller, type Person } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { Problem } from '../platform/problem.js';
import { findListenable } from '../recordings/playback.js';
import { cutsOf, playbackDurationMs } from '../recordings/timeline.js';
import { requireTicket } from '../tickets/read-ticket.js';
import { flagRequest, flagsOf } from './flag.js';
import type { PrivacyContext } from './request.js';
import { rights } from './rights.js';

/** Telling the officer that somebody asks for a right, from where it was heard or read. */

const idParams = z.object({ id: idSchema });
const flagShape = {
  note: z.string().trim().max(2000).nullish().transform((told) => told ?? ''),
  rights: z.array(z.enum(rights)).max(6).default([]).meta({ description: 'As far as it was clear which' }),
};
const ticketFlagSchema = z.object(flagShape);
const recordingFlagSchema = z.object({
  ...flagShape,
  atMs: z.int().min(0).max(86_400_000).optional().meta({ description: 'Where in the call, in milliseconds of the playback copy' }),
});
const flagged = z.object({
  reference: z.string(),
  closedToTraining: z.boolean().meta({ description: 'An objection: it can no longer be heard or read for training' }),
});
const reply = { description: 'The officer goes on with it', schema: flagged };

const flagSchema = z
  .object({
    reference: z.string(),
    rights: z.array(z.enum(rights)),
    atMs: z.int().nullable().meta({ description: 'In milliseconds of the playback copy' }),
    flaggedAt: z.iso.datetime(),
  })
  .meta({ id: 'PrivacyFlag' });

export function flagOperations(context: PrivacyContext): Operation<Caller>[] {
  const { platform } = context;
  const listenable = (person: Person, id: string) =>
    findListenable(platform, person, id, person.role === 'privacy_officer' ? 'evidence' : 'training');
  return [
    operation({
      method: 'post',
      path: '/recordings/{id}/flags',
      id: 'flagRecording',
      tag: 'privacy',
      summary: 'Somebody asks for a right in this call: a draft request with this moment as its receipt',
      description: 'Flagged again while it is a draft, it stays the same request.',
      action: 'privacy_request.flag',
      params: idParams,
      body: recordingFlagSchema,
      replies: { 201: reply },
      problems: ['retention-ended'],
      async handle({ caller, params, body: { atMs, ...told } }) {
        const person = requirePerson(caller);
        const found = await listenable(person, params.id);
        const { recording, version } = found;
        const cuts = cutsOf(recording.holds, version.sample_rate_hz, version.duration_ms);
        if (atMs !== undefined && atMs > playbackDurationMs(version.duration_ms, cuts))
          throw new Problem('invalid-input', { errors: [{ path: 'atMs', message: 'lies outside the recording' }] });
        return { status: 201, body: await flagRequest(context, person, { kind: 'recording', found, atMs }, told) };
      },
    }),
    operation({
      method: 'get',
      path: '/recordings/{id}/flags',
      id: 'listRecordingFlags',
      tag: 'privacy',
      summary: 'What was flagged to the officer from this call, so that nobody does so twice',
      action: 'privacy_request.flag',
      params: idParams,
      replies: { 200: { description: 'All of it, oldest first', schema: z.object({ items: z.array(flagSchema), nextCursor: z.null() }) } },
      problems: ['retention-ended'],
      async handle({ caller, params }) {
        const found = await listenable(requirePerson(caller), params.id);
        return { status: 200, body: { items: await flagsOf(platform.database, found), nextCursor: null } };
      },
    }),
    operation({
      method: 'post',
      path: '/tickets/{id}/flags',
      id: 'flagTicket',
      tag: 'privacy',
      summary: 'Somebody asks for a right in this ticket: a draft request with this moment as its receipt',
      description: 'Flagged again while it is a draft, it stays the same request.',
      action: 'privacy_request.flag_ticket',
      params: idParams,
      body: ticketFlagSchema,
      replies: { 201: reply },
      problems: ['retention-ended'],
      async handle({ caller, params, body }) {
        await requireTicket(platform, caller, params.id);
        return { status: 201, body: await flagRequest(context, requirePerson(caller), { kind: 'ticket', id: params.id }, body) };
      },
    }),
  ];
}
