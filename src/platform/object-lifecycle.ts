/**
 * Lifecycle rules of a bucket in our own words, and as S3 clients hold them.
 * Source: S3 API Reference, GetBucketLifecycleConfiguration.
 */

/** One rule. Days are counted by the storage: from the upload, rounded up to the next midnight UTC. */
export interface LifecycleRule {
  id: string;
  enabled: boolean;
  /** Empty: the whole bucket. */
  prefix: string;
  /** All of them must be on the object. */
  tags: Record<string, string>;
  expireAfterDays?: number;
  /** For buckets with versions: how long a version outlives its successor. */
  expireNoncurrentAfterDays?: number;
  removeExpiredDeleteMarkers?: boolean;
  abortUploadsAfterDays?: number;
  /** The rule holds more than can be said here (transitions, sizes, dates): it was made by someone else. */
  saysMore?: true;
}

interface RawTag {
  Key: string | undefined;
  Value: string | undefined;
}

interface RawConditions {
  Prefix?: string | undefined;
  ObjectSizeGreaterThan?: number | undefined;
  ObjectSizeLessThan?: number | undefined;
}

interface RawFilter extends RawConditions {
  Tag?: RawTag | undefined;
  And?: (RawConditions & { Tags?: RawTag[] | undefined }) | undefined;
}

/** The shape of a rule in the S3 client, as far as it is read here. */
export interface RawRule {
  ID?: string | undefined;
  Status: 'Enabled' | 'Disabled' | undefined;
  Prefix?: string | undefined;
  Filter?: RawFilter | undefined;
  Expiration?:
    { Days?: number | undefined; Date?: Date | undefined; ExpiredObjectDeleteMarker?: boolean | undefined } | undefined;
  NoncurrentVersionExpiration?:
    { NoncurrentDays?: number | undefined; NewerNoncurrentVersions?: number | undefined } | undefined;
  AbortIncompleteMultipartUpload?: { DaysAfterInitiation?: number | undefined } | undefined;
  Transitions?: unknown[] | undefined;
  NoncurrentVersionTransitions?: unknown[] | undefined;
}

/** Every condition of a rule, wherever the server put it: Ceph gives prefix and tag back side by side, without And. */
function conditionsOf(rule: RawRule): { prefix: string; tags: RawTag[]; sizes: RawConditions } {
  const { Filter: filter } = rule;
  const and = filter?.And;
  const larger = and?.ObjectSizeGreaterThan ?? filter?.ObjectSizeGreaterThan;
  const smaller = and?.ObjectSizeLessThan ?? filter?.ObjectSizeLessThan;
  return {
    prefix: and?.Prefix ?? filter?.Prefix ?? rule.Prefix ?? '',
    tags: [...(filter?.Tag ? [filter.Tag] : []), ...(and?.Tags ?? [])],
    sizes: {
      ...(larger === undefined ? {} : { ObjectSizeGreaterThan: larger }),
      ...(smaller === undefined ? {} : { ObjectSizeLessThan: smaller }),
    },
  };
}

/** Reads a rule from the client's shape. */
export function readRule(rule: RawRule): LifecycleRule {
  const { prefix, tags, sizes } = conditionsOf(rule);
  const { Days, Date: date, ExpiredObjectDeleteMarker } = rule.Expiration ?? {};
  const noncurrent = rule.NoncurrentVersionExpiration;
  const abortDays = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
  const saysMore =
    date !== undefined ||
    Object.keys(sizes).length > 0 ||
    noncurrent?.NewerNoncurrentVersions !== undefined ||
    (rule.Transitions?.length ?? 0) > 0 ||
    (rule.NoncurrentVersionTransitions?.length ?? 0) > 0;
  return {
    id: rule.ID ?? '',
    enabled: rule.Status === 'Enabled',
    prefix,
    tags: Object.fromEntries(tags.map(({ Key, Value }) => [Key ?? '', Value ?? ''])),
    // 0 is how some servers say "not set"; as a period it is not allowed.
    ...(Days ? { expireAfterDays: Days } : {}),
    ...(noncurrent?.NoncurrentDays ? { expireNoncurrentAfterDays: noncurrent.NoncurrentDays } : {}),
    ...(ExpiredObjectDeleteMarker ? { removeExpiredDeleteMarkers: true } : {}),
    ...(abortDays ? { abortUploadsAfterDays: abortDays } : {}),
    ...(saysMore ? { saysMore } : {}),
  };
}

function filterOf(prefix: string, tags: RawTag[], sizes: RawConditions): RawFilter {
  const count = (prefix === '' ? 0 : 1) + tags.length + Object.keys(sizes).length;
  if (count > 1) {
    const all = { ...(prefix === '' ? {} : { Prefix: prefix }), ...(tags.length > 0 ? { Tags: tags } : {}), ...sizes };
    return { And: all };
  }
  if (tags[0]) return { Tag: tags[0] };
  return Object.keys(sizes).length > 0 ? sizes : { Prefix: prefix };
}

/** Writes a rule in the client's shape. */
export function writeRule(rule: LifecycleRule): Omit<RawRule, 'Transitions' | 'NoncurrentVersionTransitions'> {
  const tags = Object.entries(rule.tags).map(([Key, Value]) => ({ Key, Value }));
  const expiration = {
    ...(rule.expireAfterDays === undefined ? {} : { Days: rule.expireAfterDays }),
    ...(rule.removeExpiredDeleteMarkers ? { ExpiredObjectDeleteMarker: true } : {}),
  };
  return {
    ID: rule.id,
    Status: rule.enabled ? 'Enabled' : 'Disabled',
    Filter: filterOf(rule.prefix, tags, {}),
    ...(Object.keys(expiration).length > 0 ? { Expiration: expiration } : {}),
    ...(rule.expireNoncurrentAfterDays === undefined
      ? {}
      : { NoncurrentVersionExpiration: { NoncurrentDays: rule.expireNoncurrentAfterDays } }),
    ...(rule.abortUploadsAfterDays === undefined
      ? {}
      : { AbortIncompleteMultipartUpload: { DaysAfterInitiation: rule.abortUploadsAfterDays } }),
  };
}

/** Someone else's rule, to be put back saying what it said, in a shape that every server takes. */
export function keepRule<T extends RawRule>(rule: T): T {
  const { prefix, tags, sizes } = conditionsOf(rule);
  const kept: T = { ...rule, Filter: filterOf(prefix, tags, sizes) };
  delete kept.Prefix;
  return kept;
}
