import type { Transaction } from 'sequelize';
import { organisationOf, type Organisation } from '../access/organisation.js';
import { disclosuresOf, type Disclosure } from '../packages/package.js';
import { Problem } from '../platform/problem.js';
import type { ListenPurpose } from '../recordings/listen.js';
import { useInForce } from '../retention/further-use.js';
import type { HoldGround } from '../retention/place-hold.js';
import type { Processor } from '../retention/register.js';
import { workOf, type Work } from './employee.js';
import { keptErasures } from './held-up.js';
import { decisionsOf, itemBatches, itemsOf, type DecidedItem, type DecisionRow, type ItemRow } from './items.js';
import { findRequest, processesOf, subjectOf, type PrivacyContext, type ProcessRow, type RequestRow, type SubjectRow } from './request.js';
import { rectificationsOf, type RectificationRow } from './rectify.js';
import type { Right } from './rights.js';

/** Who listened when and for which purpose, without who: dates and purposes are the caller's to know (C-579/21). */
export interface Listened {
  recordingId: string;
  at: Date;
  purpose: ListenPurpose;
}

/**
 * What there is to say, so that a letter and a package say the same. What was found is not held in memory: it is read as often
 * as it is needed, some hundred at a time.
 */
export interface Answer {
  request: RequestRow;
  subject: SubjectRow;
  processes: ProcessRow[];
  organisation: Organisation;
  /** What is theirs, with what was decided, newest first; what turned out to be others' is not among it. */
  batches(kind: ItemRow['kind']): AsyncGenerator<DecidedItem[]>;
  /** Whether something was granted, wholly or in part. */
  isAnyGranted: boolean;
  /** Who was handed something of these recordings before (art. 15(1)(c), 19), and when; newest first, once for each package. */
  disclosures: { recipient: string; reference: string; disclosedAt: Date }[];
  /** Earlier requests of the same person: the file on them is data, too. */
  earlier: { reference: string; receivedAt: Date }[];
  /** What was corrected and stated for this request. */
  rectifications: RectificationRow[];
  /** Who handles these data for the organisation, and where; whoever is on its own network is nobody else. */
  processors: Processor[];
  /** The works council's consent to evaluations; null while none is on record. */
  consent: { date: string; reference: string } | null;
  /** What was written about the work of an employee who asks about themselves; null where nobody here asks. */
  work: Work | null;
  /** The date of the answer: when it was approved. */
  at: Date;
}

/** With all that was found, as a letter is composed of it: that sorts and counts the whole. */
export interface WholeAnswer extends Answer {
  /** Recordings first, newest first. */
  items: ItemRow[];
  decisions: Map<string, DecisionRow[]>;
  /** Oldest first. */
  listens: Listened[];
  /** Of each recording. */
  disclosures: Disclosure[];
  /** Items whose erasure is granted and has to wait, with the grounds of the holds that keep them, as far as they may be told. */
  kept: Map<string, HoldGround[]>;
}

/** An authority gets what its order names and nothing around it: it has no rights of a data subject. */
export const isOrder = ({ request }: Pick<Answer, 'request'>): boolean => request.requester_kind === 'authority';

/** A company has none either: where nothing is granted it learns of nobody whether anything is held. */
export const isForCompany = ({ request, isAnyGranted }: Pick<Answer, 'request' | 'isAnyGranted'>): boolean =>
  request.requester_kind === 'company' && !isAnyGranted;

export const isAnswered = (process: ProcessRow) =>
  (process.state === 'approved' || process.state === 'done') && process.outcome !== 'withdrawn';

/** The decision on a right among those on an item; undefined where there is none. */
export const decidedOn = (decisions: readonly DecisionRow[], right: Right): DecisionRow | undefined =>
  decisions.find((decision) => decision.right === right);

/** What was decided on a right about an item; undefined where nothing was. */
export const decisionOn = (answer: Pick<WholeAnswer, 'decisions'>, item: ItemRow, right: Right): DecisionRow | undefined =>
  decidedOn(answer.decisions.get(item.id) ?? [], right);

/** An item of which something leaves, by this decision. */
export interface Disclosed {
  item: ItemRow;
  decision: DecisionRow;
}

/** Items of which something leaves under `right`, some hundred at a time: approved, granted wholly or in part, and still there. */
export async function* disclosed(answer: Answer, right: Right, kind: ItemRow['kind']): AsyncGenerator<Disclosed[]> {
  if (!answer.processes.some((process) => process.right === right && isAnswered(process))) return;
  for await (const batch of answer.batches(kind))
    yield batch.flatMap(({ item, decisions }) => {
      const decision = decidedOn(decisions, right);
      return decision === undefined || decision.decision === 'refuse' || !item.available ? [] : [{ item, decision }];
    });
}

/** Decided, and not yet approved: a draft tells of it, an answer that is out does not. */
export const isAwaited = (process: ProcessRow) => process.state === 'decided';

const isElsewhere = (name: string) => name.includes(' ') || (/\.[a-z]{2,}$/i.test(name) && !/\.(local|internal|localhost|lan|test)$/i.test(name));

/** Those whom a caller's data reach: not who signs officers in, nor who stamps digests. */
async function processorsOf({ platform: { database }, processors }: PrivacyContext, tx?: Transaction): Promise<Processor[]> {
  const speech = (await useInForce(database, 'transcription', tx))?.processor ?? null;
  return [
    ...processors.filter(({ role, name }) => (role === 'storage' || role === 'database') && isElsewhere(name)),
    ...(speech === null ? [] : [{ role: 'speech_to_text' as const, ...speech }]),
  ];
}

/** Who listened to these recordings of a request: when and for what, oldest first. */
export async function listensTo(
  { platform: { database } }: PrivacyContext,
  { request }: Pick<Answer, 'request'>,
  recordingIds: readonly string[],
  tx?: Transaction,
): Promise<Listened[]> {
  return await database.query<Listened>(
    // An officer who works on a secret order also listens in the ordinary player: that would give the order away.
    `SELECT l.recording_id AS "recordingId", l.opened_at AS at, l.purpose FROM listens l
     WHERE l.recording_id = ANY ($1::uuid[]) AND NOT EXISTS (
       SELECT FROM privacy_items i JOIN privacy_requests q ON q.id = i.request_id
       WHERE q.secret AND q.id <> $2 AND i.kind = 'recording' AND i.item_id = l.recording_id AND l.purpose <> 'training'
         AND l.opened_at >= q.created_at AND (q.closed_at IS NULL OR l.opened_at <= q.closed_at)
         AND EXISTS (SELECT FROM privacy_events e WHERE e.request_id = q.id AND e.actor_id = l.user_id))
     ORDER BY l.opened_at, l.id`,
    [[...recordingIds], request.id],
    tx,
  );
}

/** Reads what there is to say, approved or not: a draft is made of the same. @throws Problem `not-found` */
export async function readAnswer(context: PrivacyContext, id: string, tx?: Transaction): Promise<Answer> {
  const { clock, database } = context.platform;
  const request = await findRequest(database, id, tx);
  const [subject, processes, granted, organisation, disclosures, earlier] = [
    await subjectOf(database, id, tx),
    await processesOf(database, id, tx),
    await database.query(
      `SELECT 1 FROM privacy_decisions d JOIN privacy_items i ON i.id = d.item_id
       WHERE i.request_id = $1 AND d.replaced_at IS NULL AND d.decision <> 'refuse' LIMIT 1`,
      [id],
      tx,
    ),
    await organisationOf(database, undefined, tx),
    await database.query<Answer['disclosures'][number]>(
      `SELECT d.recipient, d.reference, d.disclosed_at AS "disclosedAt" FROM disclosures d
       JOIN privacy_items i ON i.request_id = $1 AND i.kind = 'recording' AND i.confirmed AND i.item_id = d.recording_id
       WHERE d.package_id <> $1 GROUP BY d.package_id, d.recipient, d.reference, d.disclosed_at ORDER BY d.disclosed_at DESC, d.package_id`,
      [id],
      tx,
    ),
    await database.query<Answer['earlier'][number]>(
      `SELECT 'PV-' || q.year || '-' || lpad(q.number::text, 4, '0') AS reference, q.received_at AS "receivedAt"
       FROM privacy_requests q JOIN privacy_subjects s ON s.request_id = q.id
       JOIN privacy_subjects mine ON mine.request_id = $1 AND mine.emails && s.emails
       WHERE q.id <> $1 AND NOT q.secret AND q.requester_kind NOT IN ('authority', 'company') ORDER BY q.received_at LIMIT 100`,
      [id],
      tx,
    ),
  ];
  const at = request.approved_at ?? clock.now();
  const work = request.employee_id === null ? null : await workOf({ clock, database }, request.employee_id, id, tx);
  const rectifications = await rectificationsOf(database, id, tx);
  const processors = await processorsOf(context, tx);
  const consent = work === null ? null : ((await useInForce(database, 'evaluation', tx))?.consent ?? null);
  return {
    request, subject, processes, organisation, disclosures, earlier, rectifications, processors, consent, work, at,
    batches: (kind) => itemBatches(database, id, clock.now(), { kind, whose: 'theirs' }, tx),
    isAnyGranted: granted.length > 0,
  };
}

/** Reads all that was found besides, for a letter. */
export async function readWhole(context: PrivacyContext, answer: Answer, tx?: Transaction): Promise<WholeAnswer> {
  const { clock, database } = context.platform;
  const { id } = answer.request;
  const items = (await itemsOf(database, id, clock.now(), tx)).filter((item) => item.confirmed === true);
  const recordingIds = items.filter(({ kind }) => kind === 'recording').map((item) => item.item_id);
  return {
    ...answer, items,
    decisions: await decisionsOf(database, id, tx),
    kept: await keptErasures(database, id, clock.now(), tx),
    listens: await listensTo(context, answer, recordingIds, tx),
    disclosures: (await disclosuresOf(database, recordingIds, tx)).filter(({ packageId }) => packageId !== id),
  };
}

/**
 * Reads what may go out.
 * @throws Problem `not-found`, `conflict` before identity, decisions and approval, and where there is no answer
 */
export async function readApprovedAnswer(context: PrivacyContext, id: string): Promise<Answer> {
  const answer = await readAnswer(context, id);
  const { request, processes } = answer;
  if (request.closed_at !== null && request.outcome !== 'answered')
    throw new Problem('conflict', { detail: 'This request was closed without an answer.' });
  if (request.identified_at === null) throw new Problem('conflict', { detail: 'The identity is not verified yet.' });
  if (!processes.some(isAnswered) || request.approved_at === null || request.state === 'decide')
    throw new Problem('conflict', { detail: 'The answer is not decided and approved yet.' });
  return answer;
}
