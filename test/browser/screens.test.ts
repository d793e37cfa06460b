import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { speechLike } from '../support/audio.js';
import { buildUi, launch, overflow, signIn, violations, visit, type Visit } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

type Role = Parameters<TestService['signInOf']>[0];

interface Scene {
  name: string;
  /** Nobody when it is the entrance. */
  role?: Role;
  path: () => string;
  /** What must be there before it is looked at. */
  shows: string;
  prepare?: (page: Page) => Promise<void>;
}

let service: TestService;
let browser: Browser;
let current: Visit | undefined;
let callId = '';
let goneId = '';
let monoId = '';
let ticketId = '';

beforeAll(async () => {
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
  const now = service.clock.now().getTime();
  goneId = await service.push({ startedAt: new Date(now - 90 * 86_400_000 + 20 * 60_000).toISOString() });
  monoId = await service.push({}, speechLike({ seconds: 6, channels: 1 }));
  callId = await service.push(
    { agent: '101', queue: 'support', callerName: 'J. de Vries', ticket: '48211' },
    speechLike({ seconds: 20 }),
  );
  for (const id of [callId, monoId, goneId]) await service.processed(id);
  const at = service.clock.now().toISOString();
  const requester = {
    name: 'M. van den Berg',
    email: 'm@example.test',
    phone: '+31612345678',
    organisation: 'Fictief BV',
  };
  const messages = [
    {
      externalId: '1',
      at,
      from: 'customer',
      internal: false,
      body: 'Klopt het dat wij 24 maanden afspraken?',
      contentType: 'text/plain',
    },
    {
      externalId: '2',
      at,
      from: 'agent',
      internal: true,
      body: '<p>Ja, <b>akkoord</b>.</p>',
      contentType: 'text/html',
    },
  ];
  const ticket = {
    number: '48211',
    subject: 'Offerte',
    category: 'support',
    requester,
    status: 'open',
    createdAt: at,
    messages,
  };
  const told = await service
    .machine(service.helpdeskKey)
    .put('/api/v1/tickets/by-external/t1')
    .send(ticket)
    .expect(201);
  ticketId = (told.body as { id: string }).id;
  service.clock.advance(3_600_000);
});

afterAll(async () => {
  await browser.close();
  await service.close();
});

afterEach(async () => {
  await current?.context.close();
  current = undefined;
});

const press = (selector: string) => (page: Page) => page.locator(selector).first().click();
const refused = async (page: Page) => {
  const problem = { title: 'x', status: 503, code: 'storage-unavailable', requestId: '0193-test' };
  await page.route('**/api/v1/recordings?*', (route) =>
    route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
  );
  await page.reload();
};
const held = async (page: Page) => {
  await page.route('**/api/v1/recordings?*', () => undefined);
  await page.reload();
};

/** Every screen in every state that a person may meet. */
const scenes: Scene[] = [
  { name: 'sign-in', path: () => '/', shows: '.card' },
  { name: 'sign-in with faults', path: () => '/', shows: '.card', prepare: press('button[type=submit]') },
  { name: 'recordings', role: 'trainer', path: () => '/recordings', shows: '.row-link' },
  {
    name: 'recordings, all filters',
    role: 'privacy_officer',
    path: () => '/recordings?period=custom&direction=inbound',
    shows: '.row-link',
  },
  { name: 'recordings, none found', role: 'trainer', path: () => '/recordings?agent=999', shows: '.state' },
  { name: 'recordings, refused', role: 'trainer', path: () => '/recordings', shows: '.filters', prepare: refused },
  { name: 'recordings, loading', role: 'trainer', path: () => '/recordings', shows: '.filters', prepare: held },
  { name: 'player', role: 'trainer', path: () => `/recordings/${callId}`, shows: '.waveform' },
  { name: 'player, one track', role: 'trainer', path: () => `/recordings/${monoId}`, shows: '.waveform' },
  {
    name: 'player, details',
    role: 'privacy_officer',
    path: () => `/recordings/${callId}`,
    shows: '.waveform',
    prepare: press('#tab-details'),
  },
  {
    name: 'player, agreements',
    role: 'trainer',
    path: () => `/recordings/${callId}`,
    shows: '.waveform',
    prepare: press('#tab-agreements'),
  },
  {
    name: 'player, stretch',
    role: 'trainer',
    path: () => `/recordings/${callId}?t=4`,
    shows: '.waveform',
    prepare: press('.region-bar .button'),
  },
  {
    name: 'player, keys',
    role: 'trainer',
    path: () => `/recordings/${callId}`,
    shows: '.waveform',
    prepare: (page) => page.keyboard.press('?'),
  },
  {
    name: 'player, purpose',
    role: 'privacy_officer',
    path: () => `/recordings/${callId}`,
    shows: '.waveform',
    prepare: press('.play'),
  },
  { name: 'recording gone', role: 'trainer', path: () => `/recordings/${goneId}`, shows: '.state' },
  {
    name: 'recording unknown',
    role: 'trainer',
    path: () => '/recordings/01a20538-0000-7000-8000-000000000000',
    shows: '.state',
  },
  { name: 'address unknown', role: 'trainer', path: () => '/nowhere', shows: '.state' },
  { name: 'tickets', role: 'privacy_officer', path: () => '/tickets', shows: '.row-link' },
  { name: 'ticket', role: 'privacy_officer', path: () => `/tickets/${ticketId}`, shows: '.message' },
  { name: 'ticket without its text', role: 'trainer', path: () => `/tickets/${ticketId}`, shows: '.side-list' },
  {
    name: 'audit log',
    role: 'auditor',
    path: () => '/audit',
    shows: '.audit summary',
    prepare: press('.audit summary'),
  },
  { name: 'audit log, nothing', role: 'auditor', path: () => '/audit?from=2020-01-01&to=2020-01-01', shows: '.state' },
  { name: 'users', role: 'administrator', path: () => '/admin/users', shows: '.row-actions' },
  {
    name: 'user, new',
    role: 'administrator',
    path: () => '/admin/users',
    shows: '.row-actions',
    prepare: press('.page-head .primary'),
  },
  {
    name: 'user, changed',
    role: 'administrator',
    path: () => '/admin/users',
    shows: '.row-actions',
    prepare: press('.row-actions .button'),
  },
  { name: 'keys', role: 'administrator', path: () => '/admin/keys', shows: '.row-actions' },
  {
    name: 'key, new',
    role: 'administrator',
    path: () => '/admin/keys',
    shows: '.row-actions',
    prepare: press('.page-head .primary'),
  },
  {
    name: 'key, revoke',
    role: 'administrator',
    path: () => '/admin/keys',
    shows: '.row-actions',
    prepare: press('.row-actions .danger'),
  },
  { name: 'organisation', role: 'administrator', path: () => '/admin/organisation', shows: '.settings' },
  { name: 'account', role: 'agent', path: () => '/account', shows: '.account form + form' },
];

async function enter(scene: Scene, page: Page, signedIn: { role?: Role | undefined }): Promise<void> {
  if (scene.role !== signedIn.role) {
    await page.context().clearCookies();
    if (scene.role) await signIn(page, service.signInOf(scene.role));
    signedIn.role = scene.role;
  }
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.goto(scene.path());
  await page.locator(scene.shows).first().waitFor();
  if (scene.name === 'player, keys') await page.getByRole('slider').focus();
  await scene.prepare?.(page);
  await page
    .locator(scene.shows.startsWith('.filters') ? '.filters' : scene.shows)
    .first()
    .waitFor();
}

describe('every screen', () => {
  for (const language of ['nl', 'en'] as const) {
    for (const theme of ['light', 'dark'] as const) {
      it(`is accessible and breaks no policy: ${language}, ${theme}`, { timeout: 300_000 }, async () => {
        current = await visit(browser, service.url, { language, theme });
        const signedIn: { role?: Role | undefined } = {};
        const found: string[] = [];
        for (const scene of scenes) {
          await enter(scene, current.page, signedIn);
          for (const violation of await violations(current.page)) found.push(`${scene.name}: ${violation}`);
        }
        expect(found).toEqual([]);
        expect(current.complaints).toEqual([]);
        expect(
          await current.page.evaluate('[document.documentElement.lang, document.documentElement.dataset.theme]'),
        ).toEqual([language, theme]);
      });
    }
  }

  for (const width of [320, 768]) {
    it(`fits a window ${width} pixels wide without scrolling sideways`, { timeout: 300_000 }, async () => {
      current = await visit(browser, service.url, { width, height: 800, language: width === 320 ? 'nl' : 'en' });
      const signedIn: { role?: Role | undefined } = {};
      const wide: string[] = [];
      for (const scene of scenes) {
        await enter(scene, current.page, signedIn);
        const pixels = await overflow(current.page);
        if (pixels > 0) wide.push(`${scene.name}: ${pixels}`);
      }
      expect(wide).toEqual([]);
    });
  }
});
