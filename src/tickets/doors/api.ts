import { z } from 'zod';
import { actorOf, type Caller } from '../../access/caller.js';
import { append } from '../../audit/log.js';
import { operation, parse, type Operation } from '../../platform/http.js';
import { Problem, type FieldFault } from '../../platform/problem.js';
import { readInstant } from '../../recordings/times.js';
import { discardUpload, receiveMultipart, type Upload } from '../../recordings/upload.js';
import { receiveAttachment, type ToldAttachment } from '../attachment.js';
import { deliverySchema, readDelivery, type DeliveryContext } from '../delivery.js';
import { attachmentSchema, presentAttachment, ticketSchema } from '../present.js';
import { piecesOf } from '../read-ticket.js';
import { machineOf, type TicketDoor } from './door.js';

/** The plain door: any helpdesk, script or importer that speaks HTTP and JSON. */

const externalParams = z.object({ externalId: z.string().trim().min(1).max(200) });

const attachmentFields = z.object({
  externalId: z.string().trim().max(200).optional().meta({ description: 'As the helpdesk calls it; its SHA-256 when not told' }),
  message: z.string().trim().max(200).optional().meta({ description: 'External id of the message it came with' }),
  at: z.string().trim().max(40).optional().meta({ description: 'When it was supplied; with its message when not told' }),
  fileName: z.string().trim().max(300).optional(),
  contentType: z.string().trim().max(100).optional(),
  sha256: z.string().trim().toLowerCase().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits').optional(),
});

/** Sixteen characters, or as Standard Webhooks writes them: `whsec_` and sixteen bytes or more in base64. */
const secret = z
  .string()
  .trim()
  .min(16)
  .max(500)
  .regex(/^(?!whsec_)|^whsec_[A-Za-z0-9+/]{22,}={0,2}$/, 'must hold sixteen bytes or more, in base64, after whsec_');

/** Parts that are the file, whatever a client calls it. */
const fileParts = ['file', 'attachment', 'data', 'upload'] as const;

/** What is told of the file; without control characters and folders in its name. */
function readAttachment(fields: Record<string, string>, upload: Upload | undefined, context: DeliveryContext): ToldAttachment & { upload: Upload } {
  const told = parse(attachmentFields, Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')));
  const faults: FieldFault[] = upload === undefined ? [{ path: 'file', message: 'is required' }] : [];
  const at = told.at === undefined ? undefined : readInstant(told.at, context.timeZone);
  if (told.at !== undefined && (at === undefined || at.getTime() > context.now.getTime() + 86_400_000))
    faults.push({ path: 'at', message: 'is not an instant such as 2026-03-01T09:15:00+01:00, or lies more than a day ahead' });
  if (upload === undefined || faults.length > 0) throw new Problem('invalid-input', { errors: faults });
  if (told.sha256 !== undefined && told.sha256 !== upload.sha256) throw new Problem('digest-mismatch');
  if (upload.bytes === 0) throw new Problem('invalid-input', { errors: [{ path: 'file', message: 'is empty' }] });
  return {
    externalId: told.externalId ?? upload.sha256,
    messageExternalId: told.message ?? null,
    fileName: safeName(told.fileName ?? upload.fileName ?? ''),
    contentType: told.contentType ?? 'application/octet-stream',
    at: at ?? null,
    upload,
  };
}

/** A name to show and to save under: its last part, without what a file system or a terminal could stumble over. */
function safeName(told: string): string {
  const last = told.split(/[\\/]/).at(-1) ?? '';
  // eslint-disable-next-line no-control-regex
  return last.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').trim().slice(0, 200) || 'bijlage';
}

/** The operations of the plain door. */
export function apiDoor(door: TicketDoor): Operation<Caller>[] {
  return [
    operation({
      method: 'put',
      path: '/tickets/by-external/{externalId}',
      id: 'putTicket',
      tag: 'tickets',
      summary: 'Tell of a ticket: made or brought up to date, its messages by their own ids',
      description:
        'Safe to repeat, in any order: each field keeps what was told last by `updatedAt` (without it, by the latest instant in the delivery). Fields and messages that are left out stay as they are.',
      action: 'ticket.push',
      params: externalParams,
      body: deliverySchema,
      bodyLimitBytes: 16 * 1024 * 1024,
      replies: {
        200: { description: 'The ticket as it now is', schema: ticketSchema },
        201: { description: 'A new ticket', schema: ticketSchema },
      },
      problems: ['retention-over', 'storage-unavailable'],
      async handle({ caller, params, body }) {
        const machine = machineOf(caller);
        const { status, ticketId, body: shown } = await door.receive(machine, params.externalId, readDelivery(body, door.deliveryContext(machine)));
        return { status, headers: { Location: `/api/v1/tickets/${ticketId}` }, body: shown };
      },
    }),
    operation({
      method: 'post',
      path: '/tickets/by-external/{externalId}/attachments',
      id: 'putTicketAttachment',
      tag: 'tickets',
      summary: 'Add an attachment to a ticket',
      description: 'One file a request. Safe to repeat: the same bytes under the same id are the same attachment.',
      action: 'ticket.push',
      params: externalParams,
      upload: {
        'multipart/form-data': { schema: attachmentFields.extend({ file: z.string().meta({ format: 'binary' }) }) },
      },
      replies: {
        200: { description: 'It was there already', schema: attachmentSchema },
        201: { description: 'Stored, proved to be in storage, committed', schema: attachmentSchema },
      },
      problems: ['invalid-input', 'digest-mismatch', 'retention-over', 'too-large', 'storage-unavailable', 'disk-low'],
      async handle({ caller, params, request }) {
        const machine = machineOf(caller);
        const named = { sourceId: machine.sourceId, externalId: params.externalId };
        const { file, fields } = await receiveMultipart(request, { ...door.limits, fileParts: [...fileParts] });
        try {
          const { upload, ...told } = readAttachment(fields, file, door.deliveryContext(machine));
          const received = await receiveAttachment(door.platform, door.rules, actorOf(machine), named, told, upload);
          const pieces = await piecesOf(door.platform.database, received.ticketId, door.platform.clock.now(), true);
          const piece = pieces.find((each) => each.id === received.pieceId);
          if (piece === undefined) throw new Problem('retention-over');
          return { status: received.outcome === 'duplicate' ? 200 : 201, body: presentAttachment(piece) };
        } finally {
          await discardUpload(file);
        }
      },
    }),
    operation({
      method: 'put',
      path: '/tickets/webhook-secret',
      id: 'setWebhookSecret',
      tag: 'tickets',
      summary: "Set the signing secret of this key's helpdesk, where the helpdesk makes its own",
      description: 'Without one the key itself is the secret. `null` goes back to that.',
      action: 'ticket.push',
      body: z.object({ secret: secret.nullable() }),
      replies: { 204: { description: 'From now on signatures are checked with it' } },
      async handle({ caller, body }) {
        const machine = machineOf(caller);
        const { clock, database } = door.platform;
        await database.inTransaction(async (tx) => {
          if (body.secret === null) await database.query('DELETE FROM webhook_secrets WHERE source_id = $1', [machine.sourceId], tx);
          else
            await database.query(
              `INSERT INTO webhook_secrets (source_id, secret, set_at) VALUES ($1, $2, $3)
               ON CONFLICT (source_id) DO UPDATE SET secret = excluded.secret, set_at = excluded.set_at`,
              [machine.sourceId, body.secret, clock.now()],
              tx,
            );
          await append(database, clock, tx, {
            actor: actorOf(machine),
            action: body.secret === null ? 'source.webhook_secret_removed' : 'source.webhook_secret_set',
            object: { type: 'source', id: machine.sourceId },
          });
        });
        return { status: 204 };
      },
    }),
  ];
}
