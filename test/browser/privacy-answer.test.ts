import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildUi, launch, overflow, signIn, violations, visit, type Visit, type VisitOptions } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let browser: Browser;
let visitor: Visit | undefined;
let calls = 0;

beforeAll(async () => {
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
  await service.close();
});

afterEach(async () => {
  await visitor?.context.close();
  visitor = undefined;
});

async function open(to: string, options: VisitOptions = {}): Promise<Page> {
  visitor = await visit(browser, service.url, options);
  await signIn(visitor.page, service.signInOf('privacy_officer'), to);
  return visitor.page;
}

/** A request of somebody who called twice, found and ready to be decided on. */
async function found(rights: string[]): Promise<{ id: string; recordings: string[] }> {
  calls += 1;
  const caller = `+316123460${String(calls).padStart(2, '0')}`;
  const recordings = [];
  for (const agent of ['201', '202'])
    recordings.push(await service.push({ agent, caller, callerName: 'Bo Beller', holds: '[{"startMs":100,"endMs":300}]' }));
  for (const each of recordings) await service.processed(each);
  const officer = service.as('privacy_officer');
  const taken = await officer
    .post('/api/v1/privacy-requests')
    .send({ receivedAt: service.clock.now().toISOString(), channel: 'letter', rights, subject: { phones: [caller] }, locale: 'nl' })
    .expect(201);
  const { id } = taken.body as { id: string };
  await officer.post(`/api/v1/privacy-requests/${id}/identity`).send({ method: 'letter', outcome: 'verified' }).expect(200);
  await officer.post(`/api/v1/privacy-requests/${id}/search`).send({}).expect(200);
  return { id, recordings };
}

describe('the answer to a request', () => {
  it('is decided for many items at once, corrected, fetched by the person, and told to who had a copy', async () => {
    const { id, recordings } = await found(['access', 'rectification']);
    await service
      .as('privacy_officer')
      .post('/api/v1/evidence')
      .send({ recordingIds: [recordings[0]], reason: 'geschil', recipient: 'Advocaat Zuid', scope: 'full' })
      .expect(202);
    const page = await open(`/privacy/${id}`);
    await page.getByLabel('Alles kiezen wat samen kan (2)').check();
    await page.getByRole('button', { name: '2 gekozen: samen beoordelen' }).click();
    await page.getByRole('button', { name: '2 besluiten vastleggen' }).click();
    await page.getByText('4 besluiten genomen').waitFor();
    expect(await page.getByText('Inzage: Verstrekken').count()).toBe(2);

    await page.getByRole('button', { name: 'Correctie of verklaring vastleggen' }).click();
    await page.getByLabel('Verklaring', { exact: true }).fill('Ik heb niet ja gezegd.');
    await page.getByRole('button', { name: 'Opslaan' }).click();
    await page.locator('blockquote', { hasText: 'Ik heb niet ja gezegd.' }).waitFor();

    const other = await service.another('privacy_officer');
    await other.post(`/api/v1/privacy-requests/${id}/approve`).send({}).expect(200);
    await page.reload();
    await page.getByRole('button', { name: 'Advocaat Zuid is ingelicht' }).click();
    await page.getByText(/^Ingelicht op/).waitFor();

    await page.getByRole('button', { name: 'Laten ophalen' }).click();
    await page.getByRole('button', { name: 'Pagina maken' }).click();
    const address = await page.getByLabel('Adres van de pagina', { exact: true }).inputValue();
    const code = await page.getByLabel('Code', { exact: true }).inputValue();
    await page.getByRole('button', { name: 'Ik heb beide genoteerd' }).click();

    const person = await browser.newContext();
    const theirs = await person.newPage();
    await theirs.goto(address);
    expect(await violations(theirs)).toEqual([]);
    await theirs.getByLabel('Code').fill('00000000');
    await theirs.getByRole('button', { name: 'Ophalen' }).click();
    await theirs.getByRole('alert').waitFor();
    await theirs.getByLabel('Code').fill(code);
    const download = theirs.waitForEvent('download');
    await theirs.getByRole('button', { name: 'Ophalen' }).click();
    expect((await download).suggestedFilename()).toMatch(/^PV-\d{4}-\d{4}\.zip$/);
    await (await download).path();
    await expect.poll(async () => (await theirs.goto(address))?.status()).toBe(410);
    await theirs.getByText('Neem gerust contact met ons op').first().waitFor();
    await person.close();
    expect(visitor?.complaints).toEqual([]);
  });

  it('lets an officer note while listening where somebody else is heard, and shows it as it was noted', async () => {
    const { id } = await found(['access']);
    const page = await open(`/privacy/${id}`);
    const judge = () => page.locator('.item .actions button').first().click();
    await judge();
    await page.locator('dialog audio').evaluate(async (audio: HTMLAudioElement) => {
      audio.muted = true;
      await audio.play();
      audio.pause();
      audio.currentTime = 1;
    });
    await page.getByRole('button', { name: 'Stuk vanaf hier' }).click();
    await page.getByRole('textbox', { name: 'Stuk 1: tot' }).fill('0:00');
    await page.getByRole('button', { name: 'Besluit vastleggen' }).click();
    await page.locator('.fault-summary').waitFor();
    expect(await page.getByRole('textbox', { name: 'Stuk 1: van' }).inputValue()).toBe('0:01');
    await page.getByRole('textbox', { name: 'Stuk 1: tot' }).fill('0:01,5');
    await page.getByLabel('Stuk 1: wie').selectOption('agent');
    await page.getByRole('button', { name: 'Besluit vastleggen' }).click();
    await page.getByText('Beluister de kopie').waitFor();
    await judge();
    await page.getByLabel('Stuk 1: wie').waitFor();
    expect(await page.getByRole('textbox', { name: 'Stuk 1: van' }).inputValue()).toBe('0:01');
    expect(await page.getByLabel('Stuk 1: wie').inputValue()).toBe('agent');
  });
});

describe('letters besides the answer', () => {
  it('are composed, worded otherwise, taken as a file, and stand on the timeline', async () => {
    const { id } = await found(['access']);
    const page = await open(`/privacy/${id}`);
    await page.getByLabel('Welke brief?').selectOption('clarification');
    await page.getByRole('button', { name: 'Opstellen' }).click();
    await page.getByLabel('Tekst van de brief').fill('Over welk gesprek gaat het?');
    expect(await violations(page)).toEqual([]);
    for (const [button, ending] of [
      ['Brief (HTML)', /clarification\.html$/],
      ['Brief (PDF)', /clarification\.pdf$/],
    ] as const) {
      if (ending.source.includes('pdf')) await page.getByRole('button', { name: 'Opstellen' }).click();
      const download = page.waitForEvent('download');
      await page.getByRole('dialog').getByRole('button', { name: button }).click();
      expect((await download).suggestedFilename()).toMatch(ending);
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await page.getByText('Over welk gesprek gaat het?').first().waitFor();
    await expect.poll(() => page.getByText('Brief gemaakt').count()).toBe(2);
    expect(visitor?.complaints).toEqual([]);
  });
});

describe('a ticket in the answer', () => {
  it('loses what is about somebody else: words that were selected, or a whole message', async () => {
    const at = service.clock.now().toISOString();
    await service
      .machine(service.helpdeskKey)
      .put('/api/v1/tickets/by-external/answer-1')
      .send({
        number: 'T-77', subject: 'Storing', category: 'support', status: 'open', createdAt: at,
        requester: { name: 'Tina Ticket', email: 'tina@example.test' },
        messages: [
          { externalId: 'm1', at, from: 'customer', body: 'Mijn buurvrouw Ans heeft het ook.', contentType: 'text/plain' },
          { externalId: 'm2', at, from: 'agent', internal: true, body: 'Collega Kees is ziek.', contentType: 'text/plain' },
        ],
      })
      .expect(201);
    const officer = service.as('privacy_officer');
    const taken = await officer
      .post('/api/v1/privacy-requests')
      .send({ receivedAt: at, channel: 'email', rights: ['access'], subject: { emails: ['tina@example.test'] }, locale: 'nl' })
      .expect(201);
    const request = `/api/v1/privacy-requests/${(taken.body as { id: string }).id}`;
    await officer.post(`${request}/identity`).send({ method: 'known_email', outcome: 'verified' }).expect(200);
    await officer.post(`${request}/search`).send({}).expect(200);
    const page = await open(`/privacy/${request.split('/').at(-1) ?? ''}`);
    await page.locator('.item .actions button').first().click();
    await page.getByText('Berichten bekijken').click();
    await page.locator('.pieces textarea').first().focus();
    await page.keyboard.press('Control+Home');
    await page.keyboard.press('Shift+End');
    await page.getByRole('button', { name: 'Selectie weglaten' }).first().click();
    await page.locator('.pieces q', { hasText: 'Mijn buurvrouw Ans' }).waitFor();
    await page.getByLabel('Dit hele bericht weglaten').last().check();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Besluit vastleggen' }).click();
    await page.getByText('Inzage: Verstrekken').waitFor();
    const file = (await officer.get(request).expect(200)).body as { items: { decisions: { passages: object[] }[] }[] };
    expect(file.items[0]?.decisions[0]?.passages).toHaveLength(2);
    await page.locator('.item .actions button').first().click();
    await page.getByText('2 stukken weggelaten').waitFor();
    expect(visitor?.complaints).toEqual([]);
  });
});

describe('figures and letter templates', () => {
  for (const [language, theme, width] of [
    ['nl', 'light', 1440],
    ['en', 'dark', 320],
  ] as const)
    it(`break no rule of accessibility and fit ${width} px: ${language}, ${theme}`, async () => {
      const { id } = await found(['access', 'rectification', 'erasure']);
      const page = await open('/privacy/statistics', { language, theme, width });
      const sound = async () => {
        expect(await violations(page)).toEqual([]);
        expect(await overflow(page)).toBeLessThanOrEqual(0);
      };
      await page.locator('tbody tr').first().waitFor();
      await sound();
      await page.goto('/privacy/letters');
      await page.locator('#template-nl-opening').fill('Wij danken u voor uw bericht.');
      await page.locator('form button[type=submit]').first().click();
      await page.locator('.toast').waitFor();
      await sound();
      await page.goto(`/privacy/${id}`);
      await page.locator('.together input').check();
      await page.locator('.together button').click();
      await page.locator('dialog').waitFor();
      await sound();
      await page.keyboard.press('Escape');
      await page.locator('.item .actions button').first().click();
      await page.locator('.mask button').last().click();
      await sound();
      expect(visitor?.complaints).toEqual([]);
    });
});
