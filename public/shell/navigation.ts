import type { Role } from '../api/types.js';
import type { PlainKey } from '../i18n.js';
import type { IconName } from '../parts/icon.js';

interface Entry {
  path: string;
  icon: IconName;
  label: PlainKey;
}

interface Group {
  label: PlainKey;
  entries: Entry[];
}

const recordings: Entry = { path: '/recordings', icon: 'recordings', label: 'nav.recordings' };
const tickets: Entry = { path: '/tickets', icon: 'ticket', label: 'nav.tickets' };
const retention: Entry = { path: '/retention', icon: 'clock', label: 'nav.retention' };
const holds: Entry = { path: '/holds', icon: 'hold', label: 'nav.holds' };
const audit: Entry = { path: '/audit', icon: 'audit', label: 'nav.audit' };
const privacy: Entry = { path: '/privacy', icon: 'mail', label: 'nav.privacy' };
const collections: Entry = { path: '/collections', icon: 'loop', label: 'nav.collections' };
const evaluations: Entry = { path: '/evaluations', icon: 'ok', label: 'nav.evaluations' };
const uses: Entry = { path: '/further-uses', icon: 'filter', label: 'nav.uses' };
const shared: Entry = { path: '/shared', icon: 'users', label: 'nav.shared' };
const administration: Entry[] = [
  { path: '/admin/users', icon: 'users', label: 'nav.users' },
  { path: '/admin/keys', icon: 'key', label: 'nav.keys' },
  { path: '/admin/ingest', icon: 'inbound', label: 'nav.ingest' },
  { path: '/admin/organisation', icon: 'organisation', label: 'nav.organisation' },
];

const agreements: Entry = { path: '/agreements', icon: 'agreement', label: 'nav.agreements' };
const packages: Entry = { path: '/packages', icon: 'seal', label: 'nav.packages' };
const verify: Entry = { path: '/verify', icon: 'ok', label: 'nav.verify' };

const listening: Group = { label: 'nav.listening', entries: [recordings, tickets, agreements] };
const evidence: Group = { label: 'nav.evidence', entries: [packages, verify] };
const accountability: Group = { label: 'nav.accountability', entries: [audit, retention, holds, uses] };
const answerable: Group = { ...accountability, entries: [audit, privacy, retention, holds, uses] };

/** What each role finds in the navigation. What it may do is decided by the service, not here. */
export const navigation: Record<Role, Group[]> = {
  trainer: [{ ...listening, entries: [...listening.entries, collections, evaluations] }],
  agent: [{ label: 'nav.listening', entries: [recordings, shared, evaluations] }],
  privacy_officer: [listening, evidence, answerable],
  auditor: [{ ...answerable, entries: [...answerable.entries, verify] }],
  administrator: [
    { label: 'nav.administration', entries: administration },
    // Whoever gives the service another key publishes its fingerprint, which that page shows.
    { label: 'nav.accountability', entries: [retention, holds, uses, verify] },
  ],
};

/** Where a role arrives. */
export function home(role: Role): string {
  return navigation[role][0]?.entries[0]?.path ?? '/recordings';
}
