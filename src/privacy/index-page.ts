import { grounds } from '../retention/register.js';
import { decidedOn, isOrder, type Answer, type Listened } from './answer.js';
import { controllerOf, processorIn, recipientIn, rowsAbout } from './compose-processing.js';
import { groundOf } from './decide.js';
import { usualFor, type DecidedItem, type DecisionRow, type ItemRow } from './items.js';
import { escapeHtml, readBlocks } from './letter.js';
import { articleIn } from './outcomes.js';
import { pageEnd, pageStart, table, tableEnd, tableRow, tableStart } from './pages.js';
import { referenceOf } from './request.js';
import { rightNames, type Right } from './rights.js';
import type { Spool } from './spool.js';
import { asksIn, cite, dateIn, ended, grounds6, momentIn, nameOf, pick, purposes, remediesIn, whatWasAsked } from './words.js';

/** The pages of a package: they open from a folder, without network and without script, in the person's language. */

export interface IndexedRecording {
  item: ItemRow;
  decision: DecisionRow;
  listens: readonly Listened[];
  statements: string[];
  /** Where what was said stands; null where nobody wrote it down. */
  transcript: string | null;
  /** Where its copy stands; null when none could be made. */
  audio: string | null;
  durationMs: number | null;
}

export interface IndexedTicket {
  item: ItemRow;
  decision: DecisionRow;
  path: string;
  messages: number;
}

/** Rows of the tables of the first page, written while things are put into the package. */
export interface Contents {
  recordings: Spool;
  tickets: Spool;
  /** What was not granted, or not wholly. */
  withheld: Spool;
  /** How many tickets are in the part to take elsewhere. */
  portable: number;
  /** Whether there is a page about their work. */
  work: boolean;
}

const sentenceCase = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** Minutes and seconds, as people read them. */
const length = (ms: number | null) => (ms === null ? '' : `${Math.floor(ms / 60_000)}:${String(Math.floor((ms % 60_000) / 1000)).padStart(2, '0')}`);

type Tell = (nl: string, en: string) => string;

const tellIn = (locale: 'nl' | 'en'): Tell => (nl, en) => escapeHtml(locale === 'nl' ? nl : en);

const heads = {
  recordings: (told: Tell) => [
    told('Gesprek', 'Call'), told('Geluid', 'Audio'), told('Beluisterd: datum en doel', 'Listened to: date and purpose'), told('Bewaard tot, grond', 'Kept until, ground'),
  ],
  tickets: (told: Tell) => [
    told('Supportvraag', 'Support question'), told('Onderwerp', 'Subject'), told('Berichten', 'Messages'), told('Bewaard tot, grond', 'Kept until, ground'),
  ],
  withheld: (told: Tell) => [told('Recht', 'Right'), told('Over', 'About'), told('Besluit', 'Decision'), told('Grond en reden', 'Ground and reason')],
};

/** The page to begin with, piece by piece. */
export async function* indexPage(answer: Answer, contents: Contents, timeZone: string): AsyncGenerator<string> {
  const { request, subject, organisation } = answer;
  const { locale } = request;
  const told = tellIn(locale);
  const about = isOrder(answer) ? { nl: 'bevel', en: 'order' }[locale] : asksIn(answer, locale);
  const title = `${locale === 'nl' ? 'Antwoord op uw' : 'Answer to your'} ${about} ${referenceOf(request)}`;
  yield pageStart(locale, title);
  yield `<h1>${escapeHtml(title)}</h1>
<dl>${[
    [told('Van', 'From'), organisation.controller],
    [told('Voor', 'For'), isOrder(answer) ? (request.authority_name ?? '') : (subject.name ?? '')],
    [told('Ontvangen', 'Received'), dateIn(request.received_at, locale, timeZone)],
    [told('Antwoord', 'Answer'), dateIn(answer.at, locale, timeZone)],
  ]
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `<dt>${name ?? ''}</dt><dd>${escapeHtml(text ?? '')}</dd>`)
    .join('')}</dl>
<p>${isOrder(answer) ? '' : told(`Wij ontvingen ${whatWasAsked(answer, locale)}.`, `We received ${whatWasAsked(answer, locale)}.`)}
<a href="data/letter.html">${told('Lees de brief', 'Read the letter')}</a>.</p>
`;
  yield* tableOf(contents.recordings, told('Gespreksopnamen', 'Call recordings'), heads.recordings(told));
  yield* tableOf(contents.tickets, told('Supportvragen', 'Support questions'), heads.tickets(told));
  if (contents.portable > 0)
    yield `<h2>${told('Gegevens om mee te nemen', 'Data to take with you')}</h2>
<p>${contents.portable === 1
      ? told('Eén supportvraag, zoals u die zelf hebt aangeleverd:', 'One support question, as you supplied it yourself:')
      : told(`${contents.portable} supportvragen, zoals u ze zelf hebt aangeleverd:`, `${contents.portable} support questions, as you supplied them yourself:`)}
<a href="data/portability/tickets.json">JSON</a>, <a href="data/portability/tickets.csv">CSV</a>,
<a href="data/portability/schema.json">${told('beschrijving', 'schema')}</a>.</p>
`;
  if (contents.work)
    yield `<h2>${told('Over uw werk', 'About your work')}</h2><p><a href="data/work.html">${told('Beoordelingen en opmerkingen', 'Evaluations and comments')}</a></p>\n`;
  yield* tableOf(contents.withheld, told('Wat niet of niet helemaal is toegewezen', 'What was not granted, or not wholly'), heads.withheld(told));
  yield [
    // An authority is told what its order names, and nothing around it.
    ...(isOrder(answer)
      ? []
      : [...registerPart(answer), ...recipientsPart(answer, timeZone), ...earlierPart(answer, timeZone), ...rightsPart(answer), ...remedies(answer)]),
    `<h2>${told('Echtheid', 'Authenticity')}</h2><p>${told(
      'Dit pakket is ondertekend. Met verify.sh kunt u nagaan of er sinds het maken niets in is veranderd.',
      'This package is signed. verify.sh checks that nothing in it has changed since it was made.',
    )}</p>`,
  ].join('\n');
  yield pageEnd;
}

/** A table of the rows in `rows`; nothing where there are none. */
async function* tableOf(rows: Spool, heading: string, head: readonly string[]): AsyncGenerator<string> {
  if (rows.count === 0) return;
  yield `<h2>${heading}</h2>\n${tableStart(head)}`;
  yield* rows.read();
  yield `${tableEnd}\n`;
}

/** A call on the first page. */
export function recordingRow(
  { item, decision, listens, statements, transcript, audio, durationMs }: IndexedRecording,
  answer: Answer,
  timeZone: string,
): string {
  const { locale } = answer.request;
  const told = tellIn(locale);
  const name = nameOf(item, locale, timeZone);
  const player =
    audio === null
      ? told('Van deze opname kon geen kopie worden gemaakt.', 'No copy could be made of this recording.')
      : `<audio controls preload="none" src="${audio}" aria-label="${escapeHtml(name)}"></audio><br><a href="${audio}">${told('bestand', 'file')}</a> ${length(durationMs)}`;
  const said = transcript === null ? '' : `<br><a href="${transcript}">${told('wat er is gezegd', 'what was said')}</a>`;
  const masked = decision.mask.length === 0 ? '' : `<br>${told('Anderen zijn onhoorbaar gemaakt.', 'Others have been made inaudible.')}`;
  const reason = decision.reason === null ? '' : `<br>${escapeHtml(decision.reason)}`;
  const statement = statements.map((text) => `<br>${isOrder(answer) ? told('Verklaring', 'Statement') : told('Uw verklaring', 'Your statement')}: ${escapeHtml(text)}`).join('');
  const heard = listens.map(({ at, purpose }) => `${escapeHtml(momentIn(at, locale, timeZone))}: ${escapeHtml(pick(purposes[purpose], locale))}`);
  const until = item.retain_until === null ? '' : escapeHtml(dateIn(item.retain_until, locale, timeZone));
  // Customers are masked in an employee's answer, their numbers too.
  const facts = (answer.request.requester_kind === 'employee' ? [item.agent] : [item.caller_number, item.callee_number, item.agent])
    .filter((fact) => fact !== null)
    .join(' → ');
  return tableRow(heads.recordings(told), [
    `${escapeHtml(sentenceCase(name))}<br>${escapeHtml(facts)}`, `${player}${said}${masked}${reason}${statement}`,
    isOrder(answer) ? '' : heard.length === 0 ? told('niet beluisterd', 'not listened to') : heard.join('<br>'),
    `${until}<br>${escapeHtml(pick(grounds6['6(1)(f)'], locale))}`,
  ]);
}

/** A ticket on the first page. */
export function ticketRow({ item, decision, path, messages }: IndexedTicket, { request: { locale } }: Answer, timeZone: string): string {
  return tableRow(heads.tickets(tellIn(locale)), [
    `<a href="${path}">${escapeHtml(sentenceCase(nameOf(item, locale, timeZone)))}</a>`,
    escapeHtml(item.subject ?? ''), `${messages}${decision.reason === null ? '' : `<br>${escapeHtml(decision.reason)}`}`,
    `${item.retain_until === null ? '' : escapeHtml(dateIn(item.retain_until, locale, timeZone))}<br>${escapeHtml(
      pick(grounds6[groundOf({ kind: item.kind, relation: item.requester_relation })], locale),
    )}`,
  ]);
}

/** What was refused of a thing under a right, and why: nothing is left out in silence. Undefined where it was granted. */
export function withheldRow({ item, decisions }: DecidedItem, right: Right, answer: Answer, timeZone: string): string | undefined {
  const { locale } = answer.request;
  const told = tellIn(locale);
  const decision = decidedOn(decisions, right);
  if (decision === undefined || decision.decision === 'grant') return undefined;
  const article = articleIn(decision);
  // Where the law left nothing to decide its own reason is told, in the person's language.
  const reason = decision.decided_by === null ? pick(usualFor(item, right).why, locale) : (decision.reason ?? '');
  return tableRow(heads.withheld(told), [
    escapeHtml(pick(rightNames[right], locale)), escapeHtml(sentenceCase(nameOf(item, locale, timeZone))),
    !usualFor(item, right).decides
      ? told('valt niet onder dit recht', 'not covered by this right')
      : decision.decision === 'refuse' ? told('afgewezen', 'refused') : told('gedeeltelijk toegewezen', 'granted in part'),
    `${article === null ? '' : `${escapeHtml(sentenceCase(cite(article, locale)))}. `}${escapeHtml(ended(reason))}`,
  ]);
}

function registerPart(answer: Answer): string[] {
  const { locale } = answer.request;
  const told = (nl: string, en: string) => escapeHtml(locale === 'nl' ? nl : en);
  const rows = rowsAbout(answer).map((each) =>
    [
      escapeHtml(pick(each.service, locale)), escapeHtml(pick(each.data, locale)), escapeHtml(pick(each.kept, locale)),
      escapeHtml(controllerOf(each, answer)),
      escapeHtml([pick(grounds[each.ground], locale), each.purpose === undefined ? '' : pick(each.purpose, locale)].filter((text) => text !== '').join('. ')),
    ],
  );
  const head = [told('Dienst', 'Service'), told('Gegevens', 'Data'), told('Bewaard', 'Kept'), told('Verantwoordelijke', 'Controller'), told('Grond en doel', 'Ground and purpose')];
  return [`<h2>${told('Welke gegevens wij verwerken', 'Which data we process')}</h2>`, table(head, rows)];
}

function recipientsPart(answer: Answer, timeZone: string): string[] {
  const { disclosures, processors, request: { locale } } = answer;
  const told = (nl: string, en: string) => escapeHtml(locale === 'nl' ? nl : en);
  const given = [...new Set(disclosures.map((each) => `${recipientIn(each, answer)}, ${dateIn(each.disclosedAt, locale, timeZone)}`))];
  return [
    `<h2>${told('Wie uw gegevens ontvangt', 'Who receives your data')}</h2>`,
    given.length === 0
      ? `<p>${told('Opnamen waarop u te horen bent, zijn aan niemand anders verstrekt.', 'Recordings in which you are heard were given to nobody else.')}</p>`
      : `<p>${told('Opnamen waarop u te horen bent, zijn verstrekt aan:', 'Recordings in which you are heard were given to:')}</p><ul>${given.map((each) => `<li>${escapeHtml(each)}</li>`).join('')}</ul>`,
    ...(processors.length === 0
      ? []
      : [
          `<p>${told('Alleen in onze opdracht werken hiermee:', 'On our instructions only, these work with them:')}</p>
<ul>${processors.map((each) => `<li>${escapeHtml(processorIn(each, locale))}</li>`).join('')}</ul>`,
        ]),
  ];
}

function earlierPart({ request: { locale }, earlier }: Answer, timeZone: string): string[] {
  if (earlier.length === 0) return [];
  const told = (nl: string, en: string) => escapeHtml(locale === 'nl' ? nl : en);
  const items = earlier.map(({ reference, receivedAt }) => `<li>${escapeHtml(reference)}, ${escapeHtml(dateIn(receivedAt, locale, timeZone))}</li>`);
  return [`<h2>${told('Eerdere verzoeken', 'Earlier requests')}</h2>`, `<ul>${items.join('')}</ul>`];
}

/** What the person may ask still (art. 15(1)(e) GDPR); an employee's and a caller's alike. */
function rightsPart({ request: { locale } }: Answer): string[] {
  const lines = [
    { nl: 'Klopt er iets niet? Dan kunt u vragen het te corrigeren (artikel 16 AVG).', en: 'Is something wrong? You can ask us to correct it (article 16 GDPR).' },
    { nl: 'U kunt vragen gegevens te verwijderen (artikel 17 AVG), of ze alleen nog te bewaren (artikel 18 AVG).', en: 'You can ask us to erase data (article 17 GDPR), or only to store them (article 18 GDPR).' },
    { nl: 'Tegen gespreksopnamen kunt u bezwaar maken (artikel 21 AVG).', en: 'You can object to call recordings (article 21 GDPR).' },
    { nl: 'Wat u zelf voor supportvragen aanleverde, kunt u opvragen om mee te nemen (artikel 20 AVG).', en: 'What you supplied yourself with support questions you can ask for, to take it elsewhere (article 20 GDPR).' },
  ];
  return [
    `<h2>${locale === 'nl' ? 'Uw rechten' : 'Your rights'}</h2>`,
    `<ul>${lines.map((line) => `<li>${escapeHtml(pick(line, locale))}</li>`).join('')}</ul>`,
  ];
}

const remedies = (answer: Answer): string[] =>
  readBlocks(remediesIn(answer, answer.request.locale)).map((block) =>
    block.kind === 'heading' ? `<h2>${escapeHtml(block.text)}</h2>` : `<p>${escapeHtml(block.kind === 'list' ? block.items.join(' ') : block.text)}</p>`,
  );
