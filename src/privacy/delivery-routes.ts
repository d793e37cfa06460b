import type { Request, Response } from 'express';
import { z } from 'zod';
import { requirePerson, type Caller } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { Problem } from '../platform/problem.js';
import { readApprovedAnswer } from './answer.js';
import { makeBundle } from './bundle.js';
import { endDelivery, findDelivery, makeDelivery, openDelivery, type Closed } from './delivery.js';
import { handOut, sendBundle, waitWhileMaking } from './hand-out-routes.js';
import { letterText } from './letters.js';
import { referenceOf, type PrivacyContext } from './request.js';

/** The page on which a person fetches their answer. Plain HTML without script: it works in any browser, and by keyboard. */

const texts = {
  nl: {
    title: 'Uw antwoord ophalen', ask: 'Vul de code in die u apart van ons hebt gekregen.', code: 'Code', fetch: 'Ophalen',
    wrong: 'Deze code klopt niet. Kijk hem nog eens na.',
    once: 'U kunt het bestand één keer ophalen. Bewaar het op een plek waar alleen u bij kunt.',
    over: 'Deze link werkt niet meer. Hij is al gebruikt, verlopen of onvolledig overgenomen. Neem gerust contact met ons op: dan sturen wij u een nieuwe.',
    blocked: 'Er is te vaak een verkeerde code ingevuld. Voor uw veiligheid werkt deze link niet meer. Neem gerust contact met ons op: dan sturen wij u een nieuwe.',
  },
  en: {
    title: 'Fetch your answer', ask: 'Fill in the code that we sent you separately.', code: 'Code', fetch: 'Fetch',
    wrong: 'This code is not right. Please check it.',
    once: 'You can fetch the file once. Keep it where only you can reach it.',
    over: 'This link does not work any more. It was used, has expired, or was copied incompletely. Please contact us and we will send a new one.',
    blocked: 'A wrong code was filled in too often. To protect you this link does not work any more. Please contact us and we will send a new one.',
  },
} as const;

const style = `body{font:18px/1.5 system-ui,sans-serif;color:#1b2430;background:#fff;max-width:32rem;margin:3rem auto;padding:0 1rem}
label{display:block;font-weight:600}input{font:inherit;padding:.5rem;border:1px solid #7a8594;width:12rem}
button{font:inherit;padding:.5rem 1rem;margin-top:1rem;background:#0b5cad;color:#fff;border:0}[role=alert]{color:#b3261e}`;

function send(response: Response, status: number, locale: 'nl' | 'en', body: string): undefined {
  response.status(status).set({
    'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store', 'Referrer-Policy': 'same-origin', 'X-Robots-Tag': 'noindex',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
  });
  response.end(`<!doctype html>
<html lang="${locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${texts[locale].title}</title><style>${style}</style></head><body><main><h1>${texts[locale].title}</h1>
${body}</main></body></html>
`);
}

/** The same page for what is over, used or never was: in both languages, since nothing tells whose it would be. */
const sendClosed = (response: Response, why: Closed): undefined =>
  send(response, why === 'over' ? 410 : 429, 'nl', `<p>${texts.nl[why]}</p><p lang="en">${texts.en[why]}</p>`);

const form = (locale: 'nl' | 'en', isWrong: boolean) => {
  const words = texts[locale];
  return `${isWrong ? `<p role="alert" id="wrong">${words.wrong}</p>` : ''}<p id="ask">${words.ask}</p>
<form method="post"><label for="code">${words.code}</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required aria-describedby="${isWrong ? 'wrong ' : ''}ask"${isWrong ? ' aria-invalid="true"' : ''}>
<br><button>${words.fetch}</button></form><p>${words.once}</p>`;
};

/** What a form sends, or JSON. @throws Problem `too-large` */
async function readCode(request: Request): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > 2048) throw new Problem('too-large');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (request.is('application/json') === false) return new URLSearchParams(text).get('code') ?? '';
  try {
    const told: unknown = JSON.parse(text);
    return z.object({ code: z.string() }).parse(told).code;
  } catch {
    return '';
  }
}

const tokenParams = z.object({ token: z.string().min(1).max(100) });
const page = { description: 'A page in the language of the request', mediaType: 'text/html' };

/** Making deliveries, and the page behind their address. */
export function deliveryOperations(context: PrivacyContext): Operation<Caller>[] {
  const { settings } = context;
  return [
    operation({
      method: 'post',
      path: '/privacy-requests/{id}/deliveries',
      id: 'deliverPrivacyAnswer',
      tag: 'privacy',
      summary: 'An address from which the person fetches the package once, and a code to be sent another way',
      description: 'Shown once; a new one ends those before. Close the request when it was fetched.',
      action: 'privacy_request.hand_out',
      params: z.object({ id: idSchema }),
      body: z.object({ days: z.int().min(1).max(30).default(7) }).optional(),
      replies: {
        201: {
          description: 'Send the address and the code by different ways',
          schema: z.object({ id: z.uuid(), url: z.string(), code: z.string(), expiresAt: z.iso.datetime() }),
        },
      },
      problems: ['conflict'],
      async handle({ caller, params, body, request }) {
        const { id, token, code, expiresAt } = await makeDelivery(context, requirePerson(caller), params.id, body?.days ?? 7);
        const origin = settings.publicUrl ?? `${request.protocol}://${request.get('host') ?? 'localhost'}`;
        const url = `${origin}/api/v1/deliveries/${token}`;
        return { status: 201, body: { id, url, code, expiresAt: expiresAt.toISOString() } };
      },
    }),
    operation({
      method: 'get',
      path: '/deliveries/{token}',
      id: 'deliveryPage',
      tag: 'privacy',
      summary: 'The page that asks for the code; 410 in kind words when it is over',
      action: 'open',
      params: tokenParams,
      replies: { 200: page, 410: page },
      async handle({ params, response }) {
        const found = await findDelivery(context, params.token);
        if (typeof found === 'string') return sendClosed(response, found);
        return send(response, 200, found.locale, form(found.locale, false));
      },
    }),
    operation({
      method: 'post',
      path: '/deliveries/{token}',
      id: 'fetchDelivery',
      tag: 'privacy',
      summary: 'The package, once, for the right code',
      action: 'open',
      params: tokenParams,
      replies: { 200: { description: 'The package', mediaType: 'application/zip' }, 410: page, 422: page, 429: page },
      async handle({ params, request, response, signal }) {
        const opened = await openDelivery(context, params.token, await readCode(request));
        if (opened === 'wrong') {
          const found = await findDelivery(context, params.token);
          const locale = typeof found === 'string' ? 'nl' : found.locale;
          return send(response, 422, locale, form(locale, true));
        }
        if (typeof opened === 'string') return sendClosed(response, opened);
        let sent = false;
        try {
          const answer = await readApprovedAnswer(context, opened.requestId);
          waitWhileMaking(response);
          const bundle = await makeBundle(context, answer, await letterText(context, answer), signal);
          try {
            await handOut(context, 'system', answer, 'package');
          } catch (error) {
            await bundle.discard();
            throw error;
          }
          sent = await sendBundle(bundle, response, 'application/zip', `attachment; filename="${referenceOf(answer.request)}.zip"`, signal);
        } finally {
          await endDelivery(context, opened, sent);
        }
        return undefined;
      },
    }),
  ];
}
