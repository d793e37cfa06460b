import { readAnswer, type Answer } from './answer.js';
import { dueDates } from './clock.js';
import { answeredTo, makeLetter, type Addressee, type Letter } from './letter.js';
import { notificationsOf, type Notification } from './notify.js';
import { calendarOf, pausesOf, referenceOf, type PrivacyContext } from './request.js';
import { rectificationsOf } from './rectify.js';
import { Problem } from '../platform/problem.js';
import { dateIn, remediesIn, whatWasAsked } from './words.js';

/**
 * Letters besides the answer: that a request came in, what is asked of the person, an extension, sending on to the company
 * that decides, and telling earlier recipients. Composed in the language of the request; an officer may word them otherwise.
 */

export const noticeKinds = ['received', 'identity', 'clarification', 'extension', 'forward', 'forwarded', 'lifting'] as const;
export type NoticeKind = (typeof noticeKinds)[number];

export interface Notice {
  to: Addressee;
  subject: string;
  /** What an officer may change. */
  text: string;
  /** Complaint and petition, in every letter to the person; empty in one to a company or a recipient. */
  fixed: string;
}

interface Facts {
  answer: Answer;
  dueAt: Date;
  originalDueAt: Date;
  /** Since when the clock stands still; null while it runs. */
  pausedAt: Date | null;
  /** To whom it is, or was, sent on. */
  company: string | null;
  timeZone: string;
}

type Composed = [subject: string, ...paragraphs: string[]];

const conflict = (detail: string) => new Problem('conflict', { detail });

const composers: Record<NoticeKind, (facts: Facts, told: (nl: string, en: string) => string, date: (at: Date) => string) => Composed> = {
  received: ({ answer, dueAt }, told, date) => [
    told('Wij hebben uw verzoek ontvangen', 'We have received your request'),
    told(
      `Op ${date(answer.request.received_at)} ontvingen wij ${whatWasAsked(answer, 'nl')}. Ons kenmerk is ${referenceOf(answer.request)}; noem dat als u contact met ons opneemt.`,
      `On ${date(answer.request.received_at)} we received ${whatWasAsked(answer, 'en')}. Our reference is ${referenceOf(answer.request)}; please quote it when you contact us.`,
    ),
    told(
      `U krijgt uiterlijk op ${date(dueAt)} antwoord. Hebben wij meer tijd of iets van u nodig, dan hoort u dat vóór die datum.`,
      `You will have our answer by ${date(dueAt)} at the latest. If we need more time, or something from you, we tell you before that date.`,
    ),
    answer.processes.some(({ right }) => right === 'objection')
      ? told(
          'Uw bezwaar werkt meteen: terwijl wij erover beslissen gebruiken wij gesprekken die wij van u kennen niet voor training.',
          'Your objection works at once: while we decide on it we do not use calls that we know to be yours for training.',
        )
      : '',
    answer.processes.some(({ right }) => right === 'rectification' || right === 'erasure')
      ? told(
          'Wilt u dat wij uw gegevens intussen alleen bewaren en niet gebruiken? Laat het ons weten, dan beperken wij de verwerking (artikel 18 AVG).',
          'Would you like us only to store your data meanwhile, and not to use them? Tell us and we will restrict the processing (article 18 GDPR).',
        )
      : '',
  ],
  identity: ({ answer, pausedAt }, told, date) => {
    if (answer.request.identified_at !== null) throw conflict('The identity is verified already.');
    return [
      told('Wilt u laten weten dat u het bent?', 'Please let us know that it is you'),
      told(
        `Op ${date(answer.request.received_at)} ontvingen wij ${whatWasAsked(answer, 'nl')}. Voordat wij antwoorden willen wij zeker weten dat wij uw gegevens niet aan een ander geven (artikel 12 lid 6 AVG). Een van deze manieren is genoeg:`,
        `On ${date(answer.request.received_at)} we received ${whatWasAsked(answer, 'en')}. Before we answer we want to be sure that we do not give your data to somebody else (article 12(6) GDPR). One of these ways is enough:`,
      ),
      told(
        '- u antwoordt vanaf het e-mailadres dat wij van u kennen\n- wij bellen u terug op het telefoonnummer dat wij van u kennen\n- u beantwoordt enkele vragen over een gesprek of supportvraag: wanneer, met wie en waarover',
        '- you reply from the e-mail address we know you by\n- we call you back on the telephone number we know you by\n- you answer some questions about a call or support question: when, with whom and about what',
      ),
      told(
        'Komen berichten op dat adres of nummer ook bij uw werkgever terecht? Zeg het ons, dan spreken wij een andere weg af.',
        'Do messages to that address or number also reach your employer? Tell us and we will agree on another way.',
      ),
      told(
        'Alleen als dit alles niet kan, vragen wij een kopie van een identiteitsbewijs. Maak daarop uw burgerservicenummer én uw pasfoto onleesbaar en schrijf erop waarvoor de kopie is. Wij vernietigen de kopie zodra wij weten wie u bent. Stuur ons geen kopie waarop het nummer of de foto te zien is.',
        'Only if none of this is possible do we ask for a copy of an identity document. Make your citizen service number (BSN) and your photograph unreadable on it and write on it what the copy is for. We destroy the copy as soon as we know who you are. Do not send us a copy that shows the number or the photograph.',
      ),
      pausedAt === null
        ? ''
        : told(
            `Sinds ${date(pausedAt)} staat de termijn stil. Hij loopt verder zodra wij uw reactie hebben.`,
            `Since ${date(pausedAt)} the clock has stood still. It runs on as soon as we have your reply.`,
          ),
    ];
  },
  clarification: ({ answer, pausedAt }, told, date) => [
    told('Kunt u aangeven waarom het u gaat?', 'Could you tell us what your request is about?'),
    told(
      `Op ${date(answer.request.received_at)} ontvingen wij ${whatWasAsked(answer, 'nl')}. Wij hebben veel gegevens die van u kunnen zijn. Kunt u aangeven om welke gesprekken of supportvragen het u gaat, bijvoorbeeld met een periode, een onderwerp of een ticketnummer (overweging 63 AVG)?`,
      `On ${date(answer.request.received_at)} we received ${whatWasAsked(answer, 'en')}. We have a great deal of data that may be yours. Could you tell us which calls or support questions it is about, for instance by a period, a subject or a ticket number (recital 63 GDPR)?`,
    ),
    told('U hoeft uw verzoek niet te beperken. Wilt u alles, laat dat dan weten.', 'You need not narrow your request. If you want everything, just say so.'),
    pausedAt === null
      ? ''
      : told(
          `Sinds ${date(pausedAt)} staat de termijn stil. Hij loopt verder zodra wij uw reactie hebben.`,
          `Since ${date(pausedAt)} the clock has stood still. It runs on as soon as we have your reply.`,
        ),
  ],
  extension: ({ answer, dueAt, originalDueAt }, told, date) => {
    if (answer.request.extended_at === null) throw conflict('The period was not extended.');
    const reason = answer.request.extension_reason ?? '';
    return [
      told('Wij hebben meer tijd nodig voor uw verzoek', 'We need more time for your request'),
      told(
        `Op ${date(answer.request.received_at)} ontvingen wij ${whatWasAsked(answer, 'nl')}. U zou uiterlijk op ${date(originalDueAt)} antwoord krijgen.`,
        `On ${date(answer.request.received_at)} we received ${whatWasAsked(answer, 'en')}. You were to have our answer by ${date(originalDueAt)}.`,
      ),
      told(
        `Dat lukt ons niet. De reden is: ${reason} Daarom verlengen wij de termijn, zoals artikel 12 lid 3 AVG toestaat. U krijgt uiterlijk op ${date(dueAt)} antwoord.`,
        `We cannot manage that. The reason is: ${reason} We therefore extend the period, as article 12(3) GDPR allows. You will have our answer by ${date(dueAt)} at the latest.`,
      ),
    ];
  },
  forward: ({ answer, dueAt, company }, told, date) => {
    if (company === null) throw conflict('The organisation to which it is sent on is not filled in.');
    const { subject } = answer;
    const person = [subject.name, subject.address, ...subject.emails, ...subject.phones].filter((each) => each !== null && each !== '');
    return [
      told('Doorzending van een verzoek van een betrokkene', 'A data subject’s request sent on to you'),
      told(
        `Op ${date(answer.request.received_at)} ontvingen wij ${whatWasAsked(answer, 'nl', 'een')}. Het gaat om gegevens die wij in uw opdracht verwerken: u bent daarvoor de verwerkingsverantwoordelijke. Wij zenden het verzoek daarom aan u door, en hebben dat aan de aanvrager laten weten.`,
        `On ${date(answer.request.received_at)} we received ${whatWasAsked(answer, 'en', 'a')}. It is about data that we process on your instructions: you are their controller. We therefore send the request on to you, and have told the person so.`,
      ),
      told('Het verzoek is van:', 'The request comes from:'),
      person.map((each) => `- ${(each ?? '').replaceAll('\n', ', ')}`).join('\n'),
      subject.details === '' ? '' : told(`In eigen woorden: ${subject.details}`, `In their own words: ${subject.details}`),
      told(
        `De termijn van een maand is gaan lopen toen wij het verzoek ontvingen en eindigt op ${date(dueAt)} (artikel 12 lid 3 AVG). Wij hebben niets verstrekt, verbeterd of verwijderd. Laat ons weten welke gegevens u voor uw antwoord nodig hebt; wij helpen u daarbij (artikel 28 lid 3 onder e AVG).`,
        `The period of one month began when we received the request and ends on ${date(dueAt)} (article 12(3) GDPR). We have handed over, corrected and deleted nothing. Tell us which data you need for your answer; we will assist you (article 28(3)(e) GDPR).`,
      ),
    ];
  },
  forwarded: ({ answer, company }, told, date) => {
    if (company === null) throw conflict('The organisation to which it is sent on is not filled in.');
    return [
      told('Uw verzoek is doorgestuurd', 'Your request was sent on'),
      told(
        `Op ${date(answer.request.received_at)} ontvingen wij ${whatWasAsked(answer, 'nl')}. Het gaat om gegevens die wij verwerken in opdracht van ${company}. Die organisatie beslist erover; wij mogen uw verzoek niet zelf beantwoorden.`,
        `On ${date(answer.request.received_at)} we received ${whatWasAsked(answer, 'en')}. It is about data that we process on the instructions of ${company}. That organisation decides about them; we may not answer your request ourselves.`,
      ),
      told(
        `Wij hebben uw verzoek daarom doorgestuurd aan ${company}. Van die organisatie krijgt u antwoord. Hoort u niets, neem dan daar contact op; lukt dat niet, laat het ons dan weten.`,
        `We have therefore sent your request on to ${company}. You will have an answer from them. If you hear nothing, please contact them; if that does not help, tell us.`,
      ),
    ];
  },
  lifting: ({ answer }, told, date) => [
    told('Wij heffen de beperking van uw gegevens op', 'We are lifting the restriction of your data'),
    told(
      `Naar aanleiding van ${whatWasAsked(answer, 'nl')} van ${date(answer.request.received_at)} bewaren wij uw gegevens sindsdien alleen nog, zonder ze te gebruiken. Wij laten u vooraf weten dat wij die beperking opheffen (artikel 18 lid 3 AVG).`,
      `Following ${whatWasAsked(answer, 'en')} of ${date(answer.request.received_at)} we have only stored your data since, without using them. We tell you beforehand that we are lifting that restriction (article 18(3) GDPR).`,
    ),
    told(
      'Wilt u dat wij de gegevens juist verwijderen, of ze nog bewaren, bijvoorbeeld voor een rechtsvordering? Laat het ons weten voordat de beperking eindigt.',
      'Would you rather have us delete the data, or keep them, for a legal claim for instance? Tell us before the restriction ends.',
    ),
  ],
};

async function factsOf(context: PrivacyContext, id: string): Promise<Facts> {
  const { platform: { clock, database }, settings: { timeZone } } = context;
  const answer = { ...(await readAnswer(context, id)), at: clock.now() };
  const { request, subject } = answer;
  const pauses = await pausesOf(database, id);
  const facts = { receivedAt: request.received_at, extended: request.extended_at !== null, pauses };
  const dates = dueDates(facts, clock.now(), await calendarOf(database, timeZone));
  const [closing] = await database.query<{ to: string | null }>(
    `SELECT split_part(note, E'\\n', 1) AS to FROM privacy_events
     WHERE request_id = $1 AND kind = 'closed' AND details->>'sentOn' = 'true' ORDER BY at DESC LIMIT 1`,
    [id],
  );
  return {
    answer, timeZone, dueAt: dates.dueAt, originalDueAt: dates.originalDueAt, company: closing?.to ?? subject.organisation,
    pausedAt: pauses.find(({ resumedAt }) => resumedAt === null)?.pausedAt ?? null,
  };
}

/** A letter as it would be now. @throws Problem `not-found`, `conflict` where there is nothing of the kind to tell */
export async function composeNotice(context: PrivacyContext, id: string, kind: NoticeKind): Promise<Notice & { answer: Answer }> {
  const facts = await factsOf(context, id);
  const { answer, company } = facts;
  const { locale } = answer.request;
  const told = (nl: string, en: string) => (locale === 'nl' ? nl : en);
  const [subject, ...paragraphs] = composers[kind](facts, told, (at) => dateIn(at, locale, facts.timeZone));
  return {
    answer,
    to: kind === 'forward' ? { name: company, address: null } : answeredTo(answer),
    subject: `${subject} (${referenceOf(answer.request)})`,
    text: paragraphs.filter((part) => part !== '').join('\n\n'),
    fixed: kind === 'forward' ? '' : remediesIn(answer, locale),
  };
}

/** The letter, in an officer's words or as composed. */
export function noticeLetter({ answer, to, subject, text, fixed }: Notice & { answer: Answer }, kind: NoticeKind | 'recipient', timeZone: string): Letter {
  const isAboutPerson = kind !== 'forward' && kind !== 'recipient';
  return makeLetter(answer, to, { subject, text: fixed === '' ? text : `${text}\n\n${fixed}`, isAboutPerson }, timeZone);
}

const asked: Record<string, { nl: string; en: string }> = {
  erasure: {
    nl: 'Deze gegevens zijn op verzoek van de betrokkene gewist. Wij verzoeken u uw exemplaar en alle kopieën te wissen, tenzij een wettelijke plicht of een rechtsvordering u dwingt ze te bewaren. Laat ons in dat geval weten waarom.',
    en: 'These data were erased at the request of the person concerned. We ask you to erase your copy and all further copies, unless a legal duty or claim obliges you to keep them. In that case please tell us why.',
  },
  rectification: {
    nl: 'Deze gegevens zijn op verzoek van de betrokkene gecorrigeerd of aangevuld. Wij verzoeken u dat in uw exemplaar over te nemen:',
    en: 'These data were corrected or completed at the request of the person concerned. We ask you to do the same in your copy:',
  },
  restriction: {
    nl: 'De verwerking van deze gegevens is op verzoek van de betrokkene beperkt. Wij verzoeken u ze alleen te bewaren en verder niet te gebruiken, behalve in de gevallen van artikel 18 lid 2 AVG.',
    en: 'The processing of these data was restricted at the request of the person concerned. We ask you only to store them and not to use them otherwise, except in the cases of article 18(2) GDPR.',
  },
};

/** The letter to an earlier recipient (art. 19 GDPR). It names what was handed over by its reference, and nobody. @throws Problem `not-found` */
export async function composeRecipientLetter(context: PrivacyContext, id: string, notificationId: string): Promise<Notice & { answer: Answer }> {
  const { platform: { clock, database }, settings: { timeZone } } = context;
  const answer = { ...(await readAnswer(context, id)), at: clock.now() };
  const { locale } = answer.request;
  const told = (nl: string, en: string) => (locale === 'nl' ? nl : en);
  const notification: Notification | undefined = (await notificationsOf(database, id)).find((each) => each.id === notificationId);
  if (notification === undefined) throw new Problem('not-found');
  const { right, recipient, reference, disclosedAt } = notification;
  const changes = right !== 'rectification' ? [] : (await rectificationsOf(database, id)).filter((each) => each.recordingId !== null).map((each) =>
    each.statement === null
      ? `- ${each.newValue ?? ''} ${told(`(in plaats van: ${each.oldValue ?? ''})`, `(instead of: ${each.oldValue ?? ''})`)}`
      : `- ${told('Verklaring van de betrokkene', 'Statement of the person concerned')}: ${each.statement.replaceAll('\n', ' ')}`,
  );
  const when = disclosedAt === null ? '' : told(` op ${dateIn(disclosedAt, locale, timeZone)}`, ` on ${dateIn(disclosedAt, locale, timeZone)}`);
  return {
    answer,
    to: { name: recipient, address: null },
    subject: told(`Gegevens die wij u verstrekten${reference === null ? '' : `, ${reference}`}`, `Data that we gave you${reference === null ? '' : `, ${reference}`}`),
    text: [
      told(
        `Wij verstrekten u${when} gespreksopnamen${reference === null ? '' : ` onder kenmerk ${reference}`}. Op grond van artikel 19 AVG berichten wij u daarover het volgende.`,
        `We gave you call recordings${when}${reference === null ? '' : ` under reference ${reference}`}. Under article 19 GDPR we inform you of the following.`,
      ),
      told(asked[right]?.nl ?? '', asked[right]?.en ?? ''),
      changes.join('\n'),
      told(
        'Hebt u de gegevens aan anderen doorgegeven, geef dit bericht dan ook aan hen door.',
        'If you passed the data on to others, please pass this message on to them as well.',
      ),
    ].filter((part) => part !== '').join('\n\n'),
    fixed: '',
  };
}
