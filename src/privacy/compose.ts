import { register, grounds } from '../retention/register.js';
import { decisionOn, isAnswered, type Answer } from './answer.js';
import { groundOf } from './decide.js';
import { usualFor, type ItemRow } from './items.js';
import { referenceOf, type ProcessRow } from './request.js';
import { rightNames, type Verdict } from './rights.js';
import { cite, controllers, dateIn, grounds6, nameOf, pick, purposes, rightsIn, type Locale } from './words.js';

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

const outcomes: Record<NonNullable<ProcessRow['outcome']>, { nl: string; en: string }> = {
  granted: { nl: 'Wij wijzen dit toe.', en: 'We grant this.' },
  partly: { nl: 'Wij wijzen dit gedeeltelijk toe.', en: 'We grant this in part.' },
  refused: { nl: 'Wij wijzen dit af.', en: 'We refuse this.' },
  nothing_found: {
    nl: 'Wij hebben gezocht en geen opnamen of supportvragen van u gevonden.',
    en: 'We searched and found no recordings or support questions of yours.',
  },
  withdrawn: { nl: 'Dit is ingetrokken.', en: 'This was withdrawn.' },
};

/** The editable part of a letter. */
export function composeLetter(answer: Answer, timeZone: string, template: Template): string {
  const { request, processes } = answer;
  const { locale } = request;
  const told = (nl: string, en: string) => (locale === 'nl' ? nl : en);
  const date = (at: Date) => dateIn(at, locale, timeZone);
  const parts = [
    told(
      `Op ${date(request.received_at)} ontvingen wij uw verzoek om ${rightsIn(answer, locale)}. Het heeft bij ons kenmerk ${referenceOf(request)}. Met deze brief geven wij antwoord.`,
      `On ${date(request.received_at)} we received your request for ${rightsIn(answer, locale)}. Our reference is ${referenceOf(request)}. This letter is our answer.`,
    ),
    template.opening,
  ];
  if (request.identified_at !== null)
    parts.push(told(
      `Op ${date(request.identified_at)} hebben wij vastgesteld dat u degene bent om wiens gegevens het gaat. Wij bewaren daarvan alleen de wijze waarop en de datum.`,
      `On ${date(request.identified_at)} we established that you are the person the data are about. Of that we keep only the method and the date.`,
    ));
  if (request.extended_at !== null)
    parts.push(told(
      `Op ${date(request.extended_at)} is de termijn verlengd tot drie maanden na ontvangst. Reden: ${request.extension_reason ?? ''}`,
      `On ${date(request.extended_at)} the period was extended to three months from receipt. Reason: ${request.extension_reason ?? ''}`,
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
  const parts = [heading, process.outcome === null ? '' : pick(outcomes[process.outcome], locale)];
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

/** What is told of a decision: how it turned out, on which article, and why. */
function reasonOf(answer: Answer, item: ItemRow, process: ProcessRow, timeZone: string): string | undefined {
  const { locale } = answer.request;
  const decision = decisionOn(answer, item, process.right);
  const usual = usualFor(item, process.right);
  if (decision === undefined && usual.decides) return undefined;
  const verdict = decision?.decision ?? usual.verdict ?? 'refuse';
  const article = decision?.ground ?? decision?.article ?? usual.article;
  const basis = article === 'other' ? '' : ` (${article.startsWith('UAVG') ? article : cite(article, locale)})`;
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
    recipients.length === 0
      ? pick({ nl: 'Opnamen waarop u te horen bent zijn aan niemand anders verstrekt.', en: 'Recordings in which you are heard were given to nobody else.' }, locale)
      : pick({ nl: `Opnamen waarop u te horen bent zijn verstrekt aan: ${recipients.join(', ')}.`, en: `Recordings in which you are heard were given to: ${recipients.join(', ')}.` }, locale),
    answer.listens.length === 0
      ? pick({ nl: 'Er is niet naar deze opnamen geluisterd.', en: 'Nobody listened to these recordings.' }, locale)
      : pick({
          nl: `Er is ${answer.listens.length} keer naar deze opnamen geluisterd; het overzicht noemt datum en doel.`,
          en: `These recordings were listened to ${answer.listens.length} times; the overview names date and purpose.`,
        }, locale),
    pick({
      nl: 'De gegevens komen van uzelf, uit uw telefoongesprek met ons of uw supportvraag. Wij nemen geen besluiten langs uitsluitend geautomatiseerde weg. U hebt recht op correctie, verwijdering, beperking, bezwaar en overdracht.',
      en: 'The data come from yourself, from your call with us or your support question. We take no decisions by automated means alone. You have the right to rectification, erasure, restriction, objection and portability.',
    }, locale),
  ];
}
