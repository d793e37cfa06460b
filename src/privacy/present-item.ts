import type { z } from 'zod';
import { cutsOf, toPlayback } from '../recordings/timeline.js';
import { groundOf } from './decide.js';
import { usualFor, type DecisionRow, type ItemRow } from './items.js';
import type { decisionSchema, PresentedItem, processSchema } from './file-schema.js';
import { ownCall } from './outcomes.js';
import type { ProcessRow } from './request.js';

/** Processes, items and what was decided about them, as the API shows them. */

export const iso = (at: Date | null): string | null => at?.toISOString() ?? null;

export const presentProcess = (row: ProcessRow): z.input<typeof processSchema> => ({
  right: row.right, state: row.state, outcome: row.outcome, receivedAt: row.received_at.toISOString(),
  approvedBy: row.approved_by, approvedAt: iso(row.approved_at), approvedAlone: row.approved_alone_reason !== null,
});

/** Kept on the recording's own timeline, told on the one that people hear. */
function presentMask({ mask }: DecisionRow, { holds, sample_rate_hz: rateHz, duration_ms: durationMs, channel_map: map }: ItemRow) {
  if (mask.length === 0 || holds === null || rateHz === null || durationMs === null) return mask;
  const cuts = cutsOf(holds, rateHz, durationMs);
  return mask.map(({ startMs, endMs, channel }) => ({
    startMs: toPlayback(startMs, cuts),
    endMs: toPlayback(endMs, cuts),
    ...(channel === undefined ? {} : { channel: map?.[channel] ?? channel }),
  }));
}

const presentDecision = (row: DecisionRow, item: ItemRow): z.input<typeof decisionSchema> => ({
  id: row.id, right: row.right, decision: row.decision, usual: row.usual, article: row.article, ground: row.ground,
  reason: row.reason, reviewAt: iso(row.review_at), mask: presentMask(row, item), passages: row.passages, decidedBy: row.decided_by,
  decidedAt: row.decided_at.toISOString(), carriedOutAt: iso(row.carried_out_at),
});

/** An item as an officer sees it; without what tells people apart for who sees no names. */
export function presentItem(
  item: ItemRow,
  processes: readonly ProcessRow[],
  decisions: readonly DecisionRow[],
  named: boolean,
): PresentedItem {
  const shown = <T>(value: T): T | null => (named ? value : null);
  return {
    itemId: item.id,
    kind: item.kind,
    recordingId: item.kind === 'recording' ? item.item_id : null,
    ticketId: item.kind === 'ticket' ? item.item_id : null,
    basis: item.basis,
    sharedNumber: item.shared_number,
    confirmed: item.confirmed,
    available: item.available,
    held: item.held,
    restricted: item.restricted,
    retainUntil: iso(item.retain_until),
    legalGround: groundOf({ kind: item.kind, relation: item.requester_relation }),
    startedAt: iso(item.started_at),
    durationMs: item.duration_ms,
    channels: item.channels,
    caller: shown(item.caller_number),
    callerName: shown(item.caller_name),
    callee: shown(item.callee_number),
    agent: item.agent,
    hasAgreement: item.has_agreement,
    number: item.ticket_number,
    subject: shown(item.subject),
    requesterName: shown(item.requester_name),
    createdAt: iso(item.opened_at),
    usual: processes.map((process) => {
      const usual = usualFor(item, process.right);
      return {
        right: process.right, decision: usual.verdict, article: usual.article,
        why: process.right === 'access' && item.kind === 'recording' && item.requester_kind === 'employee' ? ownCall : usual.why,
        decides: usual.decides, offer: usual.offer ?? null,
      };
    }),
    decisions: decisions.map((decision) => presentDecision(decision, item)),
  };
}
