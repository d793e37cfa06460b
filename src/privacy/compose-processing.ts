import { register, grounds, type RegisterRow } from '../retention/register.js';
import { decisionOn, type Answer, type WholeAnswer } from './answer.js';
import { groundOf } from './decide.js';
import { thePerson } from './notify.js';
import { controllers, dateIn, grounds6, pick, purposes, type Locale } from './words.js';

/** What art. 15(1)(a) to (h) and 15(2) GDPR ask for, in every answer to a request for access. */

/** Of a long list a letter names so many. */
export const named = 25;

const bare = (text: string) => text.replace(/\.$/, '');
/** As it stands within a sentence; `Eén` has its other accent only where it begins with a capital. */
const lower = (text: string) => text.replace(/^Eén/, 'één').replace(/^\p{Lu}(?!\p{Lu})/u, (first) => first.toLowerCase());

/** What is kept of a kind of data, how long, on which ground and for what: one line of a list. */
function keptIn(row: RegisterRow, locale: Locale): string {
  const purpose = row.purpose === undefined ? '' : `; ${pick({ nl: 'doel', en: 'purpose' }, locale)}: ${lower(bare(pick(row.purpose, locale))).replace('; ', pick({ nl: ' en ', en: ' and ' }, locale))}`;
  return `- ${bare(pick(row.data, locale))}: ${lower(pick(row.kept, locale))}; ${pick({ nl: 'grond', en: 'ground' }, locale)}: ${lower(pick(grounds[row.ground], locale))}${purpose}.`;
}

/** Who decides about data of the register, by name where it is the organisation itself. */
export const controllerOf = ({ controller }: RegisterRow, { organisation, request: { locale } }: Pick<Answer, 'organisation' | 'request'>): string =>
  controller === 'organisation' && organisation.controller !== '' ? organisation.controller : pick(controllers[controller], locale);

/** To whom something was handed over, as the person knows them. */
export function recipientIn({ recipient, reference }: Answer['disclosures'][number], { earlier, request: { locale } }: Pick<Answer, 'earlier' | 'request'>): string {
  if (recipient !== thePerson) return recipient;
  return earlier.some((each) => each.reference === reference)
    ? pick({ nl: 'uzelf, op een eerder verzoek', en: 'yourself, on an earlier request' }, locale)
    : pick({ nl: 'iemand anders die op de opname te horen is', en: 'somebody else who is heard in the recording' }, locale);
}

const roles: Record<string, { nl: string; en: string }> = {
  storage: { nl: 'opslag', en: 'storage' },
  database: { nl: 'gegevensbank', en: 'database' },
  speech_to_text: { nl: 'omzetten van spraak in tekst', en: 'turning speech into text' },
};

/** Who handles the data for the organisation, with what they do and where. */
export const processorIn = ({ role, name, region }: Answer['processors'][number], locale: Locale): string =>
  `${name} (${[pick(roles[role] ?? { nl: role, en: role }, locale), region].filter((part) => part !== '').join(', ')})`;

/** When was listened, and for what: each day and purpose once. */
function listensIn({ listens, request: { locale } }: WholeAnswer, timeZone: string): string[] {
  const counts = new Map<string, number>();
  for (const { at, purpose } of listens) {
    const line = `${dateIn(at, locale, timeZone)}: ${pick(purposes[purpose], locale)}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].map(([line, count]) => `- ${line}${count === 1 ? '' : ` (${count}×)`}`);
}

function aboutListening(answer: WholeAnswer, timeZone: string): string[] {
  const { locale } = answer.request;
  const { length } = answer.listens;
  const isOne = answer.items.filter(({ kind }) => kind === 'recording').length === 1;
  if (length === 0)
    return [pick(
      isOne
        ? { nl: 'Er is niet naar deze opname geluisterd.', en: 'Nobody listened to this recording.' }
        : { nl: 'Er is niet naar deze opnamen geluisterd.', en: 'Nobody listened to these recordings.' },
      locale,
    )];
  const counted = pick({
    nl: `Er is ${length === 1 ? 'één' : length} keer naar deze ${isOne ? 'opname' : 'opnamen'} geluisterd`,
    en: `${isOne ? 'This recording was' : 'These recordings were'} listened to ${length === 1 ? 'once' : `${length} times`}`,
  }, locale);
  const isInPackage = answer.items.some((item) => item.kind === 'recording' && (decisionOn(answer, item, 'access')?.decision ?? 'refuse') !== 'refuse');
  if (isInPackage) return [pick({ nl: `${counted}; het overzicht in het pakket noemt datum en doel.`, en: `${counted}; the overview in the package names date and purpose.` }, locale)];
  const lines = listensIn(answer, timeZone);
  const more = lines.length - named;
  return [
    `${counted}:`,
    [...lines.slice(0, named), ...(more > 0 ? [pick({ nl: `- en op nog ${more} dagen; vraag ons gerust om de hele lijst`, en: `- and on ${more} more days; ask us for the whole list` }, locale)] : [])].join('\n'),
  ];
}

function aboutRecipients(answer: Answer, timeZone: string): string {
  const { locale } = answer.request;
  const recipients = [...new Set(answer.disclosures.map((each) => `${recipientIn(each, answer)} (${dateIn(each.disclosedAt, locale, timeZone)})`))];
  return recipients.length === 0
    ? pick({ nl: 'Opnamen waarop u te horen bent, zijn aan niemand anders verstrekt.', en: 'Recordings in which you are heard were given to nobody else.' }, locale)
    : pick({ nl: `Opnamen waarop u te horen bent, zijn verstrekt aan: ${recipients.join('; ')}.`, en: `Recordings in which you are heard were given to: ${recipients.join('; ')}.` }, locale);
}

function aboutProcessors({ processors, request: { locale } }: Answer): string {
  const names = processors.map((each) => processorIn(each, locale));
  return pick({
    nl: `${names.length === 0 ? 'Andere bedrijven die wij inschakelen, bijvoorbeeld voor opslag,' : `Bedrijven die wij inschakelen (${names.join('; ')})`} verwerken deze gegevens alleen in onze opdracht. Is een van hen buiten de Europese Economische Ruimte gevestigd, dan zijn uw gegevens daar beschermd door een besluit van de Europese Commissie dat de bescherming in dat land voldoende is, of door passende waarborgen (artikelen 45 en 46 AVG).`,
    en: `${names.length === 0 ? 'Other companies we engage, for storage for instance,' : `Companies we engage (${names.join('; ')})`} process these data on our instructions only. Where one of them is established outside the European Economic Area, your data are protected there by a decision of the European Commission that the protection in that country is adequate, or by appropriate safeguards (articles 45 and 46 GDPR).`,
  }, locale);
}

/** Of somebody who works here: what is kept about their work. */
function aboutWork({ consent, request: { locale } }: Answer, timeZone: string): string {
  const agreed =
    consent === null
      ? { nl: '', en: '' }
      : {
          nl: ` De ondernemingsraad heeft op ${dateIn(new Date(consent.date), 'nl', timeZone)} met beoordelingen ingestemd (artikel 27 WOR; ${consent.reference}).`,
          en: ` The works council consented to evaluations on ${dateIn(new Date(consent.date), 'en', timeZone)} (article 27 of the Works Councils Act, WOR; ${consent.reference}).`,
        };
  return pick({
    nl: `U werkt bij ons. Naast uw gesprekken bewaren wij beoordelingen en opmerkingen van trainers, voor zover die er zijn: uitkomsten een jaar, de tekst zo lang als de opname. De grond is ons gerechtvaardigd belang bij goede dienstverlening.${agreed.nl} De gegevens komen uit uw gesprekken voor ons en van wie daarover schreef.`,
    en: `You work for us. Besides your calls we keep evaluations and comments by trainers, as far as there are any: outcomes for a year, the text as long as the recording. The ground is our legitimate interest in good service.${agreed.en} The data come from your calls for us and from those who wrote about them.`,
  }, locale);
}

/** Rows of the register that are about whoever asks: those of customers are not about somebody who works here. */
export const rowsAbout = ({ work }: Pick<Answer, 'work'>): readonly RegisterRow[] =>
  work === null ? register : register.filter(({ policy }) => policy === 'recording');

/** The paragraphs of this part, its heading first. */
export function aboutProcessing(answer: WholeAnswer, timeZone: string): string[] {
  const { locale } = answer.request;
  const told = (nl: string, en: string) => (locale === 'nl' ? nl : en);
  const rows = rowsAbout(answer);
  const here = rows.filter(({ policy }) => policy !== null).map((row) => keptIn(row, locale));
  const elsewhere = rows
    .filter(({ policy }) => policy === null)
    .map((row) => `- ${bare(pick(row.data, locale))}: ${lower(pick(row.kept, locale))}; ${told('verantwoordelijke', 'controller')}: ${controllerOf(row, answer)}.`);
  const bases = [...new Set(answer.items.map((item) => pick(grounds6[groundOf({ kind: item.kind, relation: item.requester_relation })], locale)))];
  const areCalls = answer.items.some(({ kind }) => kind === 'recording');
  const isEmployee = answer.work !== null;
  return [
    told('## Hoe wij gegevens gebruiken', '## How we use data'),
    told(
      `Wij gebruiken gespreksopnamen voor ${pick(purposes.training, 'nl')} en als ${pick(purposes.evidence, 'nl')}, en wat bij supportvragen wordt aangeleverd om die te beantwoorden.${bases.length === 0 ? '' : ` De ${bases.length === 1 ? 'grond voor uw gegevens is' : 'gronden voor uw gegevens zijn'} ${bases.join(' en ')}.`}`,
      `We use call recordings for ${pick(purposes.training, 'en')} and as ${pick(purposes.evidence, 'en')}, and what is supplied with support questions to answer them.${bases.length === 0 ? '' : ` The ${bases.length === 1 ? 'ground for your data is' : 'grounds for your data are'} ${bases.join(' and ')}.`}`,
    ),
    told('Wij bewaren:', 'We keep:'),
    [
      ...here,
      told(
        '- Het dossier van dit verzoek: twee jaar nadat wij het afsluiten; grond: wettelijke verplichting om ons te verantwoorden (artikel 5 lid 2 AVG).',
        '- The file of this request: two years after we close it; ground: the legal obligation to be accountable (article 5(2) GDPR).',
      ),
    ].join('\n'),
    ...(elsewhere.length === 0
      ? []
      : [
          told('Volgens ons register kunnen in andere systemen ook deze gegevens van u staan:', 'According to our register, other systems may hold these data about you:'),
          elsewhere.join('\n'),
          told(
            'Is een andere organisatie verantwoordelijk, dan kunt u daar om die gegevens vragen.',
            'Where another organisation is the controller, you can ask them for those data.',
          ),
        ]),
    areCalls ? aboutRecipients(answer, timeZone) : '',
    aboutProcessors(answer),
    ...(areCalls ? aboutListening(answer, timeZone) : []),
    isEmployee ? aboutWork(answer, timeZone) : '',
    isEmployee || answer.items.length === 0
      ? ''
      : told(
          'De gegevens komen uit uw gesprekken met ons en uw supportvragen, en uit wat onze medewerkers daarbij vastlegden.',
          'The data come from your calls with us and your support questions, and from what our staff recorded with them.',
        ),
    told(
      'Wij nemen geen besluiten die alleen op geautomatiseerde verwerking berusten. U kunt ons vragen gegevens te corrigeren, te verwijderen of de verwerking ervan te beperken, en u kunt bezwaar maken. Voor gegevens die wij voor een overeenkomst verwerken, hebt u recht op overdracht.',
      'We take no decisions by automated means alone. You can ask us to correct or erase data or to restrict their processing, and you can object. Of data that we process for a contract you have the right to portability.',
    ),
  ];
}
