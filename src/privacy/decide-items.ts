import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { newId } from '../platform/identifier.js';
import { Problem, type FieldFault } from '../platform/problem.js';
import type { Leg } from '../recordings/recording.js';
import { cutsOf, toRecording } from '../recordings/timeline.js';
import { retagJob } from '../retention/retag.js';
import { confirmItems, letItemsGo, protectItems } from './confirm-items.js';
import { itemsNamed, usualFor, type ItemRow, type MaskSegment, type Passage } from './items.js';
import { citesArticle, groundsToRefuse, groundToRefuse, type RefusalGround } from './refusal-grounds.js';
import { lockOpenRequest, processesOf, recordAll, type PrivacyContext, type ProcessRow, type RequestRow } from './request.js';
import type { Right, Verdict } from './rights.js';
import { settleState, type Standing } from './states.js';

/** Deciding, item by item and right by right. A decision confirms that the item is theirs, and works at once where it protects. */

export interface ToldDecision {
  itemId: string;
  right: Right;
  decision: Verdict | 'not_theirs';
  reason?: string | undefined;
  ground?: RefusalGround | undefined;
  /** When a refusal to erase is looked at again. */
  reviewAt?: Date | undefined;
  /** On the timeline of what is heard: the playback copy. */
  mask?: readonly { startMs: number; endMs: number; channel?: number | Leg | undefined }[] | undefined;
  /** Of a ticket: what is made unreadable. */
  passages?: readonly Passage[] | undefined;
  /** An officer looked at this very item and says that it is theirs: needed where others use its number too. */
  confirmed?: boolean | undefined;
}

type Decided = ToldDecision & { decision: Verdict };

const dayMs = 86_400_000;
const isApproved = ({ state }: ProcessRow) => state === 'approved' || state === 'done';

/**
 * Takes decisions, all of them or none.
 * @throws Problem `not-found`, `conflict` when the process is approved, `retention-ended` when one of them went meanwhile,
 * `invalid-input` with a fault a decision
 */
export async function decideItems(
  context: PrivacyContext,
  person: Person,
  id: string,
  decisions: readonly ToldDecision[],
): Promise<Standing> {
  const { platform } = context;
  const { clock, database } = platform;
  const standing = await database.inTransaction(async (tx) => {
    const request = await lockOpenRequest(database, tx, id);
    const named = await itemsNamed(database, id, [...new Set(decisions.map(({ itemId }) => itemId))], clock.now(), tx);
    const items = new Map(named.map((item) => [item.id, item]));
    const processes = new Map((await processesOf(database, id, tx)).map((process) => [process.right, process]));
    refuseFaulty(request, decisions, items, processes);
    const itemOf = ({ itemId }: ToldDecision) => items.get(itemId) ?? [];
    const others = new Set(decisions.filter(({ decision }) => decision === 'not_theirs').flatMap(itemOf));
    const decided = newest(decisions.filter((told): told is Decided => told.decision !== 'not_theirs'));
    if (others.size > 0 && [...processes.values()].some(isApproved))
      throw new Problem('conflict', { detail: 'The answer is approved already.' });
    for (const { right } of decided) {
      const process = processes.get(right);
      if (process === undefined || isApproved(process))
        throw new Problem('conflict', { detail: 'The answer on this right is approved already.' });
    }
    await letItemsGo(context, tx, person, request, [...others]);
    const theirs = new Set(decided.flatMap(itemOf));
    await confirmItems(
      context, tx, person, request, [...theirs].filter((item) => item.confirmed !== true || others.has(item)), processes.has('objection'),
    );
    await write(context, tx, person, request, decided.flatMap((told) => [itemOf(told)].flat().map((item) => ({ item, told }))));
    return await settleState(context, tx, id);
  });
  platform.jobs.nudge(retagJob);
  return standing;
}

/** Of decisions on the same item and right that came together, the last counts. */
const newest = (decisions: readonly Decided[]): Decided[] =>
  [...new Map(decisions.map((told) => [`${told.itemId} ${told.right}`, told])).values()];

/** What is wrong with each decision by itself, told for all of them at once. */
function refuseFaulty(
  request: RequestRow,
  decisions: readonly ToldDecision[],
  items: ReadonlyMap<string, ItemRow>,
  processes: ReadonlyMap<Right, ProcessRow>,
): void {
  const faults: FieldFault[] = [];
  const theirs = decisions.filter(({ decision }) => decision !== 'not_theirs');
  const unsure = new Set(theirs.map(({ itemId }) => items.get(itemId)).filter((item) => item?.shared_number && item.confirmed !== true));
  decisions.forEach((told, index) => {
    const at = `decisions.${index}`;
    const item = items.get(told.itemId);
    const fault = (path: string, message: string) => faults.push({ path: `${at}.${path}`, message });
    if (item === undefined) {
      fault('itemId', 'is no item of this request');
      return;
    }
    if (told.decision === 'not_theirs') return;
    if (!item.available) fault('itemId', 'is not kept any more');
    if (!processes.has(told.right)) fault('right', 'was not asked for in this request');
    // Somebody else's call must not leave because a hundred were ticked at once.
    if (unsure.has(item) && unsure.size > 1 && told.confirmed !== true)
      fault('confirmed', 'is needed: others use this number too, so each item is looked at by itself');
    const { verdict } = usualFor(item, told.right);
    if (told.reason === undefined && (told.decision !== 'grant' || (verdict !== null && verdict !== told.decision)))
      fault('reason', 'is needed to refuse, to grant in part, or to decide otherwise than usual');
    if (told.decision !== 'grant' && told.ground !== undefined && request.requester_kind !== 'authority') {
      const carrying = groundsToRefuse(told.right, item.kind);
      if (!carrying.includes(told.ground)) fault('ground', `does not carry a refusal of this right: ${carrying.join(', ')} do`);
      if (told.ground === 'other' && told.reason !== undefined && !citesArticle(told.reason))
        fault('reason', 'has to name the article it rests on, where the ground is another one');
    }
    (told.mask ?? []).forEach((segment, place) => {
      if (segment.endMs <= segment.startMs) fault(`mask.${place}.endMs`, 'must lie after startMs');
      if (typeof segment.channel === 'number' && segment.channel >= (item.channels ?? 1))
        fault(`mask.${place}.channel`, 'is no channel of this recording');
    });
    (told.passages ?? []).forEach(({ start, end }, place) => {
      if ((start === undefined) !== (end === undefined) || (start !== undefined && end !== undefined && end <= start))
        fault(`passages.${place}.end`, 'must lie after start; both are given, or neither');
    });
    if (item.kind === 'ticket' && (told.mask?.length ?? 0) > 0) fault('mask', 'is for recordings');
    if (item.kind === 'recording' && (told.passages?.length ?? 0) > 0) fault('passages', 'is for tickets');
    const isHeard = told.right === 'access' && told.decision !== 'refuse' && item.kind === 'recording';
    if (isHeard && request.requester_kind === 'employee' && callerChannel(item) === undefined && (told.mask?.length ?? 0) === 0)
      fault('mask', 'is needed: the legs of this call are not apart, and an employee’s answer masks the customer');
  });
  if (faults.length > 0) throw new Problem('invalid-input', { errors: faults });
}

/** The channel on which the caller alone is heard; undefined where nobody said so, or all are in one. */
function callerChannel({ channels, channel_map: map }: ItemRow): number | undefined {
  const place = map?.indexOf('caller') ?? -1;
  return place < 0 || place >= (channels ?? 1) || (channels ?? 1) < 2 ? undefined : place;
}

async function write(
  context: PrivacyContext,
  tx: Transaction,
  person: Person,
  request: RequestRow,
  decided: readonly { item: ItemRow; told: Decided }[],
): Promise<void> {
  if (decided.length === 0) return;
  const { clock, database } = context.platform;
  const now = clock.now();
  const rows = decided.map(({ item, told }) => {
    const usual = usualFor(item, told.right);
    const isRefusedErasure = told.right === 'erasure' && told.decision !== 'grant';
    return {
      id: newId(clock), item: item.id, right: told.right, decision: told.decision, usual: usual.verdict, article: usual.article,
      // What the law itself refuses is told by the law's own article, and an order is no right.
      ground: told.decision === 'grant' || usual.verdict === told.decision || request.requester_kind === 'authority'
        ? (told.ground ?? null)
        : groundToRefuse(told.right, item.kind, told.ground, told.reason),
      reason: told.reason ?? null,
      // What may not be erased now is looked at again: at the latest when it would go anyway.
      review: told.reviewAt ?? (isRefusedErasure ? (item.retain_until ?? new Date(now.getTime() + 90 * dayMs)) : null),
      mask: maskOf(request, item, told), passages: told.passages ?? [],
    };
  });
  await database.query(
    `UPDATE privacy_decisions d SET replaced_at = $2 FROM jsonb_to_recordset($1::jsonb) AS given (item uuid, "right" text)
     WHERE d.item_id = given.item AND d."right" = given."right" AND d.replaced_at IS NULL`,
    [JSON.stringify(rows), now],
    tx,
  );
  await database.query(
    `INSERT INTO privacy_decisions (id, item_id, "right", decision, usual, article, ground, reason, review_at, mask, passages,
       decided_by, decided_at)
     SELECT id, item, "right", decision, usual, article, ground, reason, review, mask, passages, $2::uuid, $3
     FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, item uuid, "right" text, decision text, usual text, article text,
       ground text, reason text, review timestamptz, mask jsonb, passages jsonb)`,
    [JSON.stringify(rows), person.userId, now],
    tx,
  );
  const restricting = decided.filter(
    ({ item, told }) => told.decision !== 'refuse' && (told.right === 'restriction' || usualFor(item, told.right).as === 'restriction'),
  );
  await protectItems(context, tx, person, request, restricting.map(({ item, told }) => ({
    item, ground: told.right === 'restriction' ? 'restriction' : 'objection',
  })));
  await recordAll(context.platform, tx, person, request, rows.map((row) => ({
    kind: 'decided',
    details: {
      itemId: row.item, decisionId: row.id, right: row.right, decision: row.decision, usual: row.usual,
      masked: row.mask.length + row.passages.length,
    },
  })));
}

/**
 * Segments as people heard them, on the recording's own timeline, which no hold music shifts. Of an employee's call the
 * customer's whole leg is masked besides.
 */
function maskOf(request: RequestRow, item: ItemRow, { mask = [], right }: Decided): MaskSegment[] {
  if (item.kind === 'ticket' || item.holds === null || item.sample_rate_hz === null || item.duration_ms === null) return [];
  const cuts = cutsOf(item.holds, item.sample_rate_hz, item.duration_ms);
  const told = mask.map(({ channel, ...heard }) => {
    const place = typeof channel === 'string' ? (item.channel_map ?? []).indexOf(channel) : channel;
    return { ...toRecording(heard, cuts), ...(place === undefined || place < 0 ? {} : { channel: place }) };
  });
  const customer = request.requester_kind === 'employee' && right === 'access' ? callerChannel(item) : undefined;
  return customer === undefined ? told : [...told, { startMs: 0, endMs: item.duration_ms, channel: customer }];
}
