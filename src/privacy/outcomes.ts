import type { HoldGround } from '../retention/place-hold.js';
import { decisionOn, type WholeAnswer } from './answer.js';
import { usualFor, type DecisionRow, type ItemRow } from './items.js';
import { thePerson } from './notify.js';
import type { ProcessRow } from './request.js';
import type { Right, Told, Verdict } from './rights.js';
import { askedAs, cite, dateIn, pick, sentence, type Locale } from './words.js';

/** How a right turned out, and each thing under it, in the words of a letter. */

const verdicts: Record<Verdict, Told> = {
  grant: { nl: 'Toegewezen', en: 'Granted' },
  partly: { nl: 'Gedeeltelijk toegewezen', en: 'Granted in part' },
  refuse: { nl: 'Afgewezen', en: 'Refused' },
};
const ofObjections: Record<Verdict, Told> = {
  grant: { nl: 'Gegrond', en: 'Upheld' },
  partly: { nl: 'Gedeeltelijk gegrond', en: 'Upheld in part' },
  refuse: { nl: 'Ongegrond', en: 'Rejected' },
};
const asAnother: Told = { nl: 'Behandeld als verzoek om beperking', en: 'Taken as a request for restriction' };
/** What an employee gets of a call of theirs: the customer is masked. */
export const ownCall: Told = {
  nl: 'U krijgt een kopie van het geluid met uw eigen stem, en de uitgeschreven tekst daarvan als die er is.',
  en: 'You receive a copy of the audio with your own voice, and the transcript of it where there is one.',
};
const notCovered: Told = { nl: 'Valt niet onder dit recht', en: 'Not covered by this right' };

const nothingFound: Told = {
  nl: 'Wij hebben gezocht met de gegevens die u ons gaf en geen opnamen of supportvragen van u gevonden. Belde u met een ander of een afgeschermd nummer? Laat ons dan weten wanneer, dan zoeken wij opnieuw.',
  en: 'We searched with the details you gave us and found no recordings or support questions of yours. Did you call from another or a withheld number? Tell us when and we will search again.',
};

/** Once it was told that nothing was found: what that means for the other rights. */
const nothingTo: Record<Right, Told> = {
  access: { nl: 'Wij hebben niets gevonden om te verstrekken.', en: 'We found nothing to hand over.' },
  rectification: { nl: 'Wij hebben niets gevonden om te corrigeren.', en: 'We found nothing to correct.' },
  erasure: { nl: 'Wij hebben niets gevonden om te verwijderen.', en: 'We found nothing to erase.' },
  restriction: { nl: 'Wij hebben niets gevonden waarvan wij de verwerking kunnen beperken.', en: 'We found nothing whose processing could be restricted.' },
  portability: { nl: 'Wij hebben geen gegevens gevonden die u zelf hebt aangeleverd.', en: 'We found no data that you supplied yourself.' },
  objection: { nl: 'Wij hebben geen gegevens gevonden waartegen uw bezwaar zich richt.', en: 'We found no data to which your objection applies.' },
};

/** How a right turned out as a whole. */
export function outcomeIn(answer: WholeAnswer, process: ProcessRow, locale: Locale): string {
  const { right, outcome } = process;
  const asked = askedAs[right];
  const items = answer.items.filter((item) => decisionOn(answer, item, right) !== undefined);
  if (outcome === null) return '';
  if (outcome === 'withdrawn') return pick({ nl: 'Dit hebt u ingetrokken.', en: 'You withdrew this.' }, locale);
  if (outcome === 'nothing_found') {
    // What was looked for in vain is told once.
    const isFirst = answer.processes.find((each) => each.outcome === 'nothing_found')?.id === process.id;
    return pick(isFirst && answer.items.length === 0 ? nothingFound : nothingTo[right], locale);
  }
  if (right === 'objection') {
    if (outcome === 'granted' && items.length > 0 && items.every((item) => usualFor(item, right).as !== undefined))
      return pick({ nl: 'Wij behandelen uw bezwaar als een verzoek om beperking van de verwerking, en wijzen dat toe.', en: 'We take your objection as a request for restriction of processing, and grant it.' }, locale);
    return pick({
      granted: { nl: 'Uw bezwaar is gegrond. Wij geven er gevolg aan.', en: 'Your objection is upheld. We act on it.' },
      partly: { nl: 'Uw bezwaar is gedeeltelijk gegrond.', en: 'Your objection is upheld in part.' },
      refused: { nl: 'Uw bezwaar is niet gegrond.', en: 'Your objection is rejected.' },
    }[outcome], locale);
  }
  const waits = right === 'erasure' ? items.filter((item) => answer.kept.has(item.id)).length : 0;
  if (waits > 0 && outcome === 'granted')
    return pick(
      waits === items.length
        ? {
            nl: 'Wij wijzen uw verzoek om verwijdering toe, maar kunnen nu nog niets verwijderen. Hieronder staat waarom.',
            en: 'We grant your request for erasure, but cannot erase anything yet. The reason is given below.',
          }
        : {
            nl: 'Wij wijzen uw verzoek om verwijdering toe. Een deel kunnen wij nu nog niet verwijderen; hieronder staat waarom.',
            en: 'We grant your request for erasure. Some of it we cannot erase yet; the reason is given below.',
          },
      locale,
    );
  if (right === 'portability' && outcome === 'granted' && answer.items.some((item) => !usualFor(item, right).decides))
    return pick({
      nl: 'Wij wijzen uw verzoek om overdracht toe voor wat u zelf bij supportvragen hebt aangeleverd. Gespreksopnamen vallen niet onder dit recht.',
      en: 'We grant your request for portability of what you supplied yourself with support questions. Call recordings are not covered by this right.',
    }, locale);
  return pick({
    granted: { nl: `Wij wijzen uw verzoek om ${asked.nl} toe.`, en: `We grant your request for ${asked.en}.` },
    partly: { nl: `Wij wijzen uw verzoek om ${asked.nl} gedeeltelijk toe.`, en: `We grant your request for ${asked.en} in part.` },
    refused: { nl: `Wij wijzen uw verzoek om ${asked.nl} af.`, en: `We refuse your request for ${asked.en}.` },
  }[outcome], locale);
}

const isGranted = (answer: WholeAnswer, item: ItemRow, right: Right, ...verdicts: readonly Verdict[]) =>
  answer.processes.some((process) => process.right === right && process.outcome !== 'withdrawn') &&
  ['grant', ...verdicts].includes(decisionOn(answer, item, right)?.decision ?? 'refuse');

/** What was closed while an objection was pending is opened again where it was refused (art. 18(3)), unless another right keeps it closed. */
function whatIsLifted(answer: WholeAnswer, outcome: ProcessRow['outcome']): Told[] {
  const refused = answer.items.filter((item) => decisionOn(answer, item, 'objection')?.decision === 'refuse');
  const opened = refused.filter((item) => !isGranted(answer, item, 'erasure') && !isGranted(answer, item, 'restriction', 'partly'));
  if (opened.length === 0) return [];
  return outcome === 'refused' && opened.length === refused.length
    ? [{
        nl: 'Zolang wij hierover beslisten, gebruikten wij deze gegevens niet voor training en niet als bewijs. Die beperking heffen wij op zodra wij uw verzoek afsluiten (artikel 18 lid 3 AVG).',
        en: 'While we were deciding on this we did not use these data for training or as evidence. We lift that restriction once we close your request (article 18(3) GDPR).',
      }]
    : [{
        nl: 'Waar uw bezwaar ongegrond is en de verwerking niet om een andere reden beperkt blijft, gebruiken wij de gegevens weer zodra wij uw verzoek afsluiten (artikel 18 lid 3 AVG).',
        en: 'Where your objection is rejected and the processing is not restricted for another reason, we use the data again once we close your request (article 18(3) GDPR).',
      }];
}

/** Is there anybody to tell (art. 19)? Whoever was given what this right was granted about; the person themselves is not. */
const wereGivenToOthers = (answer: WholeAnswer, right: Right): boolean =>
  answer.disclosures.some(({ kind, recipient, recordingId }) =>
    (kind !== 'privacy' || recipient !== thePerson) &&
    answer.items.some((item) => item.item_id === recordingId && (decisionOn(answer, item, right)?.decision ?? 'refuse') !== 'refuse'));

/**
 * The article that a decision is told with; null where none carries it: the one that grants access carries no refusal of it,
 * the exceptions of art. 17(3) carry no erasure, nor does an objection taken as a request to restrict erase anything.
 */
export function articleIn({ decision, right, ground, article }: Pick<DecisionRow, 'decision' | 'right' | 'ground' | 'article'>): string | null {
  if (ground !== null) return ground === 'other' ? null : ground;
  if (right === 'access' && decision === 'refuse' && article.startsWith('15')) return null;
  return decision === 'grant' ? article.replace(/, 17\(.*$/, '') : article;
}

/** What the person may expect next of a right. */
export function whatFollows(answer: WholeAnswer, { right, outcome }: ProcessRow): string[] {
  const { locale } = answer.request;
  const told = (texts: readonly Told[]) => texts.map((text) => pick(text, locale));
  const lifted = right !== 'objection' ? [] : whatIsLifted(answer, outcome);
  if (outcome !== 'granted' && outcome !== 'partly') return told(lifted);
  const recipients = wereGivenToOthers(answer, right)
    ? [{
        nl: 'Degenen aan wie wij deze gegevens eerder verstrekten, brengen wij hiervan op de hoogte, tenzij dat onmogelijk is of onevenredig veel moeite kost (artikel 19 AVG). Op uw verzoek vertellen wij u wie dat zijn.',
        en: 'Those to whom we gave these data before will be told, unless that is impossible or takes disproportionate effort (article 19 GDPR). If you ask, we tell you who they are.',
      }]
    : [];
  const isShownFirst = answer.processes.some((each) => (each.right === 'access' || each.right === 'portability') && (each.outcome === 'granted' || each.outcome === 'partly'));
  const objected = right !== 'objection' ? [] : answer.items.filter((item) => (decisionOn(answer, item, right)?.decision ?? 'refuse') !== 'refuse');
  // Only an objection that was upheld leads to an erasure under (c), not one that was taken as another request.
  const upheld = objected.filter((item) => usualFor(item, right).as === undefined);
  const erasureWasAsked = answer.processes.some((process) => process.right === 'erasure');
  const texts: Partial<Record<Right, Told[]>> = {
    access: [{
      nl: 'Bij deze brief hoort een pakket met de gegevens zelf. Open daarin eerst index.html.',
      en: 'A package with the data themselves goes with this letter. Open index.html in it first.',
    }],
    portability: [{
      nl: 'De bestanden staan in het pakket bij deze brief, in de map data/portability.',
      en: 'The files are in the package with this letter, in the folder data/portability.',
    }],
    erasure: [{
      nl: `Wat is toegewezen, verwijderen wij definitief, met de kopieën die wij ervan hebben, uiterlijk wanneer wij uw verzoek afsluiten.${isShownFirst ? ' Wat wij u in het pakket geven, verwijderen wij pas daarna.' : ''} Dat geldt niet zolang de wet ons verplicht iets te bewaren of het nodig is voor een rechtsvordering (artikel 17 lid 3 AVG); zodra dat voorbij is, verwijderen wij ook dat.`,
      en: `What is granted we erase for good, with the copies we have of it, at the latest when we close your request.${isShownFirst ? ' What we give you in the package we erase only after that.' : ''} That does not apply as long as the law obliges us to keep something or it is needed for a legal claim (article 17(3) GDPR); once that is over we erase it, too.`,
    }, ...recipients],
    rectification: recipients,
    restriction: recipients,
    objection: erasureWasAsked || objected.length === 0
      ? lifted
      : [...lifted, {
          nl: `Wilt u dat wij de gegevens ook verwijderen? Laat het ons dan weten (${cite(upheld.length === objected.length ? '17(1)(c)' : '17(1)', 'nl')}).`,
          en: `Would you like us to erase the data as well? Please tell us (${cite(upheld.length === objected.length ? '17(1)(c)' : '17(1)', 'en')}).`,
        }],
  };
  return told(texts[right] ?? []);
}

/** Why something is kept for now whose erasure was granted: the exception of art. 17(3), by the grounds of the holds on it. */
const keptFor: Record<HoldGround, { article: string; why: Told }> = {
  legal_claim: {
    article: '17(3)(e)',
    why: { nl: 'wij hebben dit nog nodig voor een rechtsvordering', en: 'we still need this for a legal claim' },
  },
  authority_order: {
    article: '17(3)(b)',
    why: { nl: 'een bevoegde autoriteit heeft ons bevolen dit te bewaren', en: 'a competent authority has ordered us to keep this' },
  },
  open_request: {
    article: '17(3)(b)',
    why: { nl: 'wij moeten dit bewaren tot een ander privacyverzoek is afgehandeld', en: 'we have to keep this until another privacy request has been dealt with' },
  },
  restriction: {
    article: '17(3)(b)',
    why: { nl: 'wij moeten dit bewaren om aan een ander privacyverzoek te voldoen', en: 'we have to keep this to comply with another privacy request' },
  },
};

/** The exception and the reason, without a capital: `wij hebben dit nog nodig voor een rechtsvordering (artikel 17 lid 3 onder e AVG)`. */
export function keptBecause(grounds: readonly HoldGround[], locale: Locale): string {
  return grounds.map((ground) => `${pick(keptFor[ground].why, locale)} (${cite(keptFor[ground].article, locale)})`).join(pick({ nl: ' en ', en: ' and ' }, locale));
}

/** A granted erasure that waits. The law's usual reason, that it is no longer needed, would be untrue. */
function whyKept(grounds: readonly HoldGround[], own: string | null, locale: Locale): string {
  return [
    own === null ? '' : sentence(own),
    pick({
      nl: `Toegewezen, maar nog niet uitgevoerd: ${keptBecause(grounds, 'nl')}. Zolang dat zo is, bewaren wij het alleen daarvoor en gebruiken wij het nergens anders voor. Daarna verwijderen wij het, en dat laten wij u weten.`,
      en: `Granted, but not carried out yet: ${keptBecause(grounds, 'en')}. As long as that is so, we keep it for that alone and use it for nothing else. After that we erase it, and tell you so.`,
    }, locale),
  ].filter((part) => part !== '').join(' ');
}

/** What is told of a decision: how it turned out, on which article, and why. Undefined where nothing was decided. */
export function reasonOf(answer: WholeAnswer, item: ItemRow, { right }: ProcessRow): string | undefined {
  const { locale } = answer.request;
  const decision = decisionOn(answer, item, right);
  const usual = usualFor(item, right);
  if (decision === undefined && usual.decides) return undefined;
  const verdict = decision?.decision ?? usual.verdict ?? 'refuse';
  const isUsual = verdict === usual.verdict;
  const kept = right === 'erasure' && verdict === 'grant' ? answer.kept.get(item.id) : undefined;
  if (kept !== undefined) return whyKept(kept, decision?.reason ?? null, locale);
  // Decided in one go with an objection, the law's article follows from how that turned out.
  const article = articleIn({ decision: verdict, right, ground: decision?.ground ?? null, article: isUsual ? usual.article : (decision?.article ?? usual.article) });
  const basis = article === null ? '' : ` (${cite(article, locale)})`;
  // The reason of the law stands for itself where an officer followed it; an officer's own words are told as they are.
  const own = decision?.decided_by === null || decision === undefined ? null : decision.reason;
  const word = pick(!usual.decides ? notCovered : right !== 'objection' ? verdicts[verdict] : isUsual && usual.as !== undefined ? asAnother : ofObjections[verdict], locale);
  const parts = [
    `${word}${basis}.`,
    own === null ? (isUsual ? pick(right === 'access' && item.kind === 'recording' && answer.request.requester_kind === 'employee' ? ownCall : usual.why, locale) : '') : sentence(own),
    right === 'objection' && verdict === 'partly' && item.kind === 'recording'
      ? pick({
          nl: 'Wij gebruiken dit niet meer voor training, en alleen nog als bewijs van gemaakte afspraken.',
          en: 'We no longer use this for training, and only as evidence of agreements.',
        }, locale)
      : '',
    right === 'objection' && verdict === 'grant' && usual.as === undefined && (answer.kept.get(item.id) ?? []).includes('legal_claim')
      ? pick({
          nl: 'Alleen voor de rechtsvordering waarvoor wij dit nog bewaren, mogen wij het nog gebruiken (artikel 21 lid 1 AVG).',
          en: 'We may still use it only for the legal claim for which we keep it (article 21(1) GDPR).',
        }, locale)
      : '',
    verdict !== 'refuse' && (right === 'restriction' || usual.as === 'restriction') && isGranted(answer, item, 'erasure')
      ? pick({ nl: 'Dit geldt tot de gegevens zijn verwijderd.', en: 'This applies until the data are erased.' }, locale)
      : '',
    right === 'access' ? whatIsLeftOut(answer, item, article) : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** What of a call, or of a ticket, is not in the copy. */
function whatIsLeftOut(answer: WholeAnswer, item: ItemRow, article: string | null): string {
  const { locale, requester_kind: kind } = answer.request;
  const decision = decisionOn(answer, item, 'access');
  if (decision === undefined || decision.decision === 'refuse') return '';
  const basis = article === '15(4)' ? '' : ` (${cite('15(4)', locale)})`;
  const masked: Told =
    item.kind === 'ticket'
      ? { nl: `Wat over anderen gaat, is onleesbaar gemaakt${basis}.`, en: `What is about others has been made unreadable${basis}.` }
      : kind === 'employee'
        ? { nl: `De klant is onhoorbaar gemaakt${basis}.`, en: `The customer has been made inaudible${basis}.` }
        : { nl: `Waar anderen te horen zijn, is dat onhoorbaar gemaakt${basis}.`, en: `Where others are heard, that has been made inaudible${basis}.` };
  const isMasked = (item.kind === 'ticket' ? decision.passages : decision.mask).length > 0;
  const music: Told = { nl: 'De wachtmuziek is weggelaten.', en: 'The hold music has been left out.' };
  return [isMasked ? pick(masked, locale) : '', (item.holds ?? []).length > 0 ? pick(music, locale) : ''].filter((part) => part !== '').join(' ');
}

const fields: Record<string, Told> = {
  callerName: { nl: 'naam van de beller', en: 'name of the caller' },
  calleeName: { nl: 'naam van wie werd gebeld', en: 'name of who was called' },
  subject: { nl: 'onderwerp', en: 'subject' },
  requesterName: { nl: 'naam', en: 'name' },
  requesterEmail: { nl: 'e-mailadres', en: 'e-mail address' },
  requesterPhone: { nl: 'telefoonnummer', en: 'telephone number' },
  organisation: { nl: 'organisatie', en: 'organisation' },
};

/** A correction, or a statement, in words: `naam: “Jansen” in plaats van “Janssen”`. */
export function correctionIn({ field, oldValue, newValue, statement }: Pick<WholeAnswer['rectifications'][number], 'field' | 'oldValue' | 'newValue' | 'statement'>, locale: Locale): string {
  const quoted = (text: string | null) => `“${(text ?? '').replaceAll(/\s+/g, ' ').trim()}”`;
  if (statement !== null) return locale === 'nl' ? `toegevoegde verklaring: ${quoted(statement)}` : `statement attached: ${quoted(statement)}`;
  const name = pick(fields[field ?? ''] ?? { nl: field ?? '', en: field ?? '' }, locale);
  const before = oldValue === null || oldValue === '' ? '' : locale === 'nl' ? ` in plaats van ${quoted(oldValue)}` : ` instead of ${quoted(oldValue)}`;
  return `${name}: ${quoted(newValue)}${before}`;
}

/** What differs from one thing to the next under the same decision. */
export function remarksOn(answer: WholeAnswer, item: ItemRow, { right }: ProcessRow, timeZone: string): string {
  const { locale } = answer.request;
  const review = decisionOn(answer, item, right)?.review_at ?? null;
  const parts = [
    ...(review === null || right === 'objection' && decisionOn(answer, item, right)?.decision === 'grant'
      ? []
      : [pick({ nl: `wij bekijken dit opnieuw op ${dateIn(review, 'nl', timeZone)}`, en: `we will look at this again on ${dateIn(review, 'en', timeZone)}` }, locale)]),
    ...(right !== 'rectification'
      ? []
      : answer.rectifications
          .filter(({ recordingId, ticketId }) => (recordingId ?? ticketId) === item.item_id)
          .map((each) => correctionIn(each, locale))),
  ];
  return parts.map((part) => `; ${part}`).join('');
}
