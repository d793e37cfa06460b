import { Problem } from '../platform/problem.js';
import { isAnswered, isOrder, readAnswer, type Answer } from './answer.js';
import { dueDates } from './clock.js';
import { erasedAfterAll, keptErasures } from './held-up.js';
import { answeredTo, makeLetter, type Addressee, type Letter } from './letter.js';
import { composers, type Facts, type NoticeKind } from './notice-words.js';
import { notificationsOf, recordingsToldOf, type Notification } from './notify.js';
import { correctionIn, keptBecause } from './outcomes.js';
import { calendarOf, pausesOf, referenceOf, type PrivacyContext } from './request.js';
import { dateIn, momentIn, nameOf, remediesIn } from './words.js';

/** Letters besides the answer, and to earlier recipients (art. 19 GDPR): composed; an officer may word them otherwise. */

export interface Notice {
  to: Addressee;
  subject: string;
  /** What an officer may change. */
  text: string;
  /** Complaint and petition, in every letter to the person; empty in one to a company or a recipient. */
  fixed: string;
}

/** Whether the processing of anything that is theirs is restricted. */
async function isAnyRestricted(answer: Answer): Promise<boolean> {
  for (const kind of ['recording', 'ticket'] as const)
    for await (const batch of answer.batches(kind)) if (batch.some(({ item }) => item.restricted)) return true;
  return false;
}

async function factsOf(context: PrivacyContext, id: string, kind: NoticeKind): Promise<Facts> {
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
    answer, timeZone, dueAt: dates.dueAt, originalDueAt: dates.originalDueAt, firstMonthEndsAt: dates.firstMonthEndsAt, company: closing?.to ?? subject.organisation,
    pausedAt: pauses.find(({ resumedAt }) => resumedAt === null)?.pausedAt ?? null,
    isRestricted: kind === 'lifting' && (await isAnyRestricted(answer)),
    heldUp: kind === 'held_up' ? await heldUpIn(context, answer) : [],
    erased: kind === 'erased' ? (await erasedAfterAll(database, id)).map((thing) => keptName(thing, request.locale, timeZone)) : [],
  };
}

/** What has to wait, under the reason why. */
async function heldUpIn({ platform: { clock, database }, settings: { timeZone } }: PrivacyContext, answer: Answer): Promise<Facts['heldUp']> {
  const { request } = answer;
  const kept = await keptErasures(database, request.id, clock.now());
  const isApproved = answer.processes.some((process) => process.right === 'erasure' && isAnswered(process));
  const groups = new Map<string, string[]>();
  if (!isApproved || kept.size === 0) return [];
  for (const kind of ['recording', 'ticket'] as const)
    for await (const batch of answer.batches(kind))
      for (const { item } of batch) {
        const grounds = kept.get(item.id);
        if (grounds === undefined) continue;
        const because = keptBecause(grounds, request.locale);
        groups.set(because, [...(groups.get(because) ?? []), nameOf(item, request.locale, timeZone)]);
      }
  return [...groups].map(([because, names]) => ({ because, names }));
}

/** Of what is gone: the request's own file still says when it was. */
const keptName = ({ kind, at }: { kind: 'recording' | 'ticket'; at: Date }, locale: 'nl' | 'en', timeZone: string): string =>
  kind === 'recording'
    ? `${locale === 'nl' ? 'gesprek van' : 'call of'} ${momentIn(at, locale, timeZone)}`
    : `${locale === 'nl' ? 'supportvraag van' : 'support question of'} ${dateIn(at, locale, timeZone)}`;

/** A letter as it would be now. @throws Problem `not-found`, `conflict` where there is nothing of the kind to tell */
export async function composeNotice(context: PrivacyContext, id: string, kind: NoticeKind): Promise<Notice & { answer: Answer }> {
  const facts = await factsOf(context, id, kind);
  const { answer, company } = facts;
  // An order is answered to whoever gave it; the person it is about must not hear of it from here.
  if (isOrder(answer)) throw new Problem('conflict', { detail: 'An order of an authority has no other letters than its reply.' });
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
  const isAboutPerson = kind !== 'forward' && kind !== 'recipient' && answer.request.requester_kind !== 'company';
  return makeLetter(answer, to, { subject, text: fixed === '' ? text : `${text}\n\n${fixed}`, isAboutPerson }, timeZone);
}

const asked: Record<string, { nl: string; en: string }> = {
  erasure: {
    nl: 'Op verzoek van de betrokkene wissen wij deze gegevens. Wij verzoeken u uw exemplaar en alle kopieën te wissen, tenzij een wettelijke plicht of een rechtsvordering u dwingt ze te bewaren. Laat ons in dat geval weten waarom.',
    en: 'We are erasing these data at the request of the person concerned. We ask you to erase your copy and all further copies, unless a legal duty or claim obliges you to keep them. In that case please tell us why.',
  },
  rectification: {
    nl: 'Deze gegevens zijn op verzoek van de betrokkene gecorrigeerd of aangevuld. Wij verzoeken u dat in uw exemplaar over te nemen.',
    en: 'These data were corrected or completed at the request of the person concerned. We ask you to do the same in your copy.',
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
  const theirs = await recordingsToldOf(database, notification);
  const names = new Map<string, string>();
  for await (const batch of answer.batches('recording'))
    for (const { item } of batch)
      if (theirs.includes(item.item_id) && item.started_at !== null) names.set(item.item_id, `${nameOf(item, locale, timeZone)}, `);
  const named = theirs.map((recordingId) => `- ${names.get(recordingId) ?? ''}${told('opname', 'recording')} ${recordingId}`);
  const changes = right !== 'rectification' ? [] : answer.rectifications
    .filter(({ recordingId }) => recordingId !== null && theirs.includes(recordingId))
    .map((each) => `- ${correctionIn(each, locale)}`);
  const when = disclosedAt === null ? '' : told(` op ${dateIn(disclosedAt, locale, timeZone)}`, ` on ${dateIn(disclosedAt, locale, timeZone)}`);
  return {
    answer,
    to: { name: recipient, address: null },
    subject: told(`Gegevens die wij u verstrekten${reference === null ? '' : `, ${reference}`}`, `Data that we gave you${reference === null ? '' : `, ${reference}`}`),
    text: [
      told(
        `Wij verstrekten u${when} een of meer gespreksopnamen${reference === null ? '' : ` onder kenmerk ${reference}`}. Op grond van artikel 19 AVG berichten wij u daarover het volgende.`,
        `We gave you one or more call recordings${when}${reference === null ? '' : ` under reference ${reference}`}. Under article 19 GDPR we inform you of the following.`,
      ),
      told(asked[right]?.nl ?? '', asked[right]?.en ?? ''),
      named.length === 0 ? '' : told('Het gaat om:', 'It is about:'),
      named.join('\n'),
      changes.length === 0 ? '' : told('Gecorrigeerd of aangevuld is:', 'Corrected or completed is:'),
      changes.join('\n'),
      told(
        'Hebt u de gegevens aan anderen doorgegeven, geef dit bericht dan ook aan hen door.',
        'If you passed the data on to others, please pass this message on to them as well.',
      ),
    ].filter((part) => part !== '').join('\n\n'),
    fixed: '',
  };
}
