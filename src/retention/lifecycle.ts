import { append, systemActor } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import type { LifecycleRule } from '../platform/objects.js';
import type { Platform } from '../platform/platform.js';
import type { Period } from './category.js';
import { lifecycleDays, promised, type PolicyName } from './policy.js';
import { longestPeriods } from './policies.js';

/**
 * The rules of the bucket: the second guard, should the service itself stop. They count from the upload and come late, so
 * they never come before the date in the database. Rules that others made are left as they are.
 */

export interface LifecycleCheck {
  state: 'in_sync' | 'drifted' | 'unsupported';
  expected: LifecycleRule[];
  /** What the bucket has, others' rules included. */
  actual: LifecycleRule[];
  checkedAt: Date;
}

type LifecyclePlatform = Pick<Platform, 'clock' | 'database' | 'objects' | 'log'>;

/** Ids of the rules that are ours: with these the bucket may hold nothing else. */
const ruleOf = { recording: 'recordings-90-days', support: 'tickets-3-years', contact_form: 'contact-forms-1-year', package: 'exports-30-days' };

/** The rules as they should be, for a bucket with or without versions. */
export function expectedRules(longest: ReadonlyMap<PolicyName, Period>, versioned: boolean): LifecycleRule[] {
  const days = (name: PolicyName) => lifecycleDays(longest.get(name) ?? promised[name]);
  const notHeld = { hold: '0' };
  const rules: LifecycleRule[] = [
    { id: ruleOf.recording, enabled: true, prefix: 'recordings/', tags: notHeld, expireAfterDays: days('recording') },
    { id: ruleOf.support, enabled: true, prefix: 'tickets/', tags: notHeld, expireAfterDays: days('support') },
    { id: ruleOf.contact_form, enabled: true, prefix: 'contact-forms/', tags: notHeld, expireAfterDays: days('contact_form') },
    { id: ruleOf.package, enabled: true, prefix: 'exports/', tags: {}, expireAfterDays: days('package') },
    { id: 'abort-uploads', enabled: true, prefix: '', tags: {}, abortUploadsAfterDays: 1 },
  ];
  // What expires in a versioned bucket becomes an old version behind a marker: both must go, too. Marker rules take no tags.
  if (versioned)
    rules.push({
      id: 'old-versions', enabled: true, prefix: '', tags: {}, expireNoncurrentAfterDays: 1, removeExpiredDeleteMarkers: true,
    });
  return rules;
}

const canonical = (rule: LifecycleRule): string =>
  JSON.stringify(Object.entries(rule).sort(([a], [b]) => (a < b ? -1 : 1)), (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

/** Every rule of ours is there, once, saying what it should. */
export function isInSync(expected: readonly LifecycleRule[], actual: readonly LifecycleRule[]): boolean {
  return expected.every((rule) => {
    const same = actual.filter((each) => each.id === rule.id);
    return same.length === 1 && same[0] !== undefined && canonical(same[0]) === canonical(rule);
  });
}

async function isVersioned({ objects }: LifecyclePlatform): Promise<boolean> {
  const { versioning } = await objects.prepare();
  return versioning === 'on' || versioning === 'suspended';
}

/** Puts the rules right; others' rules stay. For the start, and for an administrator who saw a drift. */
export async function applyLifecycle(platform: LifecyclePlatform, timeZone: string): Promise<LifecycleCheck> {
  const expected = expectedRules(
    await longestPeriods(platform.database, platform.clock.now(), timeZone),
    await isVersioned(platform),
  );
  const before = await platform.objects.lifecycle();
  const needed = before !== 'unsupported' && !isInSync(expected, before);
  const after = needed ? await platform.objects.putLifecycle(expected) : before;
  return await record(platform, expected, after, needed);
}

/** The job that keeps the rules of the bucket in step with the periods, and compares them. */
export const lifecycleJob = 'retention.lifecycle';

/**
 * Once a day, and after a change of a period. Rules that ask for something else than last time follow a decision made
 * here, and are put: a longer period must not be cut short by the rule of the shorter one. What somebody else changed is
 * only told.
 */
export async function keepLifecycle(platform: LifecyclePlatform, timeZone: string): Promise<LifecycleCheck> {
  const last = await lastLifecycleCheck(platform.database);
  const expected = expectedRules(
    await longestPeriods(platform.database, platform.clock.now(), timeZone),
    await isVersioned(platform),
  );
  const decided = last !== undefined && !isInSync(expected, last.expected);
  return decided ? await applyLifecycle(platform, timeZone) : await checkLifecycle(platform, timeZone);
}

/** Compares and changes nothing. */
export async function checkLifecycle(platform: LifecyclePlatform, timeZone: string): Promise<LifecycleCheck> {
  const expected = expectedRules(
    await longestPeriods(platform.database, platform.clock.now(), timeZone),
    await isVersioned(platform),
  );
  return await record(platform, expected, await platform.objects.lifecycle(), false);
}

async function record(
  platform: LifecyclePlatform,
  expected: LifecycleRule[],
  found: LifecycleRule[] | 'unsupported',
  changed: boolean,
): Promise<LifecycleCheck> {
  const { clock, database, log } = platform;
  const check: LifecycleCheck = {
    state: found === 'unsupported' ? 'unsupported' : isInSync(expected, found) ? 'in_sync' : 'drifted',
    expected,
    actual: found === 'unsupported' ? [] : found,
    checkedAt: clock.now(),
  };
  await database.inTransaction(async (tx) => {
    const last = await lastLifecycleCheck(database);
    await database.query(
      `INSERT INTO lifecycle_checks (singleton, checked_at, state, expected, actual) VALUES (true, $1, $2, $3::jsonb, $4::jsonb)
       ON CONFLICT (singleton) DO UPDATE SET checked_at = $1, state = $2, expected = $3::jsonb, actual = $4::jsonb`,
      [check.checkedAt, check.state, JSON.stringify(check.expected), JSON.stringify(check.actual)],
      tx,
    );
    if (changed || last?.state !== check.state)
      await append(database, clock, tx, {
        actor: systemActor('retention'),
        action: changed ? 'lifecycle.applied' : 'lifecycle.compared',
        object: { type: 'bucket', id: 'lifecycle' },
        details: { state: check.state },
      });
  });
  if (check.state === 'drifted') log.error({ rules: expected.map((rule) => rule.id) }, 'The lifecycle rules of the bucket have drifted');
  return check;
}

/** What the newest comparison found, in whichever process it was made. */
export async function lastLifecycleCheck(database: Database): Promise<LifecycleCheck | undefined> {
  const [check] = await database.query<LifecycleCheck>(
    'SELECT state, expected, actual, checked_at AS "checkedAt" FROM lifecycle_checks',
  );
  return check;
}
