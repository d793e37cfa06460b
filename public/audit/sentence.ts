import type { AuditEntry } from '../api/types.js';
import { language, t, textOf } from '../i18n.js';

/** Every act that has a sentence of its own; the filter offers the same. */
export const acts = [
  'recording.viewed',
  'recording.searched',
  'recording.listened',
  'recording.received',
  'recording.processed',
  'recording.processing_failed',
  'recording.statement_attached',
  'recording.metadata_changed',
  'recording.purged',
  'ticket.received',
  'ticket.changed',
  'ticket.viewed',
  'ticket.searched',
  'hold.placed',
  'hold.placed_by_number',
  'hold.confirmed',
  'hold.released',
  'user.created',
  'user.changed',
  'user.password_changed',
  'user.password_reset',
  'user.second_factor_added',
  'user.second_factor_removed',
  'user.identity_bound',
  'user.identity_unbound',
  'session.opened',
  'session.closed',
  'session.refused',
  'key.created',
  'key.rotated',
  'key.revoked',
  'source.created',
  'source.changed',
  'organisation.changed',
  'excluded_number.added',
  'excluded_number.removed',
  'recording.excluded',
  'ticket.purged',
  'ticket.linked',
  'ticket.unlinked',
  'ticket.attachment_read',
  'ticket.attachment_scanned',
  'ticket.attachments_quarantined',
  'sweep.requested',
  'lifecycle.applied',
  'lifecycle.compared',
  'source.webhook_secret_set',
  'source.webhook_secret_removed',
  'agreement.marked',
  'agreement.corrected',
  'agreement.withdrawn',
  'agreement.searched',
  'evidence.ordered',
  'evidence.sealed',
  'evidence.downloaded',
  'recording.export_ordered',
  'recording.call_data_added',
  'recording.caller_withheld',
  'call_data.purged',
  'ticket_piece.purged',
  'package.purged',
  'ticket.message_received',
  'ticket.attachment_received',
  'retention_policy.changed',
  'retention_policy.applied',
  'retention_report.made',
  'restriction.placed',
  'restriction.lifted',
  'reconcile.repaired',
  'audit.exported',
  'audit.read',
  'audit.checkpointed',
  'signing_key.introduced',
  'recording.shared',
  'recording.share_changed',
  'recording.share_revoked',
  'comment.written',
  'comment.changed',
  'comment.deleted',
  'collection.created',
  'collection.changed',
  'collection.deleted',
  'collection.item_added',
  'collection.item_changed',
  'collection.item_removed',
  'collection.ordered',
  'scorecard.written',
  'evaluation.begun',
  'evaluation.submitted',
  'evaluation.revised',
  'evaluation.draft_discarded',
  'evaluation.acknowledged',
  'evaluation.responded',
  'evaluation.outcomes_expired',
  'sample.drawn',
  'further_use.switched_on',
  'further_use.switched_off',
  'transcript.requested',
  'transcript.audio_sent',
  'transcript.viewed',
  'transcript.searched',
  'transcript.written',
] as const;

/** Acts on privacy requests, whose words are those of a request's own timeline. */
export const requestActs = [
  'received', 'flagged', 'completed', 'merged', 'took_over', 'identity_checked', 'copy_destroyed', 'extended', 'paused', 'resumed',
  'searched', 'decided', 'item_not_theirs', 'previewed', 'letter_written', 'approved', 'sent_back', 'letter_handed_out',
  'package_handed_out', 'delivery_made', 'notice_sent', 'rectified', 'recipient_told', 'recipient_not_told', 'erasure_begun',
  'erasure_held_up', 'restriction_lifted', 'reminded', 'overdue', 'noted', 'closed',
] as const;

const short = (id: string) => (/^[0-9a-f]{8}-/.test(id) ? `…${id.slice(-6)}` : id);

/** Who did it, by name where the service gives one, else by the end of the pseudonymous id. */
export function actorOf({ actor }: AuditEntry): string {
  if (actor === null) return t('actor.unknown');
  if (typeof actor === 'string') return short(actor);
  if (actor.name) return actor.name;
  if (actor.kind === 'system') return t('actor.system');
  const id = actor.id ? ` ${short(actor.id)}` : '';
  return (actor.kind === 'machine' ? t('actor.machine') : t('actor.person')) + id;
}

export interface ObjectOf {
  kind: string;
  id: string;
}

/** What it was done to. */
export function objectOf({ object }: AuditEntry): ObjectOf | undefined {
  if (!object) return undefined;
  if (typeof object === 'string') return { kind: '', id: object };
  const kind = object.type ?? object.kind ?? '';
  return object.id ? { kind, id: object.id } : undefined;
}

/** An act on a privacy request, in the words of the request's own timeline. */
function ofRequest(action: string, object: string): string | undefined {
  const [of, kind] = action.split('.');
  const act = of === 'privacy_request' ? textOf(`event.${kind ?? ''}`) : undefined;
  return act && t('audit.ofRequest', { object, act: act.charAt(0).toLocaleLowerCase(language.value) + act.slice(1) });
}

/** An entry as a person would say it, without the name of who did it: "beluisterde opname …4f21c0". */
export function sentence(entry: AuditEntry): string {
  const object = objectOf(entry);
  const details = entry.details ?? {};
  // A further use has a name instead of an id.
  const named = object?.kind === 'further_use' ? textOf(`use.${object.id}`) : undefined;
  const shown = named ?? (object ? short(object.id) : '');
  const said = textOf(`act.${entry.action}`, { object: shown }) ?? ofRequest(entry.action, shown);
  const purpose = typeof details['purpose'] === 'string' ? textOf(`purpose.${details['purpose']}`) : undefined;
  const words = said ?? `${entry.action} ${object ? `${object.kind} ${short(object.id)}` : ''}`;
  const full =
    purpose === undefined
      ? words
      : `${words} (${t('audit.purpose', { purpose: purpose.toLocaleLowerCase(language.value) })})`;
  return full.trim();
}
