import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { speechLike } from '../support/audio.js';
import { buildUi, launch, overflow, signIn, violations, visit, type Visit } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

/** Retention, holds, evidence and ingest, as people meet them. */

type Role = Parameters<TestService['signInOf']>[0];

let service: TestService;
let browser: Browser;
let current: Visit | undefined;
let callId = '';
let looseId = '';
let ticketId = '';

beforeAll(async () => {
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
  callId = await service.push(
    { agent: '101', callerName: 'J. de Vries', ticket: '48211', caller: '+31612345678' },
    speechLike({ seconds: 20 }),
  );
  looseId = await service.push({ caller: '+31612345678', agent: '102' }, speechLike({ seconds: 6, channels: 1 }));
  await service.processed(callId);
  await service.processed(looseId);
  await service
    .machine(service.pbxKey)
    .post('/api/v1/recordings')
    .field({ callId: 'bad', startedAt: nowIso() })
    .attach('audio', Buffer.from('this is a text, and no audio at all'), 'call.wav')
    .expect(422);
  const told = await service
    .machine(service.helpdeskKey)
    .put('/api/v1/tickets/by-external/t1')
    .send({
      number: '48211', subject: 'Offerte', category: 'support', status: 'open', createdAt: nowIso(),
      requester: { name: 'M. van den Berg', email: 'm@example.test', phone: '+31612345678', organisation: 'Fictief BV' },
      messages: [{ externalId: '1', at: nowIso(), from: 'customer', internal: false, body: 'Klopt dit?', contentType: 'text/plain' }],
    })
    .expect(201);
  ticketId = (told.body as { id: string }).id;
});

afterAll(async () => {
  await browser.close();
  await service.close();
});

afterEach(async () => {
  await current?.context.close();
  current = undefined;
});

const nowIso = () => service.clock.now().toISOString();
const soon = <Value>(ask: () => Value | Promise<Value>) => expect.poll(ask, { interval: 50, timeout: 30_000 });
const submit = (page: Page) => page.locator('dialog button[type=submit]').click();
const nextYear = () => `${service.clock.now().getFullYear() + 1}-01-15`;

async function open(role: Role, to: string): Promise<Page> {
  current = await visit(browser, service.url);
  await signIn(current.page, service.signInOf(role), to);
  return current.page;
}

/** Presses Tab until the focus is on what is wanted. */
async function tabTo(page: Page, wanted: RegExp): Promise<void> {
  for (let step = 0; step < 120; step += 1) {
    const now = await page.evaluate<string>(
      `[document.activeElement.id, document.activeElement.getAttribute('aria-label'), document.activeElement.textContent].join(' ')`,
    );
    if (wanted.test(now)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the focus never came to ${wanted.source}`);
}

describe('an agreement', () => {
  it('is marked beside the player with the keyboard alone, and does not keep the call longer', async () => {
    const page = await open('privacy_officer', `/recordings/${callId}?t=4`);
    await page.locator('.waveform').waitFor();
    await page.locator('#tab-tickets').focus();
    await page.keyboard.press('ArrowRight');
    await page.getByText(/Markeren verlengt de bewaartermijn niet/).waitFor();
    await tabTo(page, /^\s*Afspraak markeren$/);
    await page.keyboard.press('Enter');
    await page.locator('form.mark').waitFor();
    await page.getByRole('slider').focus();
    await page.keyboard.press('i');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('o');
    await soon(() => page.locator('#mark-endMs').inputValue()).toBe('0:09');
    expect(await page.locator('#mark-startMs').inputValue()).toBe('0:04');
    await tabTo(page, /^mark-summary/);
    await page.keyboard.type('Akkoord op 24 maanden');
    await tabTo(page, /^\s*Markeren$/);
    await page.keyboard.press('Enter');
    await page.locator('.agreed', { hasText: 'Akkoord op 24 maanden' }).waitFor();
    await page.getByText(/^1 afspraak$/).waitFor();
    expect(current?.complaints).toEqual([]);
  });

  it('is corrected with a reason, the earlier wording beside it', async () => {
    const page = await open('privacy_officer', `/recordings/${callId}`);
    await page.locator('#tab-agreements').click();
    await page.getByRole('button', { name: /verbeteren/ }).click();
    await page.locator('#correct-summary').fill('Akkoord op 36 maanden');
    await submit(page);
    await page.getByRole('link', { name: 'Vul de reden in' }).waitFor();
    await page.locator('#correct-reason').fill('Verkeerd verstaan');
    await submit(page);
    await page.locator('.agreed', { hasText: '36 maanden' }).waitFor();
    await page.getByText('Eerdere bewoordingen').click();
    await page.getByText(/0:04–0:09: Akkoord op 24 maanden/).waitFor();
  });

  it('is found without its number in the address, sealed, and found unchanged in the browser', async () => {
    const page = await open('privacy_officer', '/agreements');
    await page.getByLabel('Telefoonnummer').fill('06 12 34 56 78');
    await page.keyboard.press('Enter');
    await page.getByLabel(/^Kies de afspraak/).check();
    expect(decodeURIComponent(page.url())).not.toMatch(/5678/);
    await page.getByRole('button', { name: 'Bewijspakket verzegelen' }).click();
    await submit(page);
    await page.getByRole('link', { name: 'Vul in wie het pakket krijgt' }).waitFor();
    await page.locator('#seal-recipient').fill('Mr. A. Jansen');
    await page.locator('#seal-reason').fill('Geschil over de looptijd');
    await submit(page);
    const link = page.getByRole('link', { name: /^Pakket EV-\d{4}-0001 downloaden/ });
    await link.waitFor({ timeout: 60_000 });
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    const file = await download.path();
    await page.goto('/verify');
    await page.getByText('In gebruik').waitFor();
    const sent: string[] = [];
    page.on('request', (request) => sent.push(`${request.method()} ${request.url()}`));
    await page.locator('#package').setInputFiles({ name: 'p.zip', mimeType: 'application/zip', buffer: await bytesOf(file) });
    await page.getByRole('heading', { name: 'Ongewijzigd sinds ontvangst' }).waitFor();
    expect(sent.filter((line) => !line.startsWith('GET '))).toEqual([]);
    const changed = await bytesOf(file);
    // The end of the zip is its index; far before it lies what is listed there.
    const at = Math.floor(changed.length / 2);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await page.locator('#package').setInputFiles({ name: 'q.zip', mimeType: 'application/zip', buffer: changed });
    await page.getByRole('heading', { name: 'Gewijzigd' }).waitFor();
    // As one of another installation: its key is none of ours, until somebody has compared its fingerprint.
    await page.route('**/.well-known/opname-signing-keys', (route) => route.fulfill({ json: { keys: [] } }));
    await page.goto('/verify');
    await page.locator('#package').setInputFiles({ name: 'p.zip', mimeType: 'application/zip', buffer: await bytesOf(file) });
    await page.getByRole('heading', { name: 'Onbekende afzender' }).waitFor();
    const typed = page.getByLabel('Vingerafdruk van de sleutel, zoals de afzender die bekendmaakt');
    await typed.fill(await page.locator('.details .fingerprint').innerText());
    await page.getByRole('heading', { name: 'Ongewijzigd sinds ontvangst' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await typed.fill('ffff ffff ffff ffff ffff');
    await page.getByRole('heading', { name: 'Onbekende afzender' }).waitFor();
    expect(current?.complaints).toEqual([]);
  });
});

const bytesOf = async (file: string) => (await import('node:fs/promises')).readFile(file);

describe('a hold', () => {
  it('is placed at a recording, with a reason and a review date that cannot be left out', async () => {
    const page = await open('privacy_officer', `/recordings/${callId}`);
    await page.locator('#tab-details').click();
    await page.locator('.holds-here button').click();
    await submit(page);
    await page.getByRole('link', { name: 'Vul de reden in' }).waitFor();
    await page.getByRole('link', { name: /Kies een dag na vandaag/ }).waitFor();
    await page.locator('#hold-reason').fill('Brief van de wederpartij');
    await page.locator('#hold-reviewAt').fill(nextYear());
    await submit(page);
    await page.locator('.page-head .badge.hold').waitFor();
    await page.locator('.holds-here').getByText('Onbevestigd').waitFor();
  });

  it('waits for a second person, is confirmed by one, and holds a day after its release', async () => {
    const placer = await open('privacy_officer', '/holds');
    await placer.getByText(/te bevestigen uiterlijk/).waitFor();
    await placer.getByRole('button', { name: /bevestigen$/ }).click();
    await placer.getByText(/U hebt deze blokkering zelf geplaatst/).waitFor();
    await submit(placer);
    await placer.locator('dialog .fault-summary').waitFor();
    await current?.context.close();
    const second = await service.another('privacy_officer');
    const [hold] = ((await second.get('/api/v1/holds').expect(200)).body as { items: { id: string }[] }).items;
    await second.post(`/api/v1/holds/${hold?.id ?? ''}/confirm`).expect(200);
    const page = await open('privacy_officer', '/holds');
    await page.locator('.hold-state').getByText('Bevestigd').waitFor();
    await page.getByRole('button', { name: /opheffen$/ }).click();
    await page.getByText(/houdt nog 24 uur vast/).waitFor();
    await page.locator('#release-reason').fill('Geschikt');
    await submit(page);
    await page.getByText(/houdt nog vast tot/).waitFor();
  });
});

describe('a call and a ticket', () => {
  it('are linked from a suggestion that says why, and taken apart with a reason', async () => {
    const page = await open('privacy_officer', `/recordings/${looseId}`);
    await page.getByText(/Want: zelfde nummer/).waitFor();
    await page.getByRole('button', { name: 'Ticket 48211 koppelen' }).click();
    await page.getByText(/Gekoppeld op: zelfde nummer/).waitFor();
    await page.getByText(/Ticket bewaard tot/).waitFor();
    await page.getByText(/Opname bewaard tot/).waitFor();
    await page.getByRole('button', { name: 'Ticket 48211 ontkoppelen' }).click();
    await page.locator('#unlink-reason').fill('Ander gesprek');
    await submit(page);
    await page.getByText('Geen ticket gekoppeld').waitFor();
  });

  it('are linked by hand from the ticket', async () => {
    const page = await open('trainer', `/tickets/${ticketId}`);
    await page.getByRole('button', { name: 'Zelf koppelen' }).click();
    await page.locator('#link-recording').fill(`${service.url}/recordings/${looseId}?t=3`);
    await submit(page);
    await soon(() => page.locator('.ticket-side .clocks').count()).toBe(2);
    await page.getByText(/Gekoppeld op: met de hand/).waitFor();
  });
});

describe('retention', () => {
  it('shows the sweep an administrator starts, until it is done', async () => {
    const page = await open('administrator', '/retention');
    await page.locator('.tile.ok', { hasText: 'Zoals het hoort' }).waitFor();
    await page.getByRole('button', { name: 'Opschoonronde starten' }).click();
    await page.getByText('Gestart door een beheerder').waitFor();
    await soon(() => page.locator('.badge', { hasText: /^Klaar$/ }).count()).toBe(1);
  });

  it('hands an auditor the signed report, and no way to sweep', async () => {
    const page = await open('auditor', '/retention');
    const link = page.getByRole('link', { name: 'Bewijs downloaden' });
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    expect((await bytesOf(await download.path())).toString()).toMatch(/BEGIN OPNAME SIGNATURE/);
    expect(await page.getByRole('button', { name: 'Opschoonronde starten' }).count()).toBe(0);
  });
});

interface Scene {
  name: string;
  role: Role;
  path: () => string;
  /** What must be there before it is looked at. */
  shows: string;
  prepare?: (page: Page) => Promise<void>;
}

const press = (selector: string) => async (page: Page) => {
  await page.locator(selector).first().click();
  await page.locator('dialog').waitFor();
};
const tab = (name: string, then?: string) => async (page: Page) => {
  await page.locator(`#tab-${name}`).click();
  if (then !== undefined) await page.locator(then).first().click();
};
const answer = (path: string, status: number, body: object) => async (page: Page) => {
  await page.route(path, (route) => route.fulfill({ status, json: body }));
  await page.reload();
  await page.locator('h1').waitFor();
};
const refused = (path: string) => async (page: Page) => {
  await answer(path, 503, { title: 'x', status: 503, code: 'storage-unavailable', requestId: '0193-test' })(page);
  await page.locator('.state.error').first().waitFor();
};
const waiting = (path: string) => async (page: Page) => {
  await page.route(path, () => undefined);
  await page.reload();
  await page.locator('h1').waitFor();
};
const none = { items: [], nextCursor: null };
const somebody = '01990000-0000-7000-8000-00000000000a';
const manyHeld = {
  id: 'a', requestId: 'a', reference: 'PV-2026-0007', recordings: 412, tickets: 3, packages: 0, holds: 415, grounds: ['open_request', 'restriction'],
  reasons: ['found for an open request', 'confirmed for an open request'], owners: [somebody], placedBy: [somebody],
  placedAt: '2026-11-20T10:00:00.000Z', unconfirmed: 400, unconfirmedUntil: '2026-11-20T10:00:00.000Z', confirmBy: '2026-11-24T23:00:00.000Z',
  confirmationLate: true, reviewAt: '2026-11-21T10:00:00.000Z', reviewDue: true, released: false, endsAt: '2027-11-21T10:00:00.000Z', secret: false,
  hold: null,
};
const drifted = async (page: Page) => {
  await page.route('**/api/v1/retention', async (route) => {
    const body = (await (await route.fetch()).json()) as { overdue: number; lifecycle: { state: string; actual: object[] } };
    body.overdue = 3;
    body.lifecycle.state = 'drifted';
    body.lifecycle.actual = [{ id: 'logs', prefix: 'logs/', expireAfterDays: 5 }];
    const failing = [{ category: 'recording', id: callId, attempts: 4, fault: 'storage-unavailable', begunAt: nowIso() }];
    await route.fulfill({ json: { ...body, failing } });
  });
  await page.reload();
  await page.locator('.tile.error').waitFor();
};

const scenes: Scene[] = [
  { name: 'retention', role: 'administrator', path: () => '/retention', shows: '.tiles' },
  {
    name: 'retention, drifted',
    role: 'administrator',
    path: () => '/retention',
    shows: '.tiles',
    prepare: drifted,
  },
  {
    name: 'retention, refused',
    role: 'auditor',
    path: () => '/retention',
    shows: '.tiles',
    prepare: refused('**/api/v1/retention'),
  },
  {
    name: 'retention, loading',
    role: 'auditor',
    path: () => '/retention',
    shows: '.tiles',
    prepare: waiting('**/api/v1/retention'),
  },
  { name: 'register', role: 'auditor', path: () => '/retention/register', shows: '.badge' },
  { name: 'tombstones', role: 'auditor', path: () => '/retention/tombstones', shows: '.filters' },
  {
    name: 'tombstones of nothing',
    role: 'auditor',
    path: () => `/retention/tombstones?recording=${callId}`,
    shows: '.state',
  },
  { name: 'holds', role: 'privacy_officer', path: () => '/holds?all=true', shows: '.hold-state' },
  {
    name: 'holds, none',
    role: 'auditor',
    path: () => '/holds',
    shows: 'h1',
    prepare: answer('**/api/v1/holds/groups?*', 200, none),
  },
  {
    name: 'holds, refused',
    role: 'auditor',
    path: () => '/holds',
    shows: 'h1',
    prepare: refused('**/api/v1/holds/groups?*'),
  },
  {
    name: 'holds of a request, and of a number',
    role: 'privacy_officer',
    path: () => '/holds',
    shows: '.hold-state',
    prepare: answer('**/api/v1/holds/groups?*', 200, { items: [manyHeld, { ...manyHeld, id: 'b', requestId: null, reference: null, unconfirmed: 0 }], nextCursor: null }),
  },
  {
    name: 'hold, of a number',
    role: 'privacy_officer',
    path: () => '/holds',
    shows: '.hold-state',
    prepare: press('.page-head button.button'),
  },
  {
    name: 'hold, release',
    role: 'privacy_officer',
    path: () => '/holds',
    shows: '.hold-state',
    prepare: press('.row-actions .danger'),
  },
  {
    name: 'hold, place',
    role: 'privacy_officer',
    path: () => `/recordings/${looseId}`,
    shows: '.waveform',
    prepare: tab('details', '.holds-here button'),
  },
  {
    name: 'player, agreements',
    role: 'privacy_officer',
    path: () => `/recordings/${callId}`,
    shows: '.waveform',
    prepare: tab('agreements'),
  },
  {
    name: 'player, mark',
    role: 'trainer',
    path: () => `/recordings/${callId}`,
    shows: '.waveform',
    prepare: tab('agreements', '.side-foot button'),
  },
  {
    name: 'player, correct',
    role: 'privacy_officer',
    path: () => `/recordings/${callId}`,
    shows: '.waveform',
    prepare: tab('agreements', '.link-actions button'),
  },
  {
    name: 'player, tickets',
    role: 'trainer',
    path: () => `/recordings/${callId}`,
    shows: '.waveform',
    prepare: async (page) => {
      await page.locator('#tab-tickets').click();
      await page.locator('.clocks').first().waitFor();
    },
  },
  {
    name: 'ticket, unlink',
    role: 'privacy_officer',
    path: () => `/tickets/${ticketId}`,
    shows: '.clocks',
    prepare: press('.link-actions button'),
  },
  { name: 'agreements', role: 'privacy_officer', path: () => '/agreements', shows: 'td .check' },
  { name: 'agreements, none', role: 'trainer', path: () => '/agreements?ticket=nothing', shows: '.state' },
  {
    name: 'agreements, loading',
    role: 'trainer',
    path: () => '/agreements',
    shows: '.badge',
    prepare: waiting('**/api/v1/agreements?*'),
  },
  { name: 'packages', role: 'privacy_officer', path: () => '/packages', shows: '.row-actions' },
  {
    name: 'packages, none',
    role: 'privacy_officer',
    path: () => '/packages',
    shows: 'h1',
    prepare: answer('**/api/v1/evidence?*', 200, none),
  },
  {
    name: 'packages, refused',
    role: 'privacy_officer',
    path: () => '/packages',
    shows: 'h1',
    prepare: refused('**/api/v1/evidence?*'),
  },
  { name: 'verify', role: 'privacy_officer', path: () => '/verify', shows: '.fingerprint' },
  { name: 'ingest', role: 'administrator', path: () => '/admin/ingest', shows: '.source-head' },
  {
    name: 'ingest, refused',
    role: 'administrator',
    path: () => '/admin/ingest',
    shows: 'h1',
    prepare: refused('**/api/v1/ingest?*'),
  },
  {
    name: 'ingest, source',
    role: 'administrator',
    path: () => '/admin/ingest',
    shows: '.row-actions',
    prepare: press('.row-actions button'),
  },
];

async function look(options: Parameters<typeof visit>[2], judge: (page: Page, name: string) => Promise<void>) {
  current = await visit(browser, service.url, options);
  const { page } = current;
  let role: Role | undefined;
  for (const scene of [...scenes].sort((a, b) => (a.role < b.role ? -1 : 1))) {
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    if (scene.role !== role) {
      await page.context().clearCookies();
      await signIn(page, service.signInOf(scene.role));
      role = scene.role;
    }
    await page.goto(scene.path());
    await page.locator(scene.shows).first().waitFor();
    await scene.prepare?.(page);
    await judge(page, scene.name);
  }
}

describe('every screen about accountability', () => {
  // On its own, too: an agreement, a package and a hold to look at.
  beforeAll(async () => {
    const officer = service.as('privacy_officer');
    const wording = { startMs: 1000, endMs: 5000, summary: 'Akkoord', parties: ['J. de Vries'], ticket: '48211' };
    await officer.post(`/api/v1/recordings/${callId}/agreements`).send(wording).expect(201);
    const order = { recordingIds: [callId], reason: 'Geschil', recipient: 'Mr. A. Jansen' };
    await officer.post('/api/v1/evidence').send(order).expect(202);
    const hold = { recordingId: looseId, ground: 'legal_claim', reason: 'Geschil', reviewAt: nextYear() };
    await officer.post('/api/v1/holds').send(hold).expect(201);
  });

  // The screens themselves are looked at in all four dresses by accessibility.test.ts; here it is about their dialogs.
  for (const [language, theme] of [
    ['nl', 'light'],
    ['en', 'dark'],
  ] as const) {
    it(`is accessible and breaks no policy: ${language}, ${theme}`, { timeout: 300_000 }, async () => {
      const found: string[] = [];
      await look({ language, theme }, async (page, name) => {
        for (const violation of await violations(page)) found.push(`${name}: ${violation}`);
      });
      expect(found).toEqual([]);
      expect(current?.complaints).toEqual([]);
    });
  }

  it('fits a window 320 pixels wide without scrolling sideways', { timeout: 300_000 }, async () => {
    const wide: string[] = [];
    await look({ width: 320, height: 800 }, async (page, name) => {
      const pixels = await overflow(page);
      if (pixels > 0) wide.push(`${name}: ${pixels}`);
    });
    expect(wide).toEqual([]);
  });
});
