import type { Response } from 'express';
import { z } from 'zod';
import { requirePerson, type Caller } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { sendPage } from './hand-out-routes.js';
import { renderHtml, renderPdf } from './letter.js';
import { noticeKinds } from './notice-words.js';
import { composeNotice, composeRecipientLetter, noticeLetter, type Notice } from './notices.js';
import type { Answer } from './answer.js';
import { findRequest, record, referenceOf, type PrivacyContext } from './request.js';

/** Letters besides the answer: read as they would be, worded otherwise, and sent, which stays on the timeline. */

const draftSchema = z.object({
  to: z.string().nullable(),
  subject: z.string(),
  text: z.string().meta({ description: 'Paragraphs with empty lines between; `- ` before items of a list' }),
  fixed: z.string().meta({ description: 'Complaint and petition, below the text of every letter to the person' }),
});
const sendSchema = z
  .object({
    text: z.string().trim().min(1).max(50_000).optional().meta({ description: 'In other words than composed' }),
    format: z.enum(['html', 'pdf']).default('html'),
  })
  .optional();
const letter = { 200: { description: 'The letter: HTML, or a PDF when asked for', mediaType: 'text/html' } };
const kindParams = z.object({ id: idSchema, kind: z.enum(noticeKinds) });
const recipientParams = z.object({ id: idSchema, notificationId: idSchema });

const drafted = ({ to, subject, text, fixed }: Notice) => ({ status: 200, body: { to: to.name, subject, text, fixed } });

/** Reading and sending letters besides the answer. */
export function noticeOperations(context: PrivacyContext): Operation<Caller>[] {
  const { platform, settings } = context;

  async function send(
    { caller, response }: { caller: Caller; response: Response },
    notice: Notice & { answer: Answer },
    kind: (typeof noticeKinds)[number] | 'recipient',
    told: z.output<typeof sendSchema>,
    details: Record<string, string> = {},
  ): Promise<undefined> {
    const made = noticeLetter({ ...notice, text: told?.text ?? notice.text }, kind, settings.timeZone);
    const isPdf = told?.format === 'pdf';
    const body = isPdf ? await renderPdf(made, notice.answer.at) : renderHtml(made);
    // On record before it leaves. Its words stay in the file, and go with it.
    await platform.database.inTransaction(async (tx) => {
      const request = await findRequest(platform.database, notice.answer.request.id, tx);
      await record(platform, tx, requirePerson(caller), request, 'notice_sent', { notice: kind, ...details }, told?.text ?? notice.text);
    });
    const name = `${referenceOf(notice.answer.request)}-${kind}`;
    if (typeof body === 'string') sendPage(response, body, `inline; filename="${name}.html"`);
    else
      response
        .status(200)
        .set({ 'Content-Type': 'application/pdf', 'Content-Disposition': `attachment; filename="${name}.pdf"`, 'Cache-Control': 'private, no-store' })
        .end(body);
    return undefined;
  }

  return [
    operation({
      method: 'get',
      path: '/privacy-requests/{id}/notices/{kind}',
      id: 'draftPrivacyNotice',
      tag: 'privacy',
      summary: 'A letter besides the answer, as it would be now',
      description:
        'Receipt, identity, clarification, extension, sending on to the company that decides (`forward`) and telling the person ' +
        'so (`forwarded`), lifting of a restriction (art. 18(3)), an erasure that was granted and has to wait (`held_up`), and that it ' +
        'is carried out after all (`erased`).',
      action: 'privacy_request.hand_out',
      params: kindParams,
      replies: { 200: { description: 'The text', schema: draftSchema } },
      problems: ['conflict'],
      handle: async ({ params }) => drafted(await composeNotice(context, params.id, params.kind)),
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/notices/{kind}',
      id: 'sendPrivacyNotice',
      tag: 'privacy',
      summary: 'The letter to be sent, in other words where told; it stays on the timeline',
      action: 'privacy_request.hand_out',
      params: kindParams,
      body: sendSchema,
      replies: letter,
      problems: ['conflict'],
      handle: async ({ caller, params, body, response }) =>
        send({ caller, response }, await composeNotice(context, params.id, params.kind), params.kind, body),
    }),
    operation({
      method: 'get',
      path: '/privacy-requests/{id}/notifications/{notificationId}/letter',
      id: 'draftRecipientLetter',
      tag: 'privacy',
      summary: 'The letter to an earlier recipient (art. 19), as it would be now',
      action: 'privacy_request.hand_out',
      params: recipientParams,
      replies: { 200: { description: 'The text', schema: draftSchema } },
      handle: async ({ params }) => drafted(await composeRecipientLetter(context, params.id, params.notificationId)),
    }),
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/notifications/{notificationId}/letter',
      id: 'sendRecipientLetter',
      tag: 'privacy',
      summary: 'The letter to an earlier recipient, to be sent; mark them told when it is out',
      action: 'privacy_request.hand_out',
      params: recipientParams,
      body: sendSchema,
      replies: letter,
      handle: async ({ caller, params, body, response }) =>
        send(
          { caller, response }, await composeRecipientLetter(context, params.id, params.notificationId), 'recipient', body,
          { notificationId: params.notificationId },
        ),
    }),
  ];
}
