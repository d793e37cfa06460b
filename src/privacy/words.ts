import { dateFormat } from '../platform/date-format.js';
import type { RegisterRow } from '../retention/register.js';
import type { Answer } from './answer.js';
import type { ItemRow } from './items.js';
import { referenceOf } from './request.js';
import { articleOf, type Right, type Told } from './rights.js';

/** The words of letters and packages, in the person's language, and how dates and things are named in them. */

export type Locale = 'nl' | 'en';

export const pick = (told: Told, locale: Locale): string => told[locale];

export function dateIn(at: Date, locale: Locale, timeZone: string): string {
  return dateFormat(locale === 'nl' ? 'nl-NL' : 'en-GB', { timeZone, dateStyle: 'long' }).format(at);
}

export function momentIn(at: Date, locale: Locale, timeZone: string): string {
  return dateFormat(locale === 'nl' ? 'nl-NL' : 'en-GB', { timeZone, dateStyle: 'long', timeStyle: 'short' }).format(at);
}

/** How a letter names a thing: by its date, and a ticket by its number. Of what is gone nobody knows the date any more. */
export function nameOf(item: ItemRow, locale: Locale, timeZone: string): string {
  if (item.kind === 'recording') {
    if (item.started_at === null) return locale === 'nl' ? 'een gesprek dat al is verwijderd' : 'a call that was deleted already';
    const at = momentIn(item.started_at, locale, timeZone);
    return locale === 'nl' ? `gesprek van ${at}` : `call of ${at}`;
  }
  if (item.opened_at === null) return locale === 'nl' ? 'een supportvraag die al is verwijderd' : 'a support question that was deleted already';
  const at = dateIn(item.opened_at, locale, timeZone);
  const number = item.ticket_number === null ? '' : ` ${item.ticket_number}`;
  return locale === 'nl' ? `supportvraag${number} van ${at}` : `support question${number} of ${at}`;
}

/** What somebody wrote, at the end of a sentence: it ends. */
export function ended(text: string): string {
  const trimmed = text.trim();
  return trimmed === '' || /[.!?…]["'”’)]?$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** What somebody wrote, as a sentence among others: it begins with a capital and ends. */
export const sentence = (text: string): string => ended(text).replace(/^\p{Ll}/u, (first) => first.toUpperCase());

export const purposes: Record<'training' | 'evidence' | 'access_request', Told> = {
  training: { nl: 'training van supportmedewerkers', en: 'training of support agents' },
  evidence: { nl: 'bewijs van gemaakte afspraken', en: 'evidence of agreements' },
  access_request: { nl: 'behandeling van uw verzoek', en: 'handling of your request' },
};

export const controllers: Record<RegisterRow['controller'], Told> = {
  organisation: { nl: 'wij', en: 'we' },
  client: { nl: 'uw werkgever of opdrachtgever', en: 'your employer or client' },
};

export const grounds6: Record<'6(1)(b)' | '6(1)(f)', Told> = {
  '6(1)(b)': { nl: 'uitvoering van een overeenkomst (artikel 6 lid 1 onder b AVG)', en: 'performance of a contract (article 6(1)(b) GDPR)' },
  '6(1)(f)': { nl: 'gerechtvaardigd belang (artikel 6 lid 1 onder f AVG)', en: 'legitimate interest (article 6(1)(f) GDPR)' },
};

const lists = { nl: new Intl.ListFormat('nl-NL', { type: 'conjunction' }), en: new Intl.ListFormat('en-GB', { type: 'conjunction' }) };
const listIn = (parts: readonly string[], locale: Locale) => lists[locale].format(parts);

/** How an article, or several (`18(1), 17(1)`), are cited in a letter. */
export function cite(article: string, locale: Locale): string {
  if (article.startsWith('UAVG')) return locale === 'nl' ? `artikel ${article.slice(5)} UAVG` : `article ${article.slice(5)} of the Dutch implementation act (UAVG)`;
  const articles = article.split(', ');
  if (locale === 'en') return `${articles.length > 1 ? 'articles' : 'article'} ${listIn(articles, locale)} GDPR`;
  // As Dutch lawyers write it: artikel 17 lid 3 onder e; article 4 is a list of numbered points.
  const named = articles.map((each) =>
    `artikel ${each.replace(/^4\((\d+)\)$/, '4 onder $1').replace(/\((\d+)\)/g, ' lid $1').replace(/\(([a-z])\)/g, ' onder $1')}`);
  return `${listIn(named, locale)} AVG`;
}

/** How a right is asked for: `inzage`, `verwijdering van uw gegevens`. An objection is not asked for but made. */
export const askedAs: Record<Right, Told> = {
  access: { nl: 'inzage', en: 'access' },
  rectification: { nl: 'correctie', en: 'rectification' },
  erasure: { nl: 'verwijdering', en: 'erasure' },
  restriction: { nl: 'beperking van de verwerking', en: 'restriction of processing' },
  portability: { nl: 'overdracht', en: 'portability' },
  objection: { nl: 'bezwaar tegen de verwerking', en: 'objection to the processing' },
};

/** What came in, in a word: whoever only objects asks for nothing. */
export function asksIn({ processes }: Pick<Answer, 'processes'>, locale: Locale): string {
  const objects = processes.every(({ right }) => right === 'objection');
  return locale === 'nl' ? (objects ? 'bezwaar' : 'verzoek') : objects ? 'objection' : 'request';
}

/** On whose behalf somebody else writes: `, namens Anna Jansen`; empty where the person writes. */
export function onBehalf({ subject }: Pick<Answer, 'subject'>, locale: Locale): string {
  if (subject.representative === null) return '';
  const whom = subject.name ?? (locale === 'nl' ? 'degene namens wie u schrijft' : 'the person for whom you write');
  return locale === 'nl' ? `, namens ${whom}` : `, on behalf of ${whom}`;
}

/**
 * `uw verzoek om inzage (artikel 15 AVG) en uw bezwaar tegen de verwerking (artikel 21 AVG)`; to somebody else than the person
 * `een verzoek om …`.
 */
export function whatWasAsked({ processes }: Pick<Answer, 'processes'>, locale: Locale, whose: 'uw' | 'een' | 'your' | 'a' = locale === 'nl' ? 'uw' : 'your'): string {
  const article = whose === 'a' ? 'an' : whose;
  const named = (right: Right) => `${pick(askedAs[right], locale)} (${cite(articleOf[right], locale)})`;
  const asked = processes.filter(({ right }) => right !== 'objection').map(({ right }) => named(right));
  return listIn(
    [
      ...(asked.length === 0 ? [] : [`${whose} ${locale === 'nl' ? 'verzoek om' : 'request for'} ${listIn(asked, locale)}`]),
      ...(processes.some(({ right }) => right === 'objection') ? [`${article} ${named('objection')}`] : []),
    ],
    locale,
  );
}

/** What stands in every letter, whatever an officer wrote: complaint and petition (art. 12(4) GDPR, art. 35 UAVG). */
export function remediesIn({ organisation, request, processes }: Pick<Answer, 'organisation' | 'request' | 'processes'>, locale: Locale): string {
  const contact = organisation.privacyEmail;
  const reference = referenceOf(request);
  const [asks, objection] = locale === 'nl' ? ['verzoek', 'bezwaar'] : ['request', 'objection'];
  const objects = processes.some(({ right }) => right === 'objection');
  const whole = objects && processes.length === 1 ? objection : objects ? `${asks} ${locale === 'nl' ? 'of' : 'or'} ${objection}` : asks;
  return locale === 'nl'
    ? `## Bent u het niet met ons eens?

Neem gerust contact met ons op${contact === '' ? '' : ` via ${contact}`}, onder vermelding van ${reference}; wij zoeken dan samen naar een oplossing.

U kunt een klacht indienen bij de Autoriteit Persoonsgegevens (artikel 77 AVG): autoriteitpersoonsgegevens.nl, Postbus 93374, 2509 AJ Den Haag.

U kunt ook naar de rechtbank: in een verzoekschrift kunt u vragen ons te bevelen alsnog gevolg te geven aan uw ${whole} (artikel 35 UAVG). Het verzoekschrift moet binnen zes weken nadat u ons antwoord hebt ontvangen bij de rechtbank zijn ingediend; een advocaat is daarvoor niet nodig. Antwoorden wij niet op tijd, dan geldt die termijn van zes weken niet.`
    : `## Do you disagree with us?

Please contact us${contact === '' ? '' : ` at ${contact}`}, quoting ${reference}; we will look for a solution together.

You can lodge a complaint with the supervisory authority, the Autoriteit Persoonsgegevens (article 77 GDPR): autoriteitpersoonsgegevens.nl, Postbus 93374, 2509 AJ Den Haag, the Netherlands.

You can also petition the district court (rechtbank) to order us to act on your ${whole} (article 35 of the Dutch implementation act, UAVG). The petition must be filed with the court within six weeks of receiving our answer; you need no lawyer for that. If we do not answer in time, that limit of six weeks does not apply.`;
}
