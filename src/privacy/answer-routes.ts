import { z } from 'zod';
import { requirePerson, type Caller } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { findRecording } from '../recordings/recording.js';
import { openListen } from '../recordings/listen.js';
import { readAnswer, readApprovedAnswer } from './answer.js';
import { makeBundle } from './bundle.js';
import { handOut, sendBundle, sendPage, waitWhileMaking } from './hand-out-routes.js';
import { letterHtml, letterPdf } from './letter.js';
import { draftLetter, letterText, templateOf, writeLetter, writeTemplate } from './letters.js';
import { previewCopy, previewed, previewTicket } from './preview.js';
import { record, referenceOf, type PrivacyContext } from './request.js';

/** What goes out: the letter and the package, and what officers see of them before. */

const idParams = z.object({ id: idSchema });
const localeParams = z.object({ locale: z.enum(['nl', 'en']) });
const draftSchema = z.object({
  locale: z.enum(['nl', 'en']),
  text: z.string().meta({ description: 'Paragraphs with empty lines between; `## ` before a heading, `- ` before items of a list' }),
  edited: z.boolean(),
  fixed: z.string().meta({ description: 'Complaint and petition: in every letter, below the text' }),
});
const templateSchema = z.object({ opening: z.string(), closing: z.string(), revision: z.int() });

/** Letters, packages, templates. */
export function answerOperations(context: PrivacyContext): Operation<Caller>[] {
  const { platform, settings } = context;
  const { database } = platform;
  return [
    operation({
      method: 'get',
      path: '/privacy-requests/{id}/package',
      id: 'privacyPackage',
      tag: 'privacy',
      summary: 'The answer as a signed zip with a page to begin with, made anew from what is there',
      action: 'privacy_request.hand_out',
      params: idParams,
      replies: { 200: { description: 'One folder with `index.html`', mediaType: 'application/zip' } },
      problems: ['conflict', 'storage-unavailable'],
      async handle({ caller, params, response, signal }) {
        const answer = await readApprovedAnswer(context, params.id);
        const text = await letterText(context, answer);
        waitWhileMaking(response);
        const bundle = await makeBundle(context, answer, text, signal);
        try {
          await handOut(context, requirePerson(caller), answer, 'package');
        } catch (error) {
          await bundle.discard();
          throw error;
        }
        await sendBundle(bundle, response, 'application/zip', `attachment; filename="${referenceOf(answer.request)}.zip"`, signal);
        return undefined;
      },
    }),
    operation({
      method: 'get',
      path: '/privacy-requests/{id}/letter',
      id: 'privacyLetter',
      tag: 'privacy',
      summary: 'The letter, in the language of the request',
      action: 'privacy_request.hand_out',
      params: idParams,
      query: z.object({ format: z.enum(['html', 'pdf']).default('html') }),
      replies: { 200: { description: 'HTML, or a PDF when asked for', mediaType: 'text/html' } },
      problems: ['conflict'],
      async handle({ caller, params, query, response }) {
        const answer = await readApprovedAnswer(context, params.id);
        const text = await letterText(context, answer);
        const isPdf = query.format === 'pdf';
        const body = isPdf ? await letterPdf(answer, text, settings.timeZone) : Buffer.from(letterHtml(answer, text, settings.timeZone));
        await handOut(context, requirePerson(caller), answer, 'letter');
        response.status(200).set({
          'Content-Type': isPdf ? 'application/pdf' : 'text/html; charset=utf-8',
          'Content-Disposition': `${isPdf ? 'attachment' : 'inline'}; filename="${referenceOf(answer.request)}.${query.format}"`,
          'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox", 'Cache-Control': 'private, no-store',
        });
        response.end(body);
        return undefined;
      },
    }),
    operation({
      method: 'get',
      path: '/privacy-requests/{id}/letter/draft',
      id: 'draftPrivacyLetter',
      tag: 'privacy',
      summary: 'The text of the letter as it would be now',
      action: 'privacy_request.handle',
      params: idParams,
      replies: { 200: { description: 'The text', schema: draftSchema } },
      async handle({ params }) {
        return { status: 200, body: await draftLetter(context, params.id) };
      },
    }),
    operation({
      method: 'put',
      path: '/privacy-requests/{id}/letter/draft',
      id: 'writePrivacyLetter',
      tag: 'privacy',
      summary: 'Write the letter in other words, until it is approved; null goes back to the composed text',
      action: 'privacy_request.handle',
      params: idParams,
      body: z.object({ text: z.string().trim().min(1).max(50_000).nullable() }),
      replies: { 200: { description: 'The text', schema: draftSchema } },
      problems: ['conflict'],
      async handle({ caller, params, body }) {
        await writeLetter(context, requirePerson(caller), params.id, body.text);
        return { status: 200, body: await draftLetter(context, params.id) };
      },
    }),
    operation({
      method: 'get',
      path: '/privacy-requests/{id}/items/{itemId}/preview',
      id: 'previewPrivacyItem',
      tag: 'privacy',
      summary: 'A recording or a ticket as it would leave: masked as decided, without hold music',
      action: 'privacy_request.hand_out',
      params: z.object({ id: idSchema, itemId: idSchema }),
      replies: { 200: { description: 'WAV, or a page (text/html) of a ticket', mediaType: 'audio/wav' } },
      problems: ['retention-ended', 'storage-unavailable'],
      async handle({ caller, params, response, signal }) {
        const person = requirePerson(caller);
        const answer = await readAnswer(context, params.id);
        const what = await previewed(context, answer, params.itemId);
        if (what.item.kind === 'ticket') {
          sendPage(response, await previewTicket(context, answer, what), 'inline');
          return undefined;
        }
        const bundle = await previewCopy(context, what, signal);
        const found = await findRecording(database, what.item.item_id);
        try {
          // Who listened is told to whoever is on the call: a secret order's preview is in its own trail alone.
          if (answer.request.secret)
            await database.inTransaction((tx) => record(platform, tx, person, answer.request, 'previewed', { itemId: params.itemId }));
          else if (found !== undefined)
            await openListen(platform, person, found.recording.id, found.version.id, 'access_request');
        } catch (error) {
          await bundle.discard();
          throw error;
        }
        await sendBundle(bundle, response, 'audio/wav', 'inline', signal);
        return undefined;
      },
    }),
    operation({
      method: 'get',
      path: '/privacy-letter-templates/{locale}',
      id: 'readLetterTemplate',
      tag: 'privacy',
      summary: 'How the organisation opens and closes its letters',
      action: 'privacy_request.handle',
      params: localeParams,
      replies: { 200: { description: 'The template', schema: templateSchema } },
      async handle({ params }) {
        return { status: 200, body: await templateOf(database, params.locale) };
      },
    }),
    operation({
      method: 'put',
      path: '/privacy-letter-templates/{locale}',
      id: 'writeLetterTemplate',
      tag: 'privacy',
      summary: 'Change how letters open and close; earlier templates stay on record',
      action: 'privacy_request.handle',
      params: localeParams,
      body: z.object({ opening: z.string().trim().max(10_000), closing: z.string().trim().max(10_000) }),
      replies: { 200: { description: 'The template', schema: templateSchema } },
      async handle({ caller, params, body }) {
        await writeTemplate(context, requirePerson(caller), params.locale, body);
        return { status: 200, body: await templateOf(database, params.locale) };
      },
    }),
  ];
}
