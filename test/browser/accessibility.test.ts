import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { navigation } from '../../public/shell/navigation.js';
import { speechLike } from '../support/audio.js';
import { buildUi, cutOff, inEveryDress, launch, overflow, signIn, visit } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

/**
 * Every screen of every role, loading, empty, refused and filled, in both languages and both themes: nothing that axe-core
 * finds, and nothing wider than a window of 320 pixels. One page walks them all, so that it stays a minute's work.
 */

type Role = Parameters<TestService['signInOf']>[0];
const roles: Role[] = ['trainer', 'agent', 'privacy_officer', 'auditor', 'administrator'];

/** Screens that no navigation names, and who comes there. Ids are those of what is made below. */
const further: Record<string, Role[]> = {
  '/recordings/:id': ['trainer', 'agent', 'privacy_officer', 'administrator'],
  '/tickets/:id': ['trainer', 'privacy_officer'],
  '/account': ['agent'],
  '/collections/:id': ['trainer'],
  '/evaluations/scorecards': ['trainer'],
  '/evaluations/sample': ['trainer'],
  '/evaluations/sample/:id': ['trainer'],
  '/evaluations/coverage': ['trainer'],
  '/evaluations/outcomes': ['trainer', 'agent'],
  '/evaluations/scorecards/new': ['trainer'],
  '/evaluations/scorecards/:id': ['trainer'],
  '/evaluations/:id': ['trainer', 'agent'],
  '/privacy/new': ['privacy_officer'],
  '/privacy/statistics': ['privacy_officer', 'auditor'],
  '/privacy/letters': ['privacy_officer'],
  '/privacy/:id': ['privacy_officer', 'auditor'],
  '/retention/register': ['auditor'],
  '/retention/tombstones': ['privacy_officer', 'auditor'],
  '/admin/connect': ['administrator'],
  '/admin/connect/:id': ['administrator'],
};

let service: TestService;
let browser: Browser;
let patterns: string[] = [];
const made = new Map<string, string>();

const navigated = (role: Role) => navigation[role].flatMap((group) => group.entries.map((entry) => entry.path));
const addressOf = (pattern: string) => pattern.replace(':id', made.get(pattern) ?? '01a20538-0000-7000-8000-000000000000');
const ofRole = (role: Role) => [
  ...navigated(role),
  ...Object.keys(further).filter((pattern) => patterns.includes(pattern) && further[pattern]?.includes(role)),
];

beforeAll(async () => {
  const source = await readFile(path.resolve(import.meta.dirname, '../../public/shell/screens.tsx'), 'utf8');
  const signedIn = source.slice(source.indexOf('export const screens'));
  patterns = [...signedIn.matchAll(/pattern: '([^']+)'/g)].map(([, pattern = '']) => pattern);
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
  await service.close();
});

async function post(role: Role, address: string, body: object): Promise<{ id: string }> {
  const answer = await service.as(role).post(`/api/v1${address}`).send(body);
  if (answer.status >= 300) throw new Error(`${address} was answered ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as { id: string };
}

/** One of everything, so that no screen stays empty. */
async function fill(): Promise<void> {
  const now = service.clock.now();
  const agent = service.signInOf('agent').id;
  const admin = service.as('administrator');
  await admin.patch(`/api/v1/users/${agent}`).send({ extensions: ['101'] }).expect(200);
  const consent = { explanation: 'Coaching', consent: { date: '2026-10-01', reference: 'OR 2026-14' } };
  for (const use of ['evaluation', 'speech_search']) await admin.put(`/api/v1/further-uses/${use}`).send(consent).expect(200);
  const fields = { agent: '101', queue: 'support', caller: '+31612345678', callerName: 'J. de Vries', ticket: '48211' };
  const call = await service.push(fields, speechLike({ seconds: 20 }));
  await service.push({ agent: '102', caller: '+31612345678' });
  await service.processed(call);
  const ticket = {
    number: '48211', subject: 'Offerte', category: 'support', status: 'open', createdAt: now.toISOString(),
    requester: { name: 'M. van den Berg', email: 'm@example.test', phone: '+31612345678', organisation: 'Fictief BV' },
    messages: [{ externalId: '1', at: now.toISOString(), from: 'customer', internal: false, body: 'Klopt dit?', contentType: 'text/plain' }],
  };
  const told = await service.machine(service.helpdeskKey).put('/api/v1/tickets/by-external/t1').send(ticket).expect(201);
  const source = await admin.post('/api/v1/keys').send({ name: 'Centrale', role: 'pbx' }).expect(201);
  made.set('/admin/connect/:id', (source.body as { sourceId: string }).sourceId);
  made.set('/recordings/:id', call).set('/tickets/:id', (told.body as { id: string }).id);

  await service.as('trainer').put(`/api/v1/recordings/${call}/shares/${agent}`).send({}).expect(200);
  await post('trainer', `/recordings/${call}/comments`, { startMs: 3000, endMs: 5000, text: 'Mooi samengevat', visibility: 'shared' });
  const collection = await post('trainer', '/collections', { name: 'Afronden' });
  await post('trainer', `/collections/${collection.id}/items`, { recordingId: call, note: 'Begin' });
  made.set('/collections/:id', collection.id);
  const sections = [{ id: 'a', title: 'Begin', weight: 1, questions: [{ id: 'q', text: 'Noemt de naam', kind: 'yes_no' }] }];
  const card = await post('trainer', '/scorecards', { name: 'Basis', sections });
  const evaluation = await post('trainer', `/recordings/${call}/evaluations`, { scorecardId: card.id });
  const answers = [{ questionId: 'q', value: true, note: 'Duidelijk', atMs: 400 }];
  await service.as('trainer').put(`/api/v1/evaluations/${evaluation.id}/draft`).send({ revision: 1, answers }).expect(200);
  await post('trainer', `/evaluations/${evaluation.id}/submit`, { revision: 2 });
  made.set('/evaluations/:id', evaluation.id);
  made.set('/evaluations/scorecards/:id', card.id);
  const today = now.toISOString().slice(0, 10);
  const sample = await post('trainer', '/samples', { agentId: agent, from: today, to: today, size: 5 });
  made.set('/evaluations/sample/:id', sample.id);

  await post('trainer', `/recordings/${call}/agreements`, { startMs: 1000, endMs: 4000, summary: 'Akkoord op 24 maanden', parties: ['J. de Vries'] });
  await post('privacy_officer', '/evidence', { recordingIds: [call], reason: 'Geschil', recipient: 'Advocaat' });
  const reviewAt = new Date(now.getTime() + 60 * 86_400_000).toISOString();
  await post('privacy_officer', '/holds', { recordingId: call, ground: 'legal_claim', reason: 'Geschil', reviewAt });
  const request = await post('privacy_officer', '/privacy-requests', {
    receivedAt: now.toISOString(), channel: 'letter', rights: ['access', 'erasure'], locale: 'nl', details: 'Alles graag',
    subject: { name: 'J. de Vries', phones: ['+31612345678'] },
  });
  await post('privacy_officer', `/privacy-requests/${request.id}/identity`, { method: 'known_email', outcome: 'verified' });
  await post('privacy_officer', `/privacy-requests/${request.id}/search`, {});
  made.set('/privacy/:id', request.id);
}

/** Goes to a screen as a link would, drawn anew even where it is shown already. */
async function goTo(page: Page, address: string): Promise<void> {
  await page.evaluate(`(() => {
    const to = (address) => { history.pushState({}, '', address); dispatchEvent(new PopStateEvent('popstate')); };
    to('/-'); to(${JSON.stringify(address)});
  })()`);
}

/** Waits for the code of the screen, and unless it is to stay loading for all that it shows. */
async function settled(page: Page, loading: boolean): Promise<void> {
  const bones = loading ? '' : ` && !document.querySelector('main .bones, main [aria-busy="true"]')`;
  await page.evaluate(`new Promise((done, fail) => {
    const until = performance.now() + 20000;
    const look = () => {
      if (document.querySelector('main h1')${bones}) done();
      else if (performance.now() > until) fail(new Error('it never came: ' + location.pathname));
      else requestAnimationFrame(look);
    };
    look();
  })`);
}

type State = 'filled' | 'loading' | 'refused';

/** Walks a role through its screens in one state. @returns what is wrong */
async function walk(page: Page, addresses: string[], state: State): Promise<string[]> {
  const found: string[] = [];
  const waiting: Route[] = [];
  const problem = JSON.stringify({ title: 'x', status: 503, code: 'storage-unavailable', requestId: '0193-test' });
  if (state !== 'filled')
    await page.route(/\/api\/v1\/(?!session)/, async (route) => {
      if (state === 'refused') await route.fulfill({ status: 503, contentType: 'application/problem+json', body: problem });
      else waiting.push(route);
    });
  for (const address of addresses) {
    await goTo(page, address);
    await settled(page, state === 'loading');
    for (const violation of await inEveryDress(page)) found.push(`${address} ${state}: ${violation}`);
    await page.setViewportSize({ width: 320, height: 800 });
    const wide = await overflow(page);
    if (wide > 0) found.push(`${address} ${state}: ${wide} px too wide for 320`);
    for (const control of await cutOff(page)) found.push(`${address} ${state}: ${control}`);
    await page.setViewportSize({ width: 1280, height: 900 });
    for (const route of waiting.splice(0)) await route.abort().catch(() => undefined);
  }
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  return found;
}

describe('every screen in every state, language and theme', () => {
  it('is in this table', () => {
    const known = new Set([...roles.flatMap(navigated), ...Object.keys(further)]);
    expect(patterns.filter((pattern) => !known.has(pattern))).toEqual([]);
  });

  // The service is empty for the first walk of each role, then filled for all.
  for (const state of ['empty', 'loading', 'refused', 'filled'] as const)
    it(`${state}: axe-core finds nothing, and it fits 320 pixels`, { timeout: 300_000 }, async () => {
      if (state === 'filled') await fill();
      const found: string[] = [];
      const done = new Set<string>();
      for (const role of roles) {
        // What is drawn while loading or when refused is the same for all roles: once is enough.
        const addresses = (state === 'empty' ? navigated(role) : ofRole(role)).map(addressOf).filter((address) => {
          if (state === 'empty' || state === 'filled') return true;
          return !done.has(address) && done.add(address);
        });
        if (addresses.length === 0) continue;
        const { page, context, complaints } = await visit(browser, service.url, { width: 1280, height: 900 });
        await page.emulateMedia({ reducedMotion: 'reduce' });
        await signIn(page, service.signInOf(role), '/account');
        found.push(...(await walk(page, addresses, state === 'empty' ? 'filled' : state)).map((each) => `${role} ${each}`), ...complaints);
        await context.close();
      }
      expect(found).toEqual([]);
    });
});
