import { isAnswered, isAwaited, isForCompany, isOrder, type WholeAnswer } from './answer.js';
import { composeForCompany, composeReply } from './compose-others.js';
import { aboutProcessing, named } from './compose-processing.js';
import type { ItemRow } from './items.js';
import { outcomeIn, reasonOf, remarksOn, whatFollows } from './outcomes.js';
import { referenceOf, type ProcessRow } from './request.js';
import { rightNames } from './rights.js';
import { dateIn, ended, nameOf, onBehalf, pick, whatWasAsked } from './words.js';

/**
 * Composes the text of a letter: plain text with `## ` before headings and `- ` before items of lists, which an officer can
 * edit. Of a long list the letter names the first; the package names all.
 */

export interface Template {
  opening: string;
  closing: string;
}

/** The editable part of a letter. */
export function composeLetter(answer: WholeAnswer, timeZone: string, template: Template): string {
  const { request, processes } = answer;
  const { locale } = request;
  if (isOrder(answer)) return composeReply(answer, timeZone, template);
  if (isForCompany(answer)) return composeForCompany(answer, timeZone, template);
  const told = (nl: string, en: string) => (locale === 'nl' ? nl : en);
  const date = (at: Date) => dateIn(at, locale, timeZone);
  const asked = `${whatWasAsked(answer, locale)}${onBehalf(answer, locale)}`;
  const acts = answer.subject.representative !== null;
  const whom = answer.subject.name ?? told('degene namens wie u schrijft', 'the person for whom you write');
  const about = processes.map((process) => aboutProcess(answer, process, timeZone));
  const hasPackage = processes.some(({ right, outcome }) => (right === 'access' || right === 'portability') && (outcome === 'granted' || outcome === 'partly'));
  const parts = [
    told(
      `Op ${date(request.received_at)} ontvingen wij ${asked}. Dit staat bij ons bekend onder kenmerk ${referenceOf(request)}. Met deze brief geven wij antwoord.${acts ? ` Waar hieronder ‘u’ staat, bedoelen wij ook ${whom}.` : ''}`,
      `On ${date(request.received_at)} we received ${asked}. Our reference is ${referenceOf(request)}. This letter is our answer.${acts ? ` Where it says ‘you’ below, that includes ${whom}.` : ''}`,
    ),
    template.opening,
  ];
  if (request.identified_at !== null)
    parts.push(told(
      `Op ${date(request.identified_at)} hebben wij vastgesteld ${acts ? `dat het om gegevens van ${whom} gaat en dat u namens deze persoon mag optreden` : 'dat u degene bent om wiens gegevens het gaat'}. Wij bewaren daarvan alleen hoe, wanneer en door wie dat is vastgesteld.`,
      `On ${date(request.identified_at)} we established that ${acts ? `the data are those of ${whom} and that you may act for them` : 'you are the person the data are about'}. Of that we keep only how, when and by whom it was established.`,
    ));
  if (request.extended_at !== null)
    parts.push(told(
      `Op ${date(request.extended_at)} hebben wij de termijn verlengd tot drie maanden na ontvangst (artikel 12 lid 3 AVG). De reden: ${ended(request.extension_reason ?? '')}`,
      `On ${date(request.extended_at)} we extended the period to three months from receipt (article 12(3) GDPR). The reason: ${ended(request.extension_reason ?? '')}`,
    ));
  parts.push(...about.flatMap(({ paragraphs }) => paragraphs));
  if (!hasPackage && about.some(({ isShortened }) => isShortened))
    parts.push(told('Bij deze brief hoort een pakket met een overzicht waarin alles staat. Open daarin index.html.', 'A package with an overview of everything goes with this letter. Open index.html in it.'));
  if (processes.some(({ right }) => right === 'access')) parts.push(...aboutProcessing(answer, timeZone));
  parts.push(template.closing);
  return parts.map((part) => part.trim()).filter((part) => part !== '').join('\n\n');
}

function aboutProcess(answer: WholeAnswer, process: ProcessRow, timeZone: string): { paragraphs: string[]; isShortened: boolean } {
  const { locale } = answer.request;
  const heading = `## ${pick(rightNames[process.right], locale)}`;
  if (!isAnswered(process) && !isAwaited(process) && process.outcome !== 'withdrawn')
    return {
      isShortened: false,
      paragraphs: [
        heading,
        process.right === 'objection'
          ? pick({
              nl: 'Over uw bezwaar beslissen wij nog; u ontvangt daarover apart bericht. Tot die tijd gebruiken wij de gegevens niet voor training en niet als bewijs.',
              en: 'We have yet to decide on your objection and will tell you separately. Until then we do not use the data for training or as evidence.',
            }, locale)
          : pick({ nl: 'Hierover is nog niet beslist.', en: 'This has not been decided yet.' }, locale),
      ],
    };
  const paragraphs = [heading, outcomeIn(answer, process, locale), ...whatFollows(answer, process)];
  // The same decision for the same reason is told once.
  const groups = new Map<string, ItemRow[]>();
  for (const item of answer.items) {
    const text = reasonOf(answer, item, process);
    if (text !== undefined) groups.set(text, [...(groups.get(text) ?? []), item]);
  }
  for (const [text, items] of groups) {
    const lines = items.slice(0, named).map((item) => `- ${nameOf(item, locale, timeZone)}${remarksOn(answer, item, process, timeZone)}`);
    const more = items.length - named;
    if (more > 0) lines.push(pick({ nl: `- en nog ${more}; het overzicht in het pakket noemt ze alle`, en: `- and ${more} more; the overview in the package names them all` }, locale));
    paragraphs.push(text, lines.join('\n'));
  }
  return { paragraphs, isShortened: [...groups.values()].some(({ length }) => length > named) };
}
