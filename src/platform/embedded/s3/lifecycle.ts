/** Lifecycle rules and carrying them out. Source: S3 User Guide, "Lifecycle configuration elements". */
import type { Clock } from '../../clock.js';
import type { Entry } from './entry.js';
import type { Upload } from './multipart.js';
import type { Store } from './store.js';

export interface Rule {
  id: string;
  enabled: boolean;
  prefix: string;
  tags: Record<string, string>;
  /** Only objects larger, smaller than this. */
  largerThanBytes?: number;
  smallerThanBytes?: number;
  expireDays?: number;
  /** An instant, ISO 8601, always a midnight UTC. */
  expireDate?: string;
  /** Kept and given back; nothing here has versions or delete markers. */
  removeExpiredDeleteMarkers?: boolean;
  noncurrentDays?: number;
  abortUploadsDays?: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/** When something of `sinceMs` is `days` old the way S3 counts: rounded up to the next midnight UTC. */
export function dueAtMs(sinceMs: number, days: number): number {
  return Math.ceil((sinceMs + days * dayMs) / dayMs) * dayMs;
}

function applies(rule: Rule, entry: Entry): boolean {
  if (!entry.key.startsWith(rule.prefix)) return false;
  if (rule.largerThanBytes !== undefined && entry.bytes <= rule.largerThanBytes) return false;
  if (rule.smallerThanBytes !== undefined && entry.bytes >= rule.smallerThanBytes) return false;
  return Object.entries(rule.tags).every(([name, value]) => entry.tags[name] === value);
}

/** Whether one of `rules` removes the object by `nowMs`. The deleting rule wins over any other. */
export function isExpired(rules: readonly Rule[], entry: Entry, nowMs: number): boolean {
  return rules.some((rule) => {
    if (!rule.enabled || !applies(rule, entry)) return false;
    if (rule.expireDate !== undefined) return nowMs >= Date.parse(rule.expireDate);
    return rule.expireDays !== undefined && nowMs >= dueAtMs(entry.modifiedAtMs, rule.expireDays);
  });
}

function isUploadExpired(rules: readonly Rule[], upload: Upload, nowMs: number): boolean {
  return rules.some(
    ({ enabled, prefix, abortUploadsDays }) =>
      enabled &&
      abortUploadsDays !== undefined &&
      upload.key.startsWith(prefix) &&
      nowMs >= dueAtMs(upload.startedAtMs, abortUploadsDays),
  );
}

/** Carries out the rules of every bucket, once, and returns how many objects and uploads were removed. */
export async function enforceLifecycle(store: Store, clock: Clock): Promise<number> {
  let removed = 0;
  for (const bucket of store.buckets) {
    const rules = store.rules(bucket.name);
    if (rules.length === 0) continue;
    // Asked anew when an object's turn has come: it may have been re-tagged or replaced since it was looked at.
    const due = (entry: Entry): boolean => isExpired(store.rules(bucket.name), entry, clock.now().getTime());
    let batch: string[] = [];
    let looked = 0;
    for (let key = bucket.keys.first(() => true); key !== undefined; key = bucket.keys.after(key)) {
      const entry = bucket.get(key);
      if (entry && due(entry)) batch.push(key);
      if (batch.length === 500) {
        removed += await bucket.delete(batch, due);
        batch = [];
      } else if (++looked % 1000 === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    removed += await bucket.delete(batch, due);
    for (const upload of store.uploads.of(bucket.name)) {
      if (!isUploadExpired(rules, upload, clock.now().getTime())) continue;
      await store.uploads.remove(upload);
      removed++;
    }
  }
  return removed;
}

/** Rules as this server wrote them to disk. */
export function parseRules(text: string): Rule[] {
  return JSON.parse(text) as Rule[];
}
