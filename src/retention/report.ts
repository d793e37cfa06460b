import { createHash } from 'node:crypto';
import { actorOf, type Person } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { append } from '../audit/log.js';
import type { Platform } from '../platform/platform.js';
import type { SigningKey } from '../platform/signing.js';
import type { Category } from './category.js';
import { tellable } from './list-holds.js';
import { lifecycleDays, promised, type PolicyName } from './policy.js';
import { longestPeriods } from './policies.js';
import { tombstonesBetween } from './tombstone.js';

/**
 * The deletion report of a period: a text that names each id, with its signature at its end, so that one file is all that
 * is needed to check it, with openssl and sed alone. Ids, dates and digests; nothing about a person.
 */

const beginSignature = '-----BEGIN OPNAME SIGNATURE-----';
const endSignature = '-----END OPNAME SIGNATURE-----';
const dayMs = 86_400_000;
/** A bucket rule counts to the next midnight UTC and removes some time after. */
const backstopMs = 2 * dayMs;

const iso = (at: Date): string => at.toISOString();

const howToCheck = `HOW TO CHECK THIS REPORT (save it as report.txt)
  sed -n '/^-----BEGIN PUBLIC KEY-----$/,/^-----END PUBLIC KEY-----$/p' report.txt > key.pem
  sed '/^${beginSignature}$/,$d' report.txt > signed.txt
  sed -n '/^${beginSignature}$/,/^${endSignature}$/p' report.txt | sed '1d;$d' | openssl base64 -d > signature.der
  openssl dgst -sha256 -verify key.pem -signature signature.der signed.txt
The last line answers "Verified OK". Compare the key with the published one:
  openssl pkey -pubin -in key.pem -outform DER | openssl dgst -sha256`;

type ReportPlatform = Pick<Platform, 'clock' | 'database'>;

/** Makes the report of `[from, until)` and signs it; that it was made is in the audit trail, with its digest. */
export async function deletionReport(
  platform: ReportPlatform,
  categories: readonly Category[],
  key: SigningKey,
  person: Person,
  period: { from: Date; until: Date },
  timeZone: string,
): Promise<string> {
  const { clock, database } = platform;
  const madeAt = clock.now();
  const { controller } = await organisationOf(database);
  const deleted: string[] = [];
  const counts = new Map<string, number>();
  for await (const stone of tombstonesBetween(database, period.from, period.until)) {
    deleted.push(
      [
        stone.category, stone.itemId, `subject=${stone.subjectId}`, `day=${stone.day ?? '-'}`, `due=${iso(stone.retainUntil)}`,
        `deleted=${iso(stone.purgedAt)}`, `reason=${stone.reason}`, `rule="${stone.rule.replaceAll('"', "'")}"`,
        `by=${stone.actor.kind}:${stone.actor.id}`, `objects=${stone.objects}`, `sha256=${stone.sha256.join(',') || '-'}`,
      ].join(' '),
    );
    const kind = `${stone.category} ${stone.reason}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const text = [
    'DELETION REPORT', '',
    `controller: ${controller === '' ? '(not filled in)' : controller.replaceAll('\n', ' ')}`,
    `period: from ${iso(period.from)} until ${iso(period.until)}`,
    `made: ${iso(madeAt)} by person:${person.userId}`,
    `key: ${key.keyId}`, '',
    'SUMMARY',
    ...[...counts].sort().map(([kind, count]) => `${kind}: ${count}`),
    `deleted in all: ${deleted.length}`, '',
    'STILL THERE', ...(await stillThere(platform, categories, timeZone)), '',
    'DELETED (each confirmed: after the deletion, storage listed no version under the prefix of the item)',
    ...(deleted.length === 0 ? ['none'] : deleted), '',
    'BEGUN AND NOT FINISHED', ...(await unfinished(platform)), '',
    'HELD', ...(await heldItems(platform, person, madeAt)), '',
    howToCheck, '',
    key.publicPem.trim(), '',
  ].join('\n');
  const bytes = Buffer.from(text);
  await database.inTransaction((tx) =>
    append(database, clock, tx, {
      actor: actorOf(person),
      action: 'retention_report.made',
      object: { type: 'retention_report', id: createHash('sha256').update(bytes).digest('hex') },
      details: { from: iso(period.from), until: iso(period.until), deleted: deleted.length },
    }),
  );
  const signature = (key.sign(bytes).toString('base64').match(/.{1,64}/g) ?? []).join('\n');
  return `${text}${beginSignature}\n${signature}\n${endSignature}\n`;
}

/** Per category: how many are past their date, and the oldest live object against what was promised of it. */
async function stillThere({ clock, database }: ReportPlatform, categories: readonly Category[], timeZone: string): Promise<string[]> {
  const now = clock.now();
  const longest = await longestPeriods(database, now, timeZone);
  const lines: string[] = [];
  for (const category of categories) {
    const overdue = await category.overdue(now);
    lines.push(`${category.name}: past its date and not held: ${overdue.count}${overdue.oldest === null ? '' : `, the oldest since ${iso(overdue.oldest)}`}`);
    const oldest = await category.oldestStored(now);
    if (oldest === null) {
      lines.push(`${category.name}: no live objects`);
      continue;
    }
    const days = Math.max(0, ...category.policies.map((name) => lifecycleDays(longest.get(name as PolicyName) ?? promised[name as PolicyName])));
    const bound = new Date(oldest.getTime() + days * dayMs + backstopMs);
    lines.push(`${category.name}: oldest live object that is not held stored ${iso(oldest)}, to be gone by ${iso(bound)}: ${bound > now ? 'kept' : 'EXCEEDED'}`);
  }
  return lines;
}

async function unfinished({ database }: ReportPlatform): Promise<string[]> {
  const rows = await database.query<{ category: string; id: string; intendedAt: Date; attempts: number; fault: string | null }>(
    `SELECT category, item_id AS id, intended_at AS "intendedAt", attempts, last_fault AS fault FROM purges
     ORDER BY intended_at, item_id`,
  );
  if (rows.length === 0) return ['none'];
  return rows.map((row) => `${row.category} ${row.id} begun=${iso(row.intendedAt)} attempts=${row.attempts} fault=${row.fault ?? '-'}`);
}

/**
 * Grounds and dates; the reasons in words stay inside, since they may tell about a person. Holds of secret orders stand in
 * the reports of those who may know of them.
 */
async function heldItems({ database }: ReportPlatform, reader: Person, now: Date): Promise<string[]> {
  const rows = await database.query<{
    kind: string; id: string; holdId: string; ground: string; placedAt: Date; reviewAt: Date; confirmed: boolean; endsAt: Date | null;
  }>(
    `SELECT category AS kind, item_id AS id, id AS "holdId", ground, placed_at AS "placedAt", review_at AS "reviewAt",
       confirmed_at IS NOT NULL AS confirmed, ends_at AS "endsAt"
     FROM holds WHERE (ends_at IS NULL OR ends_at > $1) AND ${tellable('$2::boolean', '$3::uuid')} ORDER BY placed_at, id`,
    [now, reader.role === 'auditor', reader.userId],
  );
  if (rows.length === 0) return ['none'];
  return rows.map(
    (row) =>
      `${row.kind} ${row.id} hold=${row.holdId} ground=${row.ground} since=${iso(row.placedAt)} review=${iso(row.reviewAt)} ` +
      `confirmed=${row.confirmed ? 'yes' : 'no'} ends=${row.endsAt === null ? '-' : iso(row.endsAt)}`,
  );
}
