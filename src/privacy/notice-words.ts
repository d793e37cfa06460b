import { Problem } from '../platform/problem.js';
import type { Answer } from './answer.js';
import { referenceOf } from './request.js';
import { asksIn, ended, onBehalf, whatWasAsked } from './words.js';

/**
 * The words of letters besides the answer: that a request came in, what is asked of the person, an extension, sending on to
 * the company that decides, lifting a restriction, an erasure that has to wait and is carried out after all. In the language
 * of the request.
 */

export const noticeKinds = ['received', 'identity', 'clarification', 'extension', 'forward', 'forwarded', 'lifting', 'held_up', 'erased'] as const;
export type NoticeKind = (typeof noticeKinds)[number];

/** What a letter is made of. */
export interface Facts {
  answer: Answer;
  dueAt: Date;
  originalDueAt: Date;
  /** When it was due before any extension, with the days that the clock stood still: what the person reckons with. */
  firstMonthEndsAt: Date;
  /** Since when the clock stands still; null while it runs. */
  pausedAt: Date | null;
  /** To whom it is, or was, sent on. */
  company: string | null;
  /** Whether the processing of anything is restricted; asked for the letter that says so alone. */
  isRestricted: boolean;
  /** What is granted to be erased and has to wait, by name, under the reason; asked for the letter that says so alone. */
  heldUp: { because: string; names: string[] }[];
  /** What waited and is erased now, by name; asked for the letter that says so alone. */
  erased: string[];
  timeZone: string;
}

type Composed = [subject: string, ...paragraphs: string[]];

const conflict = (detail: string) => new Problem('conflict', { detail });

type Tell = (nl: string, en: string) => string;

/** What came in, and when: `Op 23 november 2026 ontvingen wij uw verzoek om inzage (artikel 15 AVG).` */
const receipt = (answer: Answer, told: Tell, date: (at: Date) => string) =>
  told(
    `Op ${date(answer.request.received_at)} ontvingen wij ${whatWasAsked(answer, 'nl')}${onBehalf(answer, 'nl')}.`,
    `On ${date(answer.request.received_at)} we received ${whatWasAsked(answer, 'en')}${onBehalf(answer, 'en')}.`,
  );

const standsStill = (pausedAt: Date | null, told: Tell, date: (at: Date) => string) =>
  pausedAt === null
    ? ''
    : told(
        `Sinds ${date(pausedAt)} staat de termijn voor ons antwoord stil. Hij loopt verder zodra wij uw reactie op onze vraag hebben.`,
        `Since ${date(pausedAt)} the period for our answer has been suspended. It continues as soon as we have your reply to our question.`,
      );

const twoWeeksMs = 14 * 86_400_000;

/** The subject and the paragraphs of each kind. @throws Problem `conflict` where there is nothing of the kind to tell */
export const composers: Record<NoticeKind, (facts: Facts, told: Tell, date: (at: Date) => string) => Composed> = {
  received: ({ answer, dueAt, pausedAt }, told, date) => [
    told(`Wij hebben uw ${asksIn(answer, 'nl')} ontvangen`, `We have received your ${asksIn(answer, 'en')}`),
    told(
      `${receipt(answer, told, date)} Ons kenmerk is ${referenceOf(answer.request)}; noem dat als u contact met ons opneemt.`,
      `${receipt(answer, told, date)} Our reference is ${referenceOf(answer.request)}; please quote it when you contact us.`,
    ),
    pausedAt !== null
      ? standsStill(pausedAt, told, date)
      : answer.request.extended_at !== null
        ? told(`U krijgt uiterlijk op ${date(dueAt)} antwoord.`, `You will have our answer by ${date(dueAt)} at the latest.`)
        : told(
            `U krijgt uiterlijk op ${date(dueAt)} antwoord. Hebben wij meer tijd of iets van u nodig, dan hoort u dat vóór die datum.`,
            `You will have our answer by ${date(dueAt)} at the latest. If we need more time, or something from you, we tell you before that date.`,
          ),
    answer.processes.some(({ right }) => right === 'objection')
      ? told(
          'Uw bezwaar werkt meteen: terwijl wij erover beslissen gebruiken wij gesprekken die wij van u kennen niet voor training.',
          'Your objection works at once: while we decide on it we do not use calls that we know to be yours for training.',
        )
      : '',
    answer.processes.some(({ right }) => right === 'rectification' || right === 'erasure') && !answer.processes.some(({ right }) => right === 'restriction')
      ? told(
          'Wilt u dat wij uw gegevens intussen alleen bewaren en niet gebruiken? Laat het ons weten, dan beperken wij de verwerking (artikel 18 AVG).',
          'Would you like us only to store your data meanwhile, and not to use them? Tell us and we will restrict the processing (article 18 GDPR).',
        )
      : '',
  ],
  identity: ({ answer, pausedAt }, told, date) => {
    if (answer.request.identified_at !== null) throw conflict('The identity is verified already.');
    const { name, representative } = answer.subject;
    const whom = name ?? told('deze persoon', 'that person');
    const lightly = [
      ...(representative === null
        ? [
            told('- u antwoordt vanaf het e-mailadres dat wij van u kennen', '- you reply from the e-mail address we know you by'),
            told('- wij bellen u terug op het telefoonnummer dat wij van u kennen', '- we call you back on the telephone number we know you by'),
            told(
              '- u beantwoordt enkele vragen over een gesprek of supportvraag: wanneer, met wie en waarover',
              '- you answer some questions about a call or support question: when, with whom and about what',
            ),
          ]
        : [
            told(`- een machtiging van ${whom}, met de handtekening van ${whom}`, `- a mandate of ${whom}, signed by ${whom}`),
            told(
              '- bent u ouder, voogd, bewindvoerder of curator, dan een stuk waaruit dat blijkt',
              '- or, if you are a parent, guardian or administrator, a document that shows it',
            ),
          ]),
    ].join('\n');
    const first =
      representative === null
        ? told(
            'Voordat wij antwoorden, willen wij zeker weten dat wij uw gegevens niet aan een ander geven (artikel 12 lid 6 AVG). Een van deze manieren is genoeg:',
            'Before we answer we want to be sure that we do not give your data to somebody else (article 12(6) GDPR). One of these ways is enough:',
          )
        : told(
            `Voordat wij antwoorden, willen wij zeker weten dat het om gegevens van ${whom} gaat en dat u namens deze persoon mag optreden (artikel 12 lid 6 AVG). Stuurt u ons daarom een van deze stukken:`,
            `Before we answer we want to be sure that the data are those of ${whom} and that you may act for them (article 12(6) GDPR). Please send us one of these:`,
          );
    return [
      representative === null
        ? told('Wilt u laten weten dat u het bent?', 'Please let us know that it is you')
        : told('Mogen wij zien dat u namens een ander schrijft?', 'Please show us that you may write for somebody else'),
      `${receipt(answer, told, date)} ${first}`,
      lightly,
      representative === null
        ? told(
            'Komen berichten op dat adres of nummer ook bij uw werkgever terecht? Zeg het ons, dan spreken wij een andere weg af.',
            'Do messages to that address or number also reach your employer? Tell us and we will agree on another way.',
          )
        : told(
            `Het kan zijn dat wij ${whom} daarna nog een vraag stellen, om zeker te weten om wiens gegevens het gaat.`,
            `We may then still have a question for ${whom}, to be sure whose data they are.`,
          ),
      told(
        `Alleen als dit alles niet kan, vragen wij een kopie van een identiteitsbewijs${representative === null ? '' : ` van ${whom}`}. Maak daarop het burgerservicenummer én de pasfoto onleesbaar en schrijf erop waarvoor de kopie is. Wij vernietigen de kopie zodra de identiteit vaststaat. Stuur ons geen kopie waarop het nummer of de foto te zien is.`,
        `Only if none of this is possible do we ask for a copy of an identity document${representative === null ? '' : ` of ${whom}`}. Make the citizen service number (BSN) and the photograph unreadable on it and write on it what the copy is for. We destroy the copy as soon as the identity is established. Do not send us a copy that shows the number or the photograph.`,
      ),
      standsStill(pausedAt, told, date),
    ];
  },
  clarification: ({ answer, pausedAt }, told, date) => [
    told('Om welke gegevens gaat het u?', 'Which data is your request about?'),
    told(
      `${receipt(answer, told, date)} Wij hebben veel gegevens waar dat over kan gaan. Kunt u aangeven om welke gesprekken of supportvragen het u gaat, bijvoorbeeld met een periode, een onderwerp of een ticketnummer (overweging 63 AVG)?`,
      `${receipt(answer, told, date)} We have a great deal of data that it may be about. Could you tell us which calls or support questions you mean, for instance by a period, a subject or a ticket number (recital 63 GDPR)?`,
    ),
    told('U hoeft uw verzoek niet te beperken. Wilt u alles, laat dat dan weten.', 'You need not narrow your request. If you want everything, just say so.'),
    standsStill(pausedAt, told, date),
  ],
  extension: ({ answer, dueAt, firstMonthEndsAt, pausedAt }, told, date) => {
    if (answer.request.extended_at === null) throw conflict('The period was not extended.');
    const reason = ended(answer.request.extension_reason ?? '');
    return [
      told(`Wij hebben meer tijd nodig voor uw ${asksIn(answer, 'nl')}`, `We need more time for your ${asksIn(answer, 'en')}`),
      told(
        `${receipt(answer, told, date)} U zou uiterlijk op ${date(firstMonthEndsAt)} antwoord krijgen.`,
        `${receipt(answer, told, date)} You were to have our answer by ${date(firstMonthEndsAt)}.`,
      ),
      told(
        `Dat lukt ons niet. De reden: ${reason} Daarom verlengen wij de termijn, zoals artikel 12 lid 3 AVG toestaat.${pausedAt === null ? ` U krijgt uiterlijk op ${date(dueAt)} antwoord.` : ''}`,
        `We cannot manage that. The reason: ${reason} We therefore extend the period, as article 12(3) GDPR allows.${pausedAt === null ? ` You will have our answer by ${date(dueAt)} at the latest.` : ''}`,
      ),
      // While the clock stands still its end moves along: no date can be promised.
      standsStill(pausedAt, told, date),
    ];
  },
  forward: ({ answer, originalDueAt, company }, told, date) => {
    if (company === null) throw conflict('The organisation to which it is sent on is not filled in.');
    const { subject } = answer;
    const lines = (each: readonly (string | null)[]) =>
      each.filter((part) => part !== null && part !== '').map((part) => `- ${(part ?? '').replaceAll(/\s*\n\s*/g, ', ')}`).join('\n');
    const { representative: acts } = subject;
    return [
      told('Doorzending van een verzoek van een betrokkene', 'A data subject’s request sent on to you'),
      told(
        `Op ${date(answer.request.received_at)} ontvingen wij ${whatWasAsked(answer, 'nl', 'een')}${onBehalf(answer, 'nl')}. Het gaat om gegevens die wij in uw opdracht verwerken: u bent daarvoor de verwerkingsverantwoordelijke. Wij zenden het verzoek daarom aan u door, en laten dat aan de aanvrager weten.`,
        `On ${date(answer.request.received_at)} we received ${whatWasAsked(answer, 'en', 'a')}${onBehalf(answer, 'en')}. It is about data that we process on your instructions: you are their controller. We therefore send the request on to you, and tell the person so.`,
      ),
      told('Het verzoek is van:', 'The request comes from:'),
      lines([subject.name, answer.request.requester_kind === 'company' ? subject.organisation : null, subject.address, ...subject.emails, ...subject.phones]),
      acts === null ? '' : told('Namens deze persoon schrijft:', 'On behalf of this person writes:'),
      acts === null ? '' : lines([acts.name, acts.address, acts.email, acts.phone, acts.mandate]),
      subject.details === '' ? '' : told(`In eigen woorden: “${subject.details.trim()}”`, `In their own words: “${subject.details.trim()}”`),
      told(
        `Houd er rekening mee dat de termijn van een maand is gaan lopen toen wij het verzoek ontvingen; dan eindigt hij op ${date(originalDueAt)} (artikel 12 lid 3 AVG). Wij hebben niets verstrekt, verbeterd of verwijderd. Laat ons weten welke gegevens u voor uw antwoord nodig hebt; wij helpen u daarbij (artikel 28 lid 3 onder e AVG).`,
        `Please reckon with the period of one month having begun when we received the request; it then ends on ${date(originalDueAt)} (article 12(3) GDPR). We have handed over, corrected and erased nothing. Tell us which data you need for your answer; we will assist you (article 28(3)(e) GDPR).`,
      ),
    ];
  },
  forwarded: ({ answer, company }, told, date) => {
    if (company === null) throw conflict('The organisation to which it is sent on is not filled in.');
    return [
      told(`Uw ${asksIn(answer, 'nl')} is doorgestuurd`, `Your ${asksIn(answer, 'en')} was sent on`),
      told(
        `${receipt(answer, told, date)} Het gaat om gegevens die wij verwerken in opdracht van ${company}. Die organisatie beslist erover; wij mogen u niet zelf antwoord geven.`,
        `${receipt(answer, told, date)} It is about data that we process on the instructions of ${company}. That organisation decides about them; we may not answer you ourselves.`,
      ),
      told(
        `Wij hebben uw ${asksIn(answer, 'nl')} daarom doorgestuurd aan ${company}. Van die organisatie krijgt u antwoord. Hoort u niets, neem dan daar contact op; lukt dat niet, laat het ons dan weten.`,
        `We have therefore sent your ${asksIn(answer, 'en')} on to ${company}. You will have an answer from them. If you hear nothing, please contact them; if that does not help, tell us.`,
      ),
    ];
  },
  lifting: ({ answer, isRestricted }, told, date) => {
    if (!isRestricted && !answer.processes.some(({ right }) => right === 'restriction' || right === 'objection'))
      throw conflict('Nothing was restricted.');
    const until = new Date(answer.at.getTime() + twoWeeksMs);
    return [
      told('Wij heffen de beperking van uw gegevens op', 'We are lifting the restriction of your data'),
      told(
        `${receipt(answer, told, date)} Wij hebben het gebruik van de gegevens waar het om gaat beperkt. Wij zijn van plan die beperking op te heffen en laten u dat vooraf weten (artikel 18 lid 3 AVG). Wij doen dat niet vóór ${date(until)}.`,
        `${receipt(answer, told, date)} We have restricted the use of the data it is about. We intend to lift that restriction and tell you so beforehand (article 18(3) GDPR). We will not do so before ${date(until)}.`,
      ),
      told(
        'Wilt u dat wij de gegevens juist verwijderen, of ze nog bewaren, bijvoorbeeld voor een rechtsvordering? Laat het ons dan vóór die datum weten.',
        'Would you rather have us erase the data, or keep them, for a legal claim for instance? Then please tell us before that date.',
      ),
    ];
  },
  held_up: ({ answer, heldUp }, told, date) => {
    if (heldUp.length === 0) throw conflict('No erasure that was granted has to wait.');
    const isPart = answer.processes.some(({ right, outcome }) => right === 'erasure' && outcome === 'partly');
    return [
      told('Een deel van uw gegevens kunnen wij nog niet verwijderen', 'We cannot erase some of your data yet'),
      told(
        `${receipt(answer, told, date)} Wij hebben de verwijdering van uw gegevens ${isPart ? 'gedeeltelijk ' : ''}toegewezen. Wat hieronder staat, hebben wij echter nog niet verwijderd.`,
        `${receipt(answer, told, date)} We granted the erasure of your data${isPart ? ' in part' : ''}. What is listed below, however, we have not erased yet.`,
      ),
      ...heldUp.flatMap(({ because, names }) => [
        told(`De reden: ${because}. Het gaat om:`, `The reason: ${because}. It is about:`),
        names.map((name) => `- ${name}`).join('\n'),
      ]),
      told(
        'Zolang dat zo is, bewaren wij deze gegevens alleen daarvoor en gebruiken wij ze nergens anders voor. Daarna verwijderen wij ze, en dat laten wij u weten.',
        'As long as that is so, we keep these data for that alone and use them for nothing else. After that we erase them, and tell you so.',
      ),
    ];
  },
  erased: ({ answer, erased }, told, date) => {
    if (erased.length === 0) throw conflict('Nothing that had to wait is being erased.');
    return [
      told('Wij verwijderen nu wat wij nog moesten bewaren', 'We are now erasing what we still had to keep'),
      told(
        `${receipt(answer, told, date)} Een deel van uw gegevens konden wij toen nog niet verwijderen. De reden daarvoor is vervallen. Wij verwijderen daarom nu definitief, met de kopieën die wij ervan hebben:`,
        `${receipt(answer, told, date)} Some of your data we could not erase at the time. The reason for that is gone. We are therefore now erasing for good, with the copies we have of it:`,
      ),
      erased.map((name) => `- ${name}`).join('\n'),
      told(
        'Verplicht de wet ons iets langer te bewaren, of is het nodig voor een rechtsvordering (artikel 17 lid 3 AVG), dan wachten wij daarmee tot dat voorbij is. U hoeft verder niets te doen.',
        'Should the law oblige us to keep something longer, or should it be needed for a legal claim (article 17(3) GDPR), we wait with that until it is over. There is nothing further for you to do.',
      ),
    ];
  },
};
