import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { Caller } from '../access/caller.js';
import { createGuesses, networkOf } from '../access/guesses.js';
import { organisationOf } from '../access/organisation.js';
import { operation, type Operation } from '../platform/http.js';
import { Problem } from '../platform/problem.js';
import { normaliseNumber } from '../recordings/numbers.js';
import { dueDates } from './clock.js';
import { takeIn } from './intake.js';
import { calendarOf, type PrivacyContext } from './request.js';
import { rights } from './rights.js';

/**
 * The public form: anybody can ask for their rights without knowing anybody here. It is off unless the organisation turns it
 * on, and then tells nothing but who answers and by when: every form that can be read gets the same answer, whether anything
 * is kept about whoever sent it or not. What it takes in is looked at by an officer like any other request.
 */

/** Without letters and digits that look alike, so that it can be read over the telephone. */
const receiptLetters = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
const makeReceipt = () =>
  Array.from({ length: 8 }, (_, place) => `${place === 4 ? '-' : ''}${receiptLetters.charAt(randomInt(receiptLetters.length))}`).join('');

const line = (most: number) => z.string().trim().max(most).regex(/^[^\r\n]*$/, 'must be one line');
const maybe = (text: z.ZodString) => text.nullish().transform((told) => told || undefined);
const email = z.union([z.email('must be an e-mail address').max(320), z.literal('')]).nullish().transform((told) => told || undefined);

const representativeSchema = z.object({
  name: line(200).min(1), email, phone: maybe(line(40)), address: maybe(z.string().trim().max(1000)),
});

const formSchema = z.object({
  name: line(200).min(1),
  email,
  phone: maybe(line(40)),
  address: maybe(z.string().trim().max(1000)),
  organisation: maybe(line(200)),
  rights: z.array(z.enum(rights)).min(1).max(6),
  details: maybe(z.string().trim().max(5000)),
  requesterKind: z.enum(['person', 'representative', 'parent', 'employee']).default('person'),
  representative: representativeSchema.nullish().meta({ description: 'Who fills in the form for somebody else; answers go there' }),
  locale: z.enum(['nl', 'en']).default('nl'),
  website: z.string().max(500).nullish().meta({ description: 'Leave empty: people do not see this field' }),
});

type Form = z.output<typeof formSchema>;

/** What no schema of one field sees. @throws Problem `invalid-input` */
function refuseFaulty(form: Form, country: string): void {
  const actsForAnother = form.requesterKind === 'representative' || form.requesterKind === 'parent';
  const to = actsForAnother ? (form.representative ?? undefined) : form;
  const at = actsForAnother ? 'representative.' : '';
  const errors = [
    ...(to === undefined ? [{ path: 'representative', message: 'is needed: who fills this in for somebody else' }] : []),
    ...(to !== undefined && !to.email && !to.phone && !to.address
      ? [{ path: `${at}email`, message: 'is needed, or a telephone number or an address: otherwise nobody can be answered' }]
      : []),
    ...(form.phone !== undefined && normaliseNumber(form.phone, country) === null
      ? [{ path: 'phone', message: 'is no telephone number' }]
      : []),
  ];
  if (errors.length > 0) throw new Problem('invalid-input', { errors });
}

const formReply = z.object({
  controller: z.string(), address: z.string(), privacyEmail: z.string(), rights: z.array(z.enum(rights)),
});
const received = z.object({
  receipt: z.string().meta({ description: 'To quote when asking after it' }),
  receivedAt: z.iso.datetime(),
  dueAt: z.iso.datetime().meta({ description: 'By when it is answered' }),
});

/** The two operations of the form. 404 while it is off. */
export function portalOperations(context: PrivacyContext): Operation<Caller>[] {
  const { platform, settings, signingKey } = context;
  const { clock, database, log } = platform;
  const guesses = createGuesses(platform, signingKey.derive('privacy portal'));
  const refuseWhenOff = () => {
    if (!settings.privacyPortal) throw new Problem('not-found');
  };

  return [
    operation({
      method: 'get',
      path: '/privacy-portal',
      id: 'readPrivacyPortal',
      tag: 'privacy',
      summary: 'Who answers requests made by the public form; 404 while the form is off',
      action: 'open',
      replies: { 200: { description: 'The form is open', schema: formReply } },
      problems: ['not-found'],
      async handle() {
        refuseWhenOff();
        const { controller, address, privacyEmail } = await organisationOf(database);
        return { status: 200, body: { controller, address, privacyEmail, rights: [...rights] } };
      },
    }),
    operation({
      method: 'post',
      path: '/privacy-portal',
      id: 'askByPortal',
      tag: 'privacy',
      summary: 'Ask for rights by the public form; the answer never tells what is held',
      description:
        'Every form that can be read gets the same answer. Five an hour from one network, two hundred a day in all; 429 tells ' +
        'when to come back. 404 while the form is off.',
      action: 'open',
      body: formSchema,
      bodyLimitBytes: 32 * 1024,
      replies: { 202: { description: 'Received; the clock runs', schema: received } },
      problems: ['not-found', 'too-many-attempts'],
      async handle({ body, request }) {
        refuseWhenOff();
        refuseFaulty(body, settings.defaultCountry);
        const network = networkOf(request.ip ?? '');
        await guesses.record({ of: 'portal', value: network }, { of: 'portal_in_all', value: '' });
        const now = clock.now();
        const receipt = makeReceipt();
        const { dueAt } = dueDates({ receivedAt: now, extended: false, pauses: [] }, now, await calendarOf(database, settings.timeZone));
        // A program filled in what nobody sees. It is told what everybody is told, and learns nothing of it.
        if (body.website) log.info({}, 'a form of the privacy portal was filled in by a program');
        else await takeInForm(context, body, receipt, now);
        return { status: 202, body: { receipt, receivedAt: now.toISOString(), dueAt: dueAt.toISOString() } };
      },
    }),
  ];
}

async function takeInForm(context: PrivacyContext, form: Form, receipt: string, receivedAt: Date): Promise<void> {
  const actsForAnother = form.requesterKind === 'representative' || form.requesterKind === 'parent';
  const { representative } = form;
  await takeIn(context, 'system', {
    receivedAt,
    channel: 'portal',
    rights: form.rights,
    requesterKind: form.requesterKind,
    subject: {
      name: form.name, address: form.address ?? null, organisation: form.organisation ?? null,
      emails: form.email === undefined ? [] : [form.email], phones: form.phone === undefined ? [] : [form.phone],
    },
    representative:
      !actsForAnother || !representative
        ? null
        : {
            name: representative.name, address: representative.address ?? null, email: representative.email ?? null,
            phone: representative.phone ?? null, mandate: null,
          },
    locale: form.locale,
    details: form.details ?? '',
    secret: false,
    receipt,
  });
}
