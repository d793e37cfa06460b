import { decisionOn, type WholeAnswer } from './answer.js';
import type { Template } from './compose.js';
import { notTheirs } from './decide.js';
import { referenceOf } from './request.js';
import { articleOf } from './rights.js';
import { asksIn, cite, dateIn, ended, nameOf, pick, sentence, whatWasAsked } from './words.js';

/** Answers to those who have no rights of a data subject: an authority with an order, a company. */

const joined = (parts: readonly string[]) => parts.map((part) => part.trim()).filter((part) => part !== '').join('\n\n');

/** The reply to an authority: what its order names, and nothing around it. */
export function composeReply(answer: WholeAnswer, timeZone: string, template: Template): string {
  const { request } = answer;
  const { locale } = request;
  const told = (nl: string, en: string) => (locale === 'nl' ? nl : en);
  const decided = answer.items.flatMap((item) => {
    const decision = decisionOn(answer, item, 'access');
    return decision === undefined ? [] : [{ name: nameOf(item, locale, timeZone), decision }];
  });
  const given = decided.filter(({ decision }) => decision.decision !== 'refuse').map(({ name }) => `- ${name}`);
  const kept = decided
    .filter(({ decision }) => decision.decision !== 'grant')
    .map(({ name, decision }) => `${decision.decision === 'refuse' ? told('Niet verstrekt', 'Not handed over') : told('In delen verstrekt', 'Handed over in part')}: ${name}. ${sentence(decision.reason ?? '')}`);
  const preserved = answer.items
    .filter((item) => (decisionOn(answer, item, 'restriction')?.decision ?? 'refuse') !== 'refuse')
    .map((item) => `- ${nameOf(item, locale, timeZone)}`);
  const basis = request.authority_basis ?? '';
  return joined([
    told(
      `Op ${dateIn(request.received_at, locale, timeZone)} ontvingen wij uw bevel, gegrond op: ${ended(basis)} Het staat bij ons bekend onder kenmerk ${referenceOf(request)}.`,
      `On ${dateIn(request.received_at, locale, timeZone)} we received your order, based on: ${ended(basis)} Our reference is ${referenceOf(request)}.`,
    ),
    template.opening,
    given.length > 0
      ? kept.length > 0
        ? told('Hierbij verstrekken wij u een deel van wat uw bevel noemt (artikel 6 lid 1 onder c AVG):', 'We herewith hand over part of what your order names (article 6(1)(c) GDPR):')
        : told('Hierbij verstrekken wij u wat uw bevel noemt (artikel 6 lid 1 onder c AVG):', 'We herewith hand over what your order names (article 6(1)(c) GDPR):')
      : kept.length > 0
        ? told('Wij verstrekken u op uw bevel niets.', 'We hand over nothing on your order.')
        : preserved.length > 0
          ? ''
          : told('Wij hebben niets gevonden dat wij op uw bevel kunnen verstrekken.', 'We found nothing that we can hand over on your order.'),
    given.join('\n'),
    ...kept,
    preserved.length === 0 ? '' : told('Op uw bevel bewaren wij, zonder het verder te gebruiken:', 'On your order we preserve, without using it otherwise:'),
    preserved.join('\n'),
    request.secret
      ? told(
          'Zolang u ons tot geheimhouding verplicht, delen wij dit niet mee aan degene om wie het gaat. Laat ons weten wanneer die plicht eindigt.',
          'As long as you bind us to secrecy we do not tell the person concerned. Please tell us when that duty ends.',
        )
      : '',
    template.closing,
  ]);
}

/** The answer to a company that asks about people: it learns of none of them whether anything is held. */
export function composeForCompany(answer: WholeAnswer, timeZone: string, template: Template): string {
  const { request } = answer;
  const { locale } = request;
  const told = (nl: string, en: string) => (locale === 'nl' ? nl : en);
  const own = [...answer.decisions.values()].flat().filter(({ decided_by: by, reason }) => by !== null && reason !== null).map(({ reason }) => sentence(reason ?? ''));
  return joined([
    told(
      `Op ${dateIn(request.received_at, locale, timeZone)} ontvingen wij ${whatWasAsked(answer, 'nl')}. Dit staat bij ons bekend onder kenmerk ${referenceOf(request)}. Met deze brief geven wij antwoord.`,
      `On ${dateIn(request.received_at, locale, timeZone)} we received ${whatWasAsked(answer, 'en')}. Our reference is ${referenceOf(request)}. This letter is our answer.`,
    ),
    template.opening,
    `${told(`Wij wijzen uw ${asksIn(answer, 'nl')} af`, `We refuse your ${asksIn(answer, 'en')}`)} (${cite(['4(1)', ...answer.processes.map(({ right }) => articleOf[right])].join(', '), locale)}). ${pick(notTheirs.company.why, locale)}`,
    ...new Set(own),
    template.closing,
  ]);
}
