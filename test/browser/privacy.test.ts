import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildUi, launch, overflow, signIn, violations, visit, type Visit, type VisitOptions } from '../support/browser.js';
import { press, tabTo } from '../support/keyboard.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let browser: Browser;
let visitor: Visit | undefined;
const name = 'Vera Vraagt';
const number = '+31612345001';

beforeAll(async () => {
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
  for (const agent of ['101', '102'])
    await service.processed(await service.push({ agent, caller: number, callerName: name }));
});

afterAll(async () => {
  await browser.close();
  await service.close();
});

afterEach(async () => {
  await visitor?.context.close();
  visitor = undefined;
});

type Role = 'privacy_officer' | 'auditor';

async function open(role: Role, to: string, options: VisitOptions = {}): Promise<Page> {
  visitor = await visit(browser, service.url, options);
  await signIn(visitor.page, service.signInOf(role), to);
  return visitor.page;
}

const soon = <Value>(ask: () => Value | Promise<Value>) => expect.poll(ask, { interval: 50, timeout: 30_000 });

async function takeIn(agent: ReturnType<TestService['as']>, told: object = {}): Promise<string> {
  const answer = await agent
    .post('/api/v1/privacy-requests')
    .send({
      receivedAt: new Date(service.clock.now().getTime() - 3_600_000).toISOString(),
      channel: 'email',
      rights: ['access', 'erasure'],
      subject: { name, phones: [number] },
      locale: 'nl',
      ...told,
    })
    .expect(201);
  return (answer.body as { id: string }).id;
}

/** What the page that has the focus shows as its heading or part: where an act has led to. */
const hasFocus = (page: Page) => page.evaluate<string>('document.activeElement.id || document.activeElement.textContent');

describe('a privacy request, by keyboard alone', () => {
  it('goes from intake to closing: masked, approved by somebody else, fetched by the person', { timeout: 240_000 }, async () => {
    const page = await open('privacy_officer', '/privacy');
    await page.getByText('Geen open verzoeken').waitFor();
    await press(page, /^Verzoek opnemen/);
    await page.getByRole('heading', { level: 1, name: 'Verzoek opnemen' }).waitFor();

    await press(page, /^Opnemen$/);
    await soon(() => hasFocus(page)).toBe('Er gaat nog iets niet goed');
    expect(await page.locator('.fault-summary a').count()).toBe(2);

    await press(page, /^Inzage/, 'Space');
    await tabTo(page, /^Naam/);
    await page.keyboard.type(name);
    await tabTo(page, /^Telefoonnummers/);
    await page.keyboard.type('06 12345001');
    await press(page, /^Opnemen$/);
    await page.getByRole('heading', { level: 1, name: /^Verzoek .*\d/ }).waitFor();
    expect(page.url()).not.toContain('12345001');
    expect(await page.title()).not.toContain(name);

    await tabTo(page, /Antwoord vanaf een bekend/);
    await press(page, /Controle vastleggen/);
    await page.getByText(/Identiteit vastgesteld op/).waitFor();
    await soon(() => hasFocus(page)).toBe('find-title');

    await press(page, /^Zoeken$/);
    await page.getByText('Nog te beoordelen').first().waitFor();
    expect(await page.locator('.item').count()).toBe(2);
    await soon(() => hasFocus(page)).toBe('find-title');

    // In part: with a reason, and a stretch in which somebody else is heard.
    await press(page, /^Gesprek van .* beoordelen$/);
    await page.getByRole('dialog').waitFor();
    await soon(() => page.getByRole('radio', { name: 'Verstrekken' }).isChecked()).toBe(true);
    await page.getByText(/Wet: Verstrekken \(art\. 15\(3\)\)/).waitFor();
    await tabTo(page, /Verstrekken/);
    await page.keyboard.press('ArrowRight');
    await press(page, /Besluit vastleggen/);
    await soon(() => hasFocus(page)).toBe('Er gaat nog iets niet goed');
    expect(await page.locator('.fault-summary a').allInnerTexts()).toEqual(['Kies bij Inzage de grond waarop u weigert', 'Geef een reden bij Inzage']);
    await tabTo(page, /^Grond voor weigeren/);
    await page.keyboard.press('ArrowDown');
    expect(await page.getByLabel('Grond voor weigeren').inputValue()).toBe('15(4)');
    await tabTo(page, /^Reden/);
    await page.keyboard.type('Een stuk gaat over iemand anders.');
    await press(page, /^Stuk vanaf hier$/);
    await soon(() => page.getByRole('textbox', { name: 'Stuk 1: tot' }).count()).toBe(1);
    await tabTo(page, /^Stuk 1: tot/, { key: 'Shift+Tab' });
    await page.keyboard.press('Control+A');
    await page.keyboard.type('0:01');
    await press(page, /Besluit vastleggen/);
    await page.getByText('Inzage: Deels').waitFor();
    await page.getByText('Beluister de kopie').waitFor();

    // The other call turns out to be somebody else's.
    await press(page, /^Gesprek van .* beoordelen$/);
    await page.getByRole('dialog').waitFor();
    await tabTo(page, /^Ja/);
    await page.keyboard.press('ArrowRight');
    await press(page, /Besluit vastleggen/);
    await page.getByText('Niet van deze persoon').first().waitFor();
    await soon(() => hasFocus(page)).toBe('approval-title');
    await page.getByText('U hebt hier zelf over beslist. Vraag een andere').waitFor();

    const other = await visit(browser, service.url);
    await signIn(other.page, await service.anotherSignIn('privacy_officer'), page.url());
    await other.page.getByRole('heading', { name: 'Goedkeuren' }).waitFor();
    await press(other.page, /^Brief lezen of aanpassen/);
    await other.page.getByText('Autoriteit Persoonsgegevens').first().waitFor({ state: 'attached' });
    await press(other.page, /^Goedkeuren$/);
    await other.page.getByRole('dialog').waitFor();
    await press(other.page, /^Goedkeuren$/);
    await other.page.getByText(/Goedgekeurd door/).first().waitFor();
    expect(other.complaints).toEqual([]);
    await other.context.close();

    await page.reload();
    await page.getByText('Nog niet opgehaald.').waitFor();
    const letter = page.waitForEvent('download');
    await press(page, /Brief \(PDF\)/);
    expect((await letter).suggestedFilename()).toMatch(/\.pdf$/);
    await page.getByText(/Opgehaald op/).waitFor();
    await press(page, /^Laten ophalen$/);
    await page.getByRole('dialog').waitFor();
    await press(page, /^Pagina maken$/);
    const address = await page.getByLabel('Adres van de pagina', { exact: true }).inputValue();
    const code = await page.getByLabel('Code', { exact: true }).inputValue();
    await press(page, /^Ik heb beide genoteerd$/);

    const person = await visit(browser, service.url);
    await person.page.goto(address);
    await tabTo(person.page, /^Code/);
    await person.page.keyboard.type(code);
    const parcel = person.page.waitForEvent('download');
    await person.page.keyboard.press('Enter');
    expect((await parcel).suggestedFilename()).toMatch(/^PV-\d{4}-\d{4}\.zip$/);
    await (await parcel).path();
    await person.context.close();

    await press(page, /^Afsluiten$/);
    await page.getByRole('dialog').waitFor();
    await press(page, /^Afsluiten$/);
    await page.getByText(/Afgesloten op .*Beantwoord/).waitFor();
    expect(visitor?.complaints).toEqual([]);
  });

  it('an objection may wait: the rest is answered, and then it is decided and approved', async () => {
    const officer = service.as('privacy_officer');
    const other = await service.another('privacy_officer');
    await service.push({ caller: '+31612345002', callerName: 'Olga Objectie' });
    const id = await takeIn(officer, { rights: ['access', 'objection'], subject: { name: 'Olga Objectie', phones: ['+31612345002'] } });
    const path = `/api/v1/privacy-requests/${id}`;
    await officer.post(`${path}/identity`).send({ method: 'call_back', outcome: 'verified' }).expect(200);
    await officer.post(`${path}/search`).send({}).expect(200);
    const page = await open('privacy_officer', `/privacy/${id}`);
    const judge = async (choice: RegExp) => {
      await press(page, /^(Besluit over )?[Gg]esprek van .* (beoordelen|wijzigen)$/);
      await page.getByRole('dialog').waitFor();
      await page.getByRole('dialog').getByRole('radio', { name: choice }).last().check();
      await press(page, /Besluit vastleggen/);
    };
    await judge(/^Later beslissen/);
    await page.getByText('Inzage: Verstrekken').waitFor();
    await other.post(`${path}/approve`).send({}).expect(200);
    await page.reload();
    await page.getByText('Nog 1 besluit te nemen.').waitFor();
    await judge(/^Bezwaar gegrond/);
    await page.getByText(/^Bezwaar: /).first().waitFor();
    await other.post(`${path}/approve`).send({}).expect(200);
    expect(visitor?.complaints).toEqual([]);
  });

  it('extends and pauses as acts of their own, with the first date still in sight', async () => {
    const id = await takeIn(service.as('privacy_officer'));
    const page = await open('privacy_officer', `/privacy/${id}`);
    const original = await page.locator('.due').innerText();
    await press(page, /^Verlengen$/);
    await page.getByRole('dialog').waitFor();
    await tabTo(page, /^Reden/);
    await page.keyboard.type('Veel gesprekken om te beoordelen.');
    await press(page, /^Verlengen$/);
    await page.getByText('Oorspronkelijke datum').waitFor();
    expect(await page.locator('.due').innerText()).not.toBe(original);
    expect(await page.locator('.file-facts').innerText()).toContain(original);
    await press(page, /^Klok stilzetten$/);
    await page.getByRole('dialog').waitFor();
    await tabTo(page, /^Reden/);
    await page.keyboard.type('Wie belde er?');
    await press(page, /^Klok stilzetten$/);
    await press(page, /^Klok laten lopen$/);
    await soon(() => page.getByText('Klok laten lopen').count()).toBe(0);
  });

  it('lets the auditor read it without who it is about, and change nothing', async () => {
    const id = await takeIn(service.as('privacy_officer'));
    const page = await open('auditor', `/privacy/${id}`);
    await page.getByText('Wie het is, ziet alleen de functionaris.').waitFor();
    expect(await page.locator('main').innerText()).not.toContain(name);
    expect(await page.locator('main button').count()).toBe(0);
    await page.goto('/privacy');
    await page.locator('.row-link').first().waitFor();
    expect(await page.locator('main').innerText()).not.toContain(name);
  });
});

describe('the screens of privacy requests', () => {
  for (const [language, theme, width] of [
    ['nl', 'light', 1440],
    ['en', 'dark', 320],
    ['en', 'light', 320],
    ['nl', 'dark', 1024],
  ] as const)
    it(`break no rule of accessibility and fit ${width} px: ${language}, ${theme}`, async () => {
      const officer = service.as('privacy_officer');
      const id = await takeIn(officer);
      const path = `/api/v1/privacy-requests/${id}`;
      const page = await open('privacy_officer', `/privacy/${id}`, { language, theme, width });
      const sound = async () => {
        await page.locator('main h1').waitFor();
        expect(await violations(page)).toEqual([]);
        expect(await overflow(page)).toBeLessThanOrEqual(0);
      };
      await page.locator('#identity-title').waitFor();
      await sound();
      await officer.post(`${path}/identity`).send({ method: 'call_back', outcome: 'verified' }).expect(200);
      await officer.post(`${path}/search`).send({}).expect(200);
      await page.reload();
      await page.locator('.item button').first().click();
      await page.locator('dialog .right-choice').first().waitFor();
      await sound();
      await page.keyboard.press('Escape');
      await page.locator('#letter-title + details summary').click();
      await page.locator('.letter-text').waitFor();
      await sound();
      await page.goto('/privacy');
      await page.locator('.row-link').first().waitFor();
      await sound();
      await page.goto('/privacy/new');
      await page.locator('button[type=submit]').click();
      await page.locator('.fault-summary').waitFor();
      await sound();
      await page.goto('/privacy?state=closed');
      await page.locator('.panel').waitFor();
      await sound();
      expect(visitor?.complaints).toEqual([]);
    });

  it.each([
    ['nl', 'light', 1440, '+3161234511'],
    ['en', 'dark', 320, '+3161234512'],
  ] as const)('break none either where a refusal is late, a letter is owed, or a restriction is lifted: %s, %s', async (language, theme, width, phone) => {
    const officer = service.as('privacy_officer');
    const other = await service.another('privacy_officer');
    const found = async (caller: string, told: object) => {
      const recordingId = await service.push({ caller });
      const id = await takeIn(officer, { subject: { phones: [caller] }, ...told });
      await officer.post(`/api/v1/privacy-requests/${id}/identity`).send({ method: 'call_back', outcome: 'verified' }).expect(200);
      const { body } = await officer.post(`/api/v1/privacy-requests/${id}/search`).send({}).expect(200);
      return { id, recordingId, itemId: (body as { recordings: { itemId: string }[] }).recordings[0]?.itemId };
    };
    const act = (id: string, name: string, body: object, who = officer) => who.post(`/api/v1/privacy-requests/${id}/${name}`).send(body).expect(200);
    const late = await found(`${phone}1`, { rights: ['access'], receivedAt: new Date(service.clock.now().getTime() - 70 * 86_400_000).toISOString() });
    await act(late.id, 'extend', { reason: 'Veel gesprekken.' });
    await act(late.id, 'items', { decisions: [{ itemId: late.itemId, decision: 'refuse', reason: 'Kennelijk ongegrond.', ground: '12(5)' }] });
    const waiting = await found(`${phone}2`, {});
    await act(waiting.id, 'items', { decisions: ['access', 'erasure'].map((right) => ({ itemId: waiting.itemId, right, decision: 'grant' })) });
    await act(waiting.id, 'approve', {}, other);
    await officer.get(`/api/v1/privacy-requests/${waiting.id}/package`).buffer(true).expect(200);
    const reviewAt = new Date(service.clock.now().getTime() + 86_400_000).toISOString();
    await officer.post('/api/v1/holds').send({ recordingId: waiting.recordingId, ground: 'legal_claim', reason: 'geschil', reviewAt }).expect(201);
    await act(waiting.id, 'close', {});

    const kept = await found(`${phone}3`, { rights: ['restriction'] });
    await act(kept.id, 'items', { decisions: [{ itemId: kept.itemId, right: 'restriction', decision: 'grant' }] });
    await act(kept.id, 'approve', {}, other);
    await act(kept.id, 'close', {});

    const page = await open('privacy_officer', `/privacy/${late.id}`, { language, theme, width });
    const sound = async () => {
      expect(await violations(page)).toEqual([]);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
    };
    await page.locator('.clock-warning').last().waitFor();
    await sound();
    await page.goto('/privacy');
    await page.locator('#letters-due-title').waitFor();
    await sound();
    await page.locator('.urgent-lane a').last().click();
    await page.locator('#notices-title ~ .notice').waitFor();
    await sound();
    await page.locator('.notice-choice button').click();
    await page.locator('dialog .letter-text').waitFor();
    await sound();
    await page.goto(`/privacy/${kept.id}`);
    await page.locator('#lift-title ~ .actions button').click();
    await page.locator('dialog button[type=submit]').click();
    await page.locator('dialog .fault-summary').waitFor();
    await sound();
    await page.locator('dialog textarea').fill('Juistheid vastgesteld.');
    await page.locator('dialog input[type=checkbox]').check();
    await page.locator('dialog button[type=submit]').click();
    await soon(() => page.locator('#lift-title').count()).toBe(0);
    expect(visitor?.complaints).toEqual([]);
  });
});
