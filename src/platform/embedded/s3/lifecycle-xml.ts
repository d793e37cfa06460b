/**
 * Lifecycle rules as S3 clients write and read them. Source: S3 API Reference, PutBucketLifecycleConfiguration.
 * What this server does not do (transitions) is refused, so that no rule is kept that nobody obeys.
 */
import { S3Error } from './errors.js';
import type { Rule } from './lifecycle.js';
import { childText, childrenOf, parseXml, tag, type Element } from './xml.js';

function allowOnly(element: Element, names: string[]): void {
  for (const { name } of element.children) {
    if (/Transition$/.test(name))
      throw new S3Error('NotImplemented', 'Transitions to other storage classes are not done here.');
    if (!names.includes(name)) throw new S3Error('MalformedXML');
  }
}

function wholeNumber(element: Element, name: string, atLeast: number): number | undefined {
  const text = childText(element, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text) || Number(text) < atLeast)
    throw new S3Error('InvalidArgument', `${name} must be a whole number from ${atLeast} on.`);
  return Number(text);
}

function readTags(elements: Element[]): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const element of elements) {
    const name = childText(element, 'Key');
    if (!name || name in tags) throw new S3Error('InvalidRequest', 'Tag names must be given, and once each.');
    tags[name] = childText(element, 'Value') ?? '';
  }
  return tags;
}

/** A copy without the members that are undefined. */
function present<T extends object>(value: { [name in keyof T]: T[name] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}

function readFilter(rule: Element): Pick<Rule, 'prefix' | 'tags' | 'largerThanBytes' | 'smallerThanBytes'> {
  const filter = childrenOf(rule, 'Filter')[0];
  if (!filter) return { prefix: childText(rule, 'Prefix') ?? '', tags: {} };
  allowOnly(filter, ['Prefix', 'Tag', 'And', 'ObjectSizeGreaterThan', 'ObjectSizeLessThan']);
  if (filter.children.length > 1) throw new S3Error('MalformedXML');
  const and = childrenOf(filter, 'And')[0];
  if (and) allowOnly(and, ['Prefix', 'Tag', 'ObjectSizeGreaterThan', 'ObjectSizeLessThan']);
  const source = and ?? filter;
  return present({
    prefix: childText(source, 'Prefix') ?? '',
    tags: readTags(childrenOf(source, 'Tag')),
    largerThanBytes: wholeNumber(source, 'ObjectSizeGreaterThan', 0),
    smallerThanBytes: wholeNumber(source, 'ObjectSizeLessThan', 1),
  });
}

function readRule(element: Element, at: number): Rule {
  allowOnly(element, [
    'ID',
    'Status',
    'Filter',
    'Prefix',
    'Expiration',
    'NoncurrentVersionExpiration',
    'AbortIncompleteMultipartUpload',
  ]);
  const status = childText(element, 'Status');
  if (status !== 'Enabled' && status !== 'Disabled') throw new S3Error('MalformedXML');
  const part = (name: string, members: string[]): Element | undefined => {
    const found = childrenOf(element, name)[0];
    if (found) allowOnly(found, members);
    return found;
  };
  const expiration = part('Expiration', ['Days', 'Date', 'ExpiredObjectDeleteMarker']);
  const noncurrent = part('NoncurrentVersionExpiration', ['NoncurrentDays', 'NewerNoncurrentVersions']);
  const abort = part('AbortIncompleteMultipartUpload', ['DaysAfterInitiation']);
  const date = expiration && childText(expiration, 'Date');
  if (date !== undefined && !(Date.parse(date) % 86_400_000 === 0))
    throw new S3Error('InvalidArgument', 'Date must be a midnight UTC.');
  if (noncurrent && childText(noncurrent, 'NewerNoncurrentVersions') !== undefined) throw new S3Error('NotImplemented');
  const rule: Rule = present({
    id: childText(element, 'ID') || `rule-${at + 1}`,
    enabled: status === 'Enabled',
    ...readFilter(element),
    expireDays: expiration && wholeNumber(expiration, 'Days', 1),
    expireDate: date === undefined ? undefined : new Date(date).toISOString(),
    removeExpiredDeleteMarkers:
      expiration && childText(expiration, 'ExpiredObjectDeleteMarker') === 'true' ? true : undefined,
    noncurrentDays: noncurrent && wholeNumber(noncurrent, 'NoncurrentDays', 1),
    abortUploadsDays: abort && wholeNumber(abort, 'DaysAfterInitiation', 1),
  });
  const filtered =
    Object.keys(rule.tags).length > 0 || rule.largerThanBytes !== undefined || rule.smallerThanBytes !== undefined;
  if (filtered && (rule.abortUploadsDays !== undefined || rule.removeExpiredDeleteMarkers)) {
    throw new S3Error('InvalidRequest', 'Uploads and delete markers have no tags and no size.');
  }
  const actions = [
    rule.expireDays,
    rule.expireDate,
    rule.removeExpiredDeleteMarkers,
    rule.noncurrentDays,
    rule.abortUploadsDays,
  ];
  if (actions.every((action) => action === undefined)) throw new S3Error('InvalidRequest', 'A rule must do something.');
  return rule;
}

/** Reads a LifecycleConfiguration document. Throws the `S3Error` that says what is wrong with it. */
export function readLifecycle(xml: string): Rule[] {
  const root = parseXml(xml);
  if (root.name !== 'LifecycleConfiguration') throw new S3Error('MalformedXML');
  allowOnly(root, ['Rule']);
  const rules = root.children.map(readRule);
  if (rules.length === 0 || rules.length > 1000) throw new S3Error('MalformedXML');
  if (new Set(rules.map(({ id }) => id)).size < rules.length)
    throw new S3Error('InvalidArgument', 'Rule ids must differ.');
  return rules;
}

function writeFilter(rule: Rule): string {
  const conditions = [
    ...Object.entries(rule.tags).map(([name, value]) => `<Tag>${tag('Key', name)}${tag('Value', value)}</Tag>`),
    ...(rule.largerThanBytes === undefined ? [] : [tag('ObjectSizeGreaterThan', rule.largerThanBytes)]),
    ...(rule.smallerThanBytes === undefined ? [] : [tag('ObjectSizeLessThan', rule.smallerThanBytes)]),
  ];
  const prefix = rule.prefix === '' && conditions.length > 0 ? '' : tag('Prefix', rule.prefix);
  const all = prefix + conditions.join('');
  return `<Filter>${conditions.length + (prefix ? 1 : 0) > 1 ? `<And>${all}</And>` : all}</Filter>`;
}

/** The LifecycleConfiguration document of `rules`. */
export function writeLifecycle(rules: readonly Rule[]): string {
  const written = rules.map((rule) => {
    const expiration =
      (rule.expireDays === undefined ? '' : tag('Days', rule.expireDays)) +
      (rule.expireDate === undefined ? '' : tag('Date', rule.expireDate)) +
      (rule.removeExpiredDeleteMarkers ? tag('ExpiredObjectDeleteMarker', true) : '');
    return [
      '<Rule>',
      tag('ID', rule.id),
      writeFilter(rule),
      tag('Status', rule.enabled ? 'Enabled' : 'Disabled'),
      expiration && `<Expiration>${expiration}</Expiration>`,
      rule.noncurrentDays !== undefined &&
        `<NoncurrentVersionExpiration>${tag('NoncurrentDays', rule.noncurrentDays)}</NoncurrentVersionExpiration>`,
      rule.abortUploadsDays !== undefined &&
        '<AbortIncompleteMultipartUpload>' +
          tag('DaysAfterInitiation', rule.abortUploadsDays) +
          '</AbortIncompleteMultipartUpload>',
      '</Rule>',
    ]
      .filter(Boolean)
      .join('');
  });
  return `<LifecycleConfiguration>${written.join('')}</LifecycleConfiguration>`;
}
