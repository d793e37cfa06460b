import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import { newId } from '../platform/identifier.js';
import { Problem, type FieldFault } from '../platform/problem.js';
import { findRecording, type Leg } from '../recordings/recording.js';
import { cutsOf, toRecording } from '../recordings/timeline.js';
import { placeHoldIn, releaseHoldIn } from '../retention/place-hold.js';
import { liftRestrictionIn, restrictIn, restrictionsOf } from '../retention/restrict.js';
import { retagJob } from '../retention/retag.js';
import type { RefusalGround } from './decide.js';
import { itemsOf, usualFor, type ItemRow, type MaskSegment } from './items.js';
import { lockOpenRequest, processesOf, record, type PrivacyContext, type ProcessRow, type RequestRow } from './request.js';
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
}

const dayMs = 86_400_000;

/**
 * Takes decisions, all of them or none.
 * @throws Problem `not-found`, `conflict` when the process is approved, `invalid-input` with a fault a decision
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
    const items = new Map((await itemsOf(database, id, clock.now(), tx)).map((item) => [item.id, item]));
    const processes = new Map((await processesOf(database, id, tx)).map((process) => [process.right, process]));
    refuseFaulty(decisions, items, processes);
    for (const told of decisions) {
      const item = items.get(told.itemId);
      const process = processes.get(told.right);
      if (item === undefined) continue;
      if (told.decision === 'not_theirs') {
        if ([...processes.values()].some(({ state }) => state === 'approved' || state === 'done'))
          throw new Problem('conflict', { detail: 'The answer is approved already.' });
        await letGo(context, tx, person, request, item);
        item.confirmed = false;
        continue;
      }
      if (process === undefined || process.state === 'approved' || process.state === 'done')
        throw new Problem('conflict', { detail: 'The answer on this right is approved already.' });
      if (item.confirmed !== true) await confirm(context, tx, person, request, item, processes.has('objection'));
      item.confirmed = true;
      await decide(context, tx, person, request, item, { ...told, decision: told.decision });
    }
    return await settleState(context, tx, id);
  });
  platform.jobs.nudge(retagJob);
  return standing;
}

/** What is wrong with each decision by itself, told for all of them at once. */
function refuseFaulty(
  decisions: readonly ToldDecision[],
  items: ReadonlyMap<string, ItemRow>,
  processes: ReadonlyMap<Right, ProcessRow>,
): void {
  const faults: FieldFault[] = [];
  decisions.forEach((told, index) => {
    const at = `decisions.${index}`;
    const item = items.get(told.itemId);
    if (item === undefined) {
      faults.push({ path: `${at}.itemId`, message: 'is no item of this request' });
      return;
    }
    if (told.decision === 'not_theirs') return;
    if (!item.available) faults.push({ path: `${at}.itemId`, message: 'is not kept any more' });
    if (!processes.has(told.right)) faults.push({ path: `${at}.right`, message: 'was not asked for in this request' });
    const { verdict } = usualFor(item, told.right);
    if (told.reason === undefined && (told.decision !== 'grant' || (verdict !== null && verdict !== told.decision)))
      faults.push({ path: `${at}.reason`, message: 'is needed to refuse, to grant in part, or to decide otherwise than usual' });
    (told.mask ?? []).forEach((segment, place) => {
      if (segment.endMs <= segment.startMs) faults.push({ path: `${at}.mask.${place}.endMs`, message: 'must lie after startMs' });
      if (typeof segment.channel === 'number' && segment.channel >= (item.channels ?? 1))
        faults.push({ path: `${at}.mask.${place}.channel`, message: 'is no channel of this recording' });
    });
    if ((told.mask?.length ?? 0) > 0 && item.kind === 'ticket')
      faults.push({ path: `${at}.mask`, message: 'is for recordings' });
  });
  if (faults.length > 0) throw new Problem('invalid-input', { errors: faults });
}

/** An item that is theirs is kept while the request is open, and what they objected to is closed to evidence until decided. */
async function confirm(
  { platform, settings, categories }: PrivacyContext,
  tx: Transaction,
  person: Person,
  request: RequestRow,
  item: ItemRow,
  objected: boolean,
): Promise<void> {
  const { clock, database } = platform;
  const now = clock.now();
  const actor = { kind: 'person' as const, id: person.userId };
  const hold = await placeHoldIn(platform, categories, tx, actor, {
    kind: item.kind, itemId: item.item_id, ground: request.requester_kind === 'authority' ? 'authority_order' : 'open_request',
    reason: 'confirmed for an open request', requestId: request.id,
    reviewAt: new Date(Math.max(request.due_at.getTime(), now.getTime() + dayMs)),
  }, settings.timeZone);
  await database.query(
    'UPDATE privacy_items SET confirmed = true, confirmed_by = $2, confirmed_at = $3, hold_id = $4 WHERE id = $1',
    [item.id, person.userId, now, hold.id],
    tx,
  );
  if (objected)
    for (const purpose of ['training', 'evidence'] as const)
      await restrictIn(platform, tx, actor, {
        kind: item.kind, itemId: item.item_id, purpose, ground: 'objection', requestId: request.id,
      });
}

/** Somebody else's after all: nothing of this request keeps or closes it any longer. */
async function letGo(
  { platform }: PrivacyContext,
  tx: Transaction,
  person: Person,
  request: RequestRow,
  item: ItemRow,
): Promise<void> {
  const { clock, database } = platform;
  const now = clock.now();
  const actor = { kind: 'person' as const, id: person.userId };
  await database.query(
    'UPDATE privacy_items SET confirmed = false, confirmed_by = $2, confirmed_at = $3 WHERE id = $1',
    [item.id, person.userId, now],
    tx,
  );
  await database.query(
    'UPDATE privacy_decisions SET replaced_at = $2 WHERE item_id = $1 AND replaced_at IS NULL',
    [item.id, now],
    tx,
  );
  const holds = await database.query<{ id: string }>(
    'SELECT id FROM holds WHERE request_id = $1 AND category = $2 AND item_id = $3 AND released_at IS NULL',
    [request.id, item.kind, item.item_id],
    tx,
  );
  for (const { id } of holds) await releaseHoldIn(platform, tx, actor, id, 'not of the person who asked');
  for (const each of await restrictionsOf(database, tx, item.kind, item.item_id))
    if (each.requestId === request.id && each.liftedAt === null) await liftRestrictionIn(platform, tx, actor, each.id);
  await record(platform, tx, person, request, 'item_not_theirs', { itemId: item.id });
}

async function decide(
  context: PrivacyContext,
  tx: Transaction,
  person: Person,
  request: RequestRow,
  item: ItemRow,
  told: ToldDecision & { decision: Verdict },
): Promise<void> {
  const { platform } = context;
  const { clock, database } = platform;
  const now = clock.now();
  const usual = usualFor(item, told.right);
  await database.query(
    'UPDATE privacy_decisions SET replaced_at = $3 WHERE item_id = $1 AND "right" = $2 AND replaced_at IS NULL',
    [item.id, told.right, now],
    tx,
  );
  const id = newId(clock);
  const isRefusedErasure = told.right === 'erasure' && told.decision !== 'grant';
  const mask = await onRecording(context, item, told.mask ?? [], tx);
  await database.query(
    `INSERT INTO privacy_decisions (id, item_id, "right", decision, usual, article, ground, reason, review_at, mask,
       decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12)`,
    [
      id, item.id, told.right, told.decision, usual.verdict, usual.article,
      told.ground ?? (isRefusedErasure ? '17(3)(e)' : null), told.reason ?? null,
      // What may not be erased now is looked at again: at the latest when it would go anyway.
      told.reviewAt ?? (isRefusedErasure ? (item.retain_until ?? new Date(now.getTime() + 90 * dayMs)) : null),
      JSON.stringify(mask), person.userId, now,
    ],
    tx,
  );
  await protect(context, tx, person, request, item, told);
  await record(platform, tx, person, request, 'decided', {
    itemId: item.id, decisionId: id, right: told.right, decision: told.decision, usual: usual.verdict, masked: mask.length,
  });
}

/** Segments as people heard them, on the recording's own timeline, which no hold music shifts. */
async function onRecording(
  { platform: { database } }: PrivacyContext,
  item: ItemRow,
  mask: NonNullable<ToldDecision['mask']>,
  tx: Transaction,
): Promise<MaskSegment[]> {
  if (mask.length === 0) return [];
  const found = await findRecording(database, item.item_id, tx);
  if (found === undefined) throw new Problem('retention-ended');
  const { recording, version } = found;
  const cuts = cutsOf(recording.holds, version.sample_rate_hz, version.duration_ms);
  return mask.map(({ channel, ...heard }) => {
    const place = typeof channel === 'string' ? recording.channel_map.indexOf(channel) : channel;
    return { ...toRecording(heard, cuts), ...(place === undefined || place < 0 ? {} : { channel: place }) };
  });
}

/** What protects the person works from the decision on: nobody has to approve it first. */
async function protect(
  { platform, settings, categories }: PrivacyContext,
  tx: Transaction,
  person: Person,
  request: RequestRow,
  item: ItemRow,
  told: ToldDecision & { decision: Verdict },
): Promise<void> {
  const actor = { kind: 'person' as const, id: person.userId };
  const asRestriction = told.right === 'restriction' || usualFor(item, told.right).as === 'restriction';
  if (!asRestriction || told.decision === 'refuse') return;
  await restrictIn(platform, tx, actor, {
    kind: item.kind, itemId: item.item_id, purpose: 'all', requestId: request.id,
    ground: told.right === 'restriction' ? 'restriction' : 'objection',
  });
  const now = platform.clock.now();
  const [held] = await platform.database.query(
    `SELECT 1 FROM holds WHERE request_id = $1 AND item_id = $2 AND ground = 'restriction' AND released_at IS NULL`,
    [request.id, item.item_id],
    tx,
  );
  if (held !== undefined) return;
  // At the end of its period the person is asked whether it is to be kept: until then the sweep passes it over.
  await placeHoldIn(platform, categories, tx, actor, {
    kind: item.kind, itemId: item.item_id, ground: 'restriction', reason: 'restricted on request: ask before it goes',
    reviewAt: new Date(Math.max(item.retain_until?.getTime() ?? 0, now.getTime() + dayMs)), requestId: request.id,
  }, settings.timeZone);
}
