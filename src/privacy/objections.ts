import type { Transaction } from 'sequelize';
import { allOwnNumbers } from '../access/organisation.js';
import type { Platform } from '../platform/platform.js';
import { restrictAllIn } from '../retention/restrict.js';

/**
 * An objection stops training at once (art. 21(1) GDPR), before anybody has decided about it: what carries a number or an
 * e-mail address of the person is closed to training from the intake on, and so is what comes in later while the
 * objection stands. Numbers of the organisation itself are nobody's: whoever names one closes nothing by it.
 */

/** The job that looks for what came in since. */
export const objectionsJob = 'privacy.objections';

type ObjectionPlatform = Pick<Platform, 'clock' | 'database'>;

interface Match {
  requestId: string;
  /** Null where the objection came by the public form. */
  officerId: string | null;
  kind: 'recording' | 'ticket';
  itemId: string;
}

/** An objection stands until it is refused, withdrawn or its request is closed without an answer. */
const standing = `FROM privacy_requests q
  JOIN privacy_processes p ON p.request_id = q.id AND p."right" = 'objection'
    AND (p.outcome IS NULL OR p.outcome NOT IN ('refused', 'withdrawn'))
  JOIN privacy_subjects s ON s.request_id = q.id AND s.erased_at IS NULL
  WHERE (q.closed_at IS NULL OR q.outcome = 'answered') AND ($1::uuid IS NULL OR q.id = $1)`;

/** What this request closed once, and an officer opened again, stays open: it was not theirs. */
const untouched = (kind: string, id: string) =>
  `NOT EXISTS (SELECT FROM restrictions x WHERE x.category = '${kind}' AND x.item_id = ${id} AND x.request_id = o.id
     AND x.purpose = 'training')`;

const walk = (kind: 'recording' | 'ticket', join: string) =>
  `SELECT o.id AS "requestId", o.created_by AS "officerId", '${kind}' AS kind, i.id AS "itemId"
   FROM objections o ${join} AND i.purge_intent IS NULL AND ${untouched(kind, 'i.id')}`;

/** Each walk goes by one index. */
const matches = `WITH own AS MATERIALIZED (SELECT array_agg(n.number) AS numbers FROM (${allOwnNumbers}) n),
  objections AS MATERIALIZED (SELECT q.id, q.created_by, s.emails,
    ARRAY(SELECT unnest(s.phones) EXCEPT SELECT unnest(own.numbers) FROM own) AS phones ${standing})
  ${walk('recording', 'JOIN recordings i ON i.caller_number = ANY (o.phones) AND i.version > 0')}
  UNION ${walk('recording', 'JOIN recordings i ON i.callee_number = ANY (o.phones) AND i.version > 0')}
  UNION ${walk('ticket', 'JOIN tickets i ON i.requester_phone = ANY (o.phones)')}
  UNION ${walk('ticket', 'JOIN tickets i ON i.requester_email = ANY (o.emails)')}
  LIMIT 5000`;

/** Closes what standing objections cover to training, inside `tx`. @returns how many things were closed */
export async function applyObjections(
  platform: ObjectionPlatform,
  tx: Transaction,
  requestId: string | null,
): Promise<number> {
  const found = await platform.database.query<Match>(matches, [requestId], tx);
  for (const officerId of new Set(found.map((match) => match.officerId)))
    await restrictAllIn(
      platform, tx, officerId === null ? { kind: 'system', id: 'privacy' } : { kind: 'person', id: officerId },
      found.filter((match) => match.officerId === officerId).map(({ requestId: id, kind, itemId }) => ({
        kind, itemId, purpose: 'training', ground: 'objection', requestId: id,
      })),
    );
  return found.length;
}

/** What came in since an objection was made: found by the minute, whatever way it came in. */
export async function applyStandingObjections(platform: ObjectionPlatform): Promise<number> {
  return await platform.database.inTransaction((tx) => applyObjections(platform, tx, null));
}
