import { register, grounds } from '../retention/register.js';
import { decisionOn, disclosed, isAnswered, isOrder, type Answer } from './answer.js';
import { groundOf } from './decide.js';
import { usualFor, type ItemRow } from './items.js';
import { referenceOf, type ProcessRow } from './request.js';
import { rightNames, type Right, type Verdict } from './rights.js';
import { askedAs, cite, controllers, dateIn, grounds6, nameOf, pick, purposes, whatWasAsked, type Locale } from './words.js';

/**
 * Composes the text of a letter: plain text with `## ` before headings and `- ` before items of lists, which an officer can
 * edit. Of a long list the letter names the first; the package names all.
 */

export interface Template {
  opening: string;
  closing: string;
}

const named = 25;

const verdicts: Record<Verdict, { nl: string; en: string }> = {
  grant: { nl: 'toegewezen', en: 'granted' },
  partly: { nl: 'gedeeltelijk toegewezen', en: 'granted in part' },
  refuse: { nl: 'geweigerd', en: 'refused' },
};

const nothingFound = {
  nl: 'Wij hebben gezocht met de gegevens die u ons gaf en geen opnamen of supportvragen van u gevonden. Belde u met een ander of een afgeschermd nummer? Laat ons dan weten wanneer, dan zoeken wij opnieuw.',
  en: 'We searched with the details you gave us and found no recordings or support questions of yours. Did you call from another or a withheld number? Tell us when and we will search again.',
};

/** How a right turned out; of an objection in words of its own. */
function outcomeIn({ right, outcome }: ProcessRow, locale: Locale, isAgain: boolean): string {
  const asked = { nl: askedAs[right].nl, en: askedAs[right].en };
  const isObjection = right === 'objection';
  const sentences: Record<NonNullable<ProcessRow['outcome']>, { nl: string; en: string }> = {
    granted: isObjection
      ? { nl: 'Uw bezwaar is gegrond; wij geven er gevolg aan.', en: 'Your objection is upheld; we act on it.' }
      : { nl: `Wij wijzen uw verzoek om ${asked.nl} toe.`, en: `We grant your request for ${asked.en}.` },
    partly: isObjection
      ? { nl: 'Uw bezwaar is gedeeltelijk gegrond.', en: 'Your objection is upheld in part.' }
      : { nl: `Wij wijzen uw verzoek om ${asked.nl} gedeeltelijk toe.`, en: `We grant your request for ${asked.en} in part.` },
    refused: isObjection
      ? { nl: 'Uw bezwaar is niet gegrond.', en: 'Your objection is rejected.' }
      : { nl: `Wij wijzen uw verzoek om ${asked.nl} af.`, en: `We refuse your request for ${asked.en}.` },
    nothing_found: isAgain ? { nl: 'Ook hiervoor hebben wij niets gevonden.', en: 'For this, too, we found nothing.' } : nothingFound,
    withdrawn: { nl: 'Dit is ingetrokken.', en: 'This was withdrawn.' },
  };
  return outcome === null ? '' : pick(sentences[outcome], locale);
}

/** The editable part of a letter. */
export function composeLetter(answer: Answer, timeZone: string, template: Template): string {
  const { request, processes } = answer;
  const { locale } = request;
  if (isOrder(answer)) return composeReply(answer, timeZone, template);
  const told = (nl: string, en: string) => (locale === 'nl' ? nl : en);
  const date = (at: Date) => dateIn(at, locale, timeZone);
  const asked = whatWasAsked(answer, locale);
  const acts = answer.subject.representative !== null;
  const whom = answer.subject.name ?? told('degene namens wie u schrijft', 'the person on whose behalf you write');
  const parts = [
    told(
      `Op ${date(request.received_at)} ontvingen wij ${asked}${acts ? `, namens ${whom}` : ''}. Dit staat bij ons bekend onder kenmerk ${referenceOf(request)}. Met deze brief geven wij antwoord.${acts ? ` Waar hieronder ‘u’ staat, bedoelen wij ook ${whom}.` : ''}`,
      `On ${date(request.received_at)} we received ${asked}${acts ? `, on behalf of ${whom}` : ''}. Our reference is ${referenceOf(request)}. This letter is our answer.${acts ? ` Where it says ‘you’ below, that includes ${whom}.` : ''}`,
    ),
    template.opening,
  ];
  if (request.identified_at !== null)
    parts.push(told(
      `Op ${date(request.identified_at)} hebben wij vastgesteld ${acts ? `dat het om gegevens van ${whom} gaat en dat u namens deze persoon mag optreden` : 'dat u degene bent om wiens gegevens het gaat'}. Wij bewaren daarvan alleen de wijze waarop en de datum.`,
      `On ${date(request.identified_at)} we established that ${acts ? `the data are those of ${whom} and that you may act for them` : 'you are the person the data are about'}. Of that we keep only the method and the date.`,
    ));
  if (request.extended_at !== null)
    parts.push(told(
      `Op ${date(request.extended_at)} hebben wij de termijn verlengd tot drie maanden na ontvangst (artikel 12 lid 3 AVG). De reden was: ${request.extension_reason ?? ''}`,
      `On ${date(request.extended_at)} we extended the period to three months from receipt (article 12(3) GDPR). The reason was: ${request.extension_reason ?? ''}`,
    ));
  for (const process of processes) parts.push(...aboutProcess(answer, process, timeZone));
  if (processes.some(({ right }) => right === 'access')) parts.push(...aboutProcessing(answer, locale));
  parts.push(template.closing);
  return parts.map((part) => part.trim()).filter((part) => part !== '').join('\n\n');
}

function aboutProcess(answer: Answer, process: ProcessRow, timeZone: string): string[] {
  const { locale } = answer.request;
  const heading = `## ${pick(rightNames[process.right], locale)}`;
  if (!isAnswered(process) && process.state !== 'decided')
    return [
      heading,
      process.right === 'objection'
        ? pick({
            nl: 'Over uw bezwaar beslissen wij nog; u ontvangt daarover apart bericht. Tot die tijd gebruiken wij de gegevens niet voor training en niet als bewijs.',
            en: 'We have yet to decide on your objection and will tell you separately. Until then we do not use the data for training or as evidence.',
          }, locale)
        : pick({ nl: 'Hierover is nog niet beslist.', en: 'This has not been decided yet.' }, locale),
    ];
  // What was looked for in vain is told once.
  const isAgain = answer.processes.find(({ outcome }) => outcome === 'nothing_found')?.id !== process.id;
  const parts = [heading, outcomeIn(process, locale, isAgain), ...whatFollows(answer, process)];
  // The same decision for the same reason is told once.
  const groups = new Map<string, { items: ItemRow[]; text: string }>();
  for (const item of answer.items) {
    const text = reasonOf(answer, item, process, timeZone);
    if (text === undefined) continue;
    const group = groups.get(text) ?? { items: [], text };
    group.items.push(item);
    groups.set(text, group);
  }
  for (const { items, text } of groups.values()) {
    const lines = items.slice(0, named).map((item) => `- ${nameOf(item, locale, timeZone)}`);
    if (items.length > named)
      lines.push(pick({ nl: `- en nog ${items.length - named}, zie het overzicht`, en: `- and ${items.length - named} more, see the overview` }, locale));
    parts.push(text, lines.join('\n'));
  }
  return parts;
}

/** What the person may expect next of a right that was granted, wholly or in part. */
function whatFollows(answer: Answer, { right, outcome }: ProcessRow): string[] {
  const { locale } = answer.request;
  if (outcome !== 'granted' && outcome !== 'partly') return [];
  const recipients =
    answer.disclosures.length === 0
      ? []
      : [{
          nl: 'Wie wij deze gegevens eerder verstrekten, brengen wij hiervan op de hoogte (artikel 19 AVG). Op uw verzoek vertellen wij u wie dat zijn.',
          en: 'Those to whom we gave these data before will be told (article 19 GDPR). If you ask, we tell you who they are.',
        }];
  const texts: Partial<Record<Right, { nl: string; en: string }[]>> = {
    access: [{
      nl: 'Bij deze brief hoort een pakket met de gegevens zelf. Open daarin eerst index.html.',
      en: 'A package with the data themselves goes with this letter. Open index.html in it first.',
    }],
    portability: [{
      nl: 'De bestanden staan in het pakket bij deze brief, in de map portability.',
      en: 'The files are in the package with this letter, in the folder portability.',
    }],
    erasure: [{
      nl: 'Wij verwijderen dit definitief, met de kopieën die wij ervan hebben, zodra dit antwoord is verstuurd.',
      en: 'We delete this for good, with the copies we have of it, once this answer has been sent.',
    }, ...recipients],
    rectification: recipients,
    restriction: recipients,
  };
  return (texts[right] ?? []).map((text) => pick(text, locale));
}

/** The reply to an authority: what its order names, and nothing around it. */
function composeReply(answer: Answer, timeZone: string, template: Template): string {
  const { request } = answer;
  const { locale } = request;
  const told = (nl: string, en: string) => (locale === 'nl' ? nl : en);
  const given = disclosed(answer, 'access').map(({ item }) => `- ${nameOf(item, locale, timeZone)}`);
  const basis = request.authority_basis ?? '';
  const parts = [
    told(
      `Op ${dateIn(request.received_at, locale, timeZone)} ontvingen wij uw bevel, gegrond op: ${basis}. Het staat bij ons bekend onder kenmerk ${referenceOf(request)}.`,
      `On ${dateIn(request.received_at, locale, timeZone)} we received your order, based on: ${basis}. Our reference is ${referenceOf(request)}.`,
    ),
    template.opening,
    given.length === 0
      ? told('Wij hebben niets gevonden dat onder uw bevel valt.', 'We found nothing that your order covers.')
      : told('Hierbij verstrekken wij u wat uw bevel noemt (artikel 6 lid 1 onder c AVG):', 'We herewith hand over what your order names (article 6(1)(c) GDPR):'),
    given.join('\n'),
    ...answer.processes.flatMap((process) => refusedIn(answer, process, timeZone)),
    request.secret
      ? told(
          'Zolang u ons tot geheimhouding verplicht, delen wij dit niet mee aan wie het aangaat. Laat ons weten wanneer die plicht eindigt.',
          'As long as you bind us to secrecy we do not tell those concerned. Please tell us when that duty ends.',
        )
      : '',
    template.closing,
  ];
  return parts.map((part) => part.trim()).filter((part) => part !== '').join('\n\n');
}

/** What an authority is not given, and why. */
function refusedIn(answer: Answer, process: ProcessRow, timeZone: string): string[] {
  const { locale } = answer.request;
  return answer.items.flatMap((item) => {
    const decision = decisionOn(answer, item, process.right);
    if (decision === undefined || decision.decision === 'grant') return [];
    const how = decision.decision === 'refuse' ? pick({ nl: 'Niet verstrekt', en: 'Not handed over' }, locale) : pick({ nl: 'In delen verstrekt', en: 'Handed over in part' }, locale);
    return [`${how}: ${nameOf(item, locale, timeZone)}. ${decision.reason ?? ''}`];
  });
}

/** What is told of a decision: how it turned out, on which article, and why. */
function reasonOf(answer: Answer, item: ItemRow, process: ProcessRow, timeZone: string): string | undefined {
  const { locale } = answer.request;
  const decision = decisionOn(answer, item, process.right);
  const usual = usualFor(item, process.right);
  if (decision === undefined && usual.decides) return undefined;
  const verdict = decision?.decision ?? usual.verdict ?? 'refuse';
  const article = decision?.ground ?? decision?.article ?? usual.article;
  const basis = article === 'other' ? '' : ` (${cite(article, locale)})`;
  // The reason of the law stands for itself where an officer followed it; an officer's own words are told as they are.
  const own = decision?.decided_by === null || decision === undefined ? null : decision.reason;
  const why = own ?? (verdict === usual.verdict ? pick(usual.why, locale) : '');
  const masked =
    (decision?.mask.length ?? 0) > 0
      ? pick({
          nl: ' Passages waarin anderen te horen zijn, zijn onhoorbaar gemaakt (artikel 15 lid 4 AVG).',
          en: ' Passages in which others are heard have been made inaudible (article 15(4) GDPR).',
        }, locale)
      : '';
  const review =
    decision !== undefined && decision.review_at !== null
      ? pick({
          nl: ` Wij bekijken dit opnieuw op ${dateIn(decision.review_at, locale, timeZone)}.`,
          en: ` We will look at this again on ${dateIn(decision.review_at, locale, timeZone)}.`,
        }, locale)
      : '';
  const word = pick(verdicts[verdict], locale);
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}${basis}. ${why}${masked}${review}`.trim();
}

/** What art. 15(1)(a) to (h) asks for. */
function aboutProcessing(answer: Answer, locale: Locale): string[] {
  const rows = register
    .filter(({ policy }) => policy !== null)
    .map((row) => `- ${pick(row.data, locale)} ${pick(row.kept, locale)}; ${pick(grounds[row.ground], locale).toLowerCase()}.${row.purpose === undefined ? '' : ` ${pick(row.purpose, locale)}`}`);
  const elsewhere = register
    .filter(({ policy }) => policy === null)
    .map((row) => `- ${pick(row.data, locale)} ${pick(row.kept, locale)}; ${pick({ nl: 'verantwoordelijk', en: 'controller' }, locale)}: ${pick(controllers[row.controller], locale)}.`);
  const recipients = [...new Set(answer.disclosures.map(({ recipient }) => recipient))];
  const bases = [...new Set(answer.items.map((item) => pick(grounds6[groundOf({ kind: item.kind, relation: item.requester_relation })], locale)))];
  return [
    pick({ nl: '## Hoe wij deze gegevens gebruiken', en: '## How we use these data' }, locale),
    pick({
      nl: `Wij gebruiken gespreksopnamen voor ${pick(purposes.training, 'nl')} en als ${pick(purposes.evidence, 'nl')}, en informatie die u voor supportvragen aanlevert om die te beantwoorden.${bases.length === 0 ? '' : ` De grond is: ${bases.join('; ')}.`}`,
      en: `We use call recordings for ${pick(purposes.training, 'en')} and as ${pick(purposes.evidence, 'en')}, and what you supply for support questions to answer them.${bases.length === 0 ? '' : ` The ground is: ${bases.join('; ')}.`}`,
    }, locale),
    pick({ nl: 'Wij bewaren:', en: 'We keep:' }, locale),
    rows.join('\n'),
    pick({ nl: 'Volgens ons register kunnen daarnaast elders gegevens van u worden verwerkt:', en: 'According to our register, data about you may also be processed elsewhere:' }, locale),
    elsewhere.join('\n'),
    !answer.items.some(({ kind }) => kind === 'recording')
      ? ''
      : recipients.length === 0
      ? pick({ nl: 'Opnamen waarop u te horen bent zijn aan niemand anders verstrekt.', en: 'Recordings in which you are heard were given to nobody else.' }, locale)
      : pick({ nl: `Opnamen waarop u te horen bent zijn verstrekt aan: ${recipients.join(', ')}.`, en: `Recordings in which you are heard were given to: ${recipients.join(', ')}.` }, locale),
    pick({
      nl: 'Andere bedrijven die wij inschakelen, bijvoorbeeld voor opslag, verwerken deze gegevens alleen in onze opdracht. Is een van hen buiten de Europese Economische Ruimte gevestigd, dan gelden de passende waarborgen van artikel 46 AVG.',
      en: 'Other companies we engage, for storage for instance, process these data on our instructions only. Where one of them is established outside the European Economic Area, the appropriate safeguards of article 46 GDPR apply.',
    }, locale),
    !answer.items.some(({ kind }) => kind === 'recording')
      ? ''
      : answer.listens.length === 0
      ? pick({ nl: 'Er is niet naar deze opnamen geluisterd.', en: 'Nobody listened to these recordings.' }, locale)
      : pick({
          nl: `Er is ${answer.listens.length} keer naar deze opnamen geluisterd; het overzicht noemt datum en doel.`,
          en: `These recordings were listened to ${answer.listens.length} times; the overview names date and purpose.`,
        }, locale),
    answer.work === null
      ? ''
      : pick({
          nl: 'U werkt bij ons. Naast uw gesprekken bewaren wij beoordelingen en opmerkingen van trainers: uitkomsten een jaar, de tekst zo lang als de opname. De grond is ons gerechtvaardigd belang bij goede dienstverlening; met de beoordelingen heeft de ondernemingsraad ingestemd (artikel 27 WOR). Klanten zijn in de kopieën onhoorbaar gemaakt.',
          en: 'You work for us. Besides your calls we keep evaluations and comments by trainers: outcomes for a year, the text as long as the recording. The ground is our legitimate interest in good service; the works council has consented to the evaluations (article 27 WOR). Customers have been made inaudible in the copies.',
        }, locale),
    pick({
      nl: 'De gegevens komen van uzelf, uit uw telefoongesprek met ons of uw supportvraag. Wij nemen geen besluiten die alleen op geautomatiseerde verwerking berusten. U hebt recht op correctie, verwijdering, beperking, bezwaar en overdracht.',
      en: 'The data come from yourself, from your call with us or your support question. We take no decisions by automated means alone. You have the right to rectification, erasure, restriction, objection and portability.',
    }, locale),
  ];
}
