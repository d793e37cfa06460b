import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { speechLike } from '../support/audio.js';
import { audioFacts, buildUi, inEveryDress, launch, overflow, signIn, violations, visit, type Visit, type VisitOptions } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

/** Coaching as trainers and agents meet it: collections that play as a queue, and evaluations from consent to answer. */

type Role = Parameters<TestService['signInOf']>[0];

let service: TestService;
let browser: Browser;
let visitor: Visit | undefined;
const ids: string[] = [];

beforeAll(async () => {
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
  const agent = service.signInOf('agent').id;
  await service.as('administrator').patch(`/api/v1/users/${agent}`).send({ extensions: ['101'] }).expect(200);
  for (const seed of [1, 2, 3]) ids.push(await service.push({ agent: '101' }, speechLike({ seconds: 8, seed })));
  // Too old for the period that a sample offers by itself, so that chance never picks it.
  const startedAt = new Date(service.clock.now().getTime() - 60 * 86_400_000).toISOString();
  ids.push(await service.push({ agent: '101', startedAt }, speechLike({ seconds: 8, seed: 4 })));
  for (const id of ids) await service.processed(id);
});

afterAll(async () => {
  await browser.close();
  await service.close();
});

afterEach(async () => {
  await visitor?.context.close();
  visitor = undefined;
});

async function open(role: Role, to: string, options: VisitOptions = {}): Promise<Page> {
  await visitor?.context.close();
  visitor = await visit(browser, service.url, options);
  await signIn(visitor.page, service.signInOf(role), to);
  await visitor.page.locator('main h1').waitFor();
  return visitor.page;
}

const soon = <Value>(ask: () => Value | Promise<Value>) => expect.poll(ask, { interval: 50, timeout: 30_000 });
const call = (index = 0) => ids[index] ?? '';

/** The name of what has the focus. */
const focused = (page: Page) =>
  page.evaluate<string>(`(() => {
    const element = document.activeElement;
    const labels = element.labels ? [...element.labels].map((each) => each.textContent).join(' ') : '';
    return (element.getAttribute('aria-label') ?? (labels === '' ? element.textContent : labels)).trim();
  })()`);

/** Presses Tab until the focus is on something with this name, as a person without a mouse would. */
async function tabTo(page: Page, name: RegExp, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < 120; presses += 1) {
    await page.keyboard.press(key);
    const label = await focused(page);
    if (name.test(label)) return;
    passed.push(label.slice(0, 40));
  }
  throw new Error(`${String(name)} was not reached by ${key}; passed: ${passed.join(' | ')}`);
}

async function press(page: Page, name: RegExp, key: 'Enter' | 'Space' = 'Enter'): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press(key);
}

const idOf = (answer: { body: object }) => (answer.body as { id: string }).id;
const firstOf = (answer: { body: object }) => (answer.body as { items: { id: string }[] }).items[0]?.id ?? '';

describe('a collection', () => {
  it('is made, filled, put in order and played by keyboard alone', async () => {
    const page = await open('trainer', `/recordings/${call()}?t=2&tab=comments`);
    await page.locator('.waveform').waitFor();
    await page.getByRole('slider').focus();
    for (const key of ['i', 'ArrowRight', 'o']) await page.keyboard.press(key);
    await press(page, /^Aan verzameling toevoegen$/);
    await tabTo(page, /^Naam/);
    await page.keyboard.type('Afronden');
    await tabTo(page, /^Toelichting/);
    await page.keyboard.type('Zo sluit je af');
    await press(page, /^Aan verzameling toevoegen$/);
    await soon(() => page.getByRole('dialog').count()).toBe(0);
    const id = firstOf(await service.as('trainer').get('/api/v1/collections').expect(200));
    for (const [recordingId, note] of [[call(1), 'Tweede'], [call(2), 'Derde']])
      await service.as('trainer').post(`/api/v1/collections/${id}/items`).send({ recordingId, note }).expect(201);

    await page.goto(`/collections/${id}`);
    await page.locator('.collection-items li').nth(2).waitFor();
    const notes = () => page.locator('.item-what > span:last-child').allInnerTexts();
    await tabTo(page, /omlaag$/);
    await page.keyboard.press('Enter');
    await soon(notes).toEqual(['Tweede', 'Zo sluit je af', 'Derde']);
    // The focus went along with the call that was moved.
    await page.keyboard.press('Enter');
    await soon(notes).toEqual(['Tweede', 'Derde', 'Zo sluit je af']);
    await press(page, / wijzigen$/);
    await soon(() => page.getByRole('dialog').count()).toBe(1);
    await tabTo(page, /^Einde/);
    await page.keyboard.press('Control+a');
    await page.keyboard.type('0:01');
    await press(page, /^Opslaan$/);
    await page.getByText('Het einde ligt voor het begin').first().waitFor();
    await tabTo(page, /^Einde/);
    await page.keyboard.press('Control+a');
    await page.keyboard.type('0:04');
    await press(page, /^Opslaan$/);
    await page.getByText('van 0:02 tot 0:04').waitFor();
    await tabTo(page, /uit de verzameling halen$/, 'Shift+Tab');
    await page.keyboard.press('Enter');
    await soon(() => page.locator('.collection-items li').count()).toBe(2);
    expect(await violations(page)).toEqual([]);
    await soon(() => focused(page)).toMatch(/^Gesprek van/);
    expect(visitor?.complaints).toEqual([]);
  });

  it('plays on by itself only where that was asked, after five seconds that can be stopped, and leaves out what is gone', async () => {
    const made = await service.as('trainer').post('/api/v1/collections').send({ name: 'Openingen' }).expect(201);
    const items = `/api/v1/collections/${idOf(made)}/items`;
    const gone = await service.push({ agent: '101' }, speechLike({ seconds: 4, seed: 9 }));
    await service.processed(gone);
    for (const body of [{ recordingId: call(), startMs: 1000, endMs: 2500 }, { recordingId: call(1) }, { recordingId: gone }])
      await service.as('trainer').post(items).send(body).expect(201);
    const page = await open('trainer', `/collections/${idOf(made)}`);
    const autoplay = page.getByLabel('Automatisch verder, na 5 seconden');
    expect(await autoplay.isChecked()).toBe(false);
    await page.getByRole('button', { name: 'Alles afspelen' }).click();
    await page.getByText('1 van 3').waitFor();
    // A clip ends where it ends, and without autoplay nothing follows.
    await soon(async () => (await audioFacts(page))?.paused).toBe(true);
    const { currentTime } = (await audioFacts(page)) ?? { currentTime: 0 };
    expect(currentTime).toBeGreaterThan(2.4);
    expect(currentTime).toBeLessThan(3.2);
    expect(await page.getByText(/Het volgende onderdeel begint over/).count()).toBe(0);
    await autoplay.check();
    await page.getByRole('slider').fill('1800');
    await page.getByRole('button', { name: 'Afspelen', exact: true }).click();
    await page.getByText(/Het volgende onderdeel begint over/).waitFor();
    await page.getByRole('button', { name: 'Hier blijven' }).click();
    await soon(() => page.getByText(/Het volgende onderdeel begint over/).count()).toBe(0);
    await page.getByRole('slider').fill('1800');
    await page.getByRole('button', { name: 'Afspelen', exact: true }).click();
    await page.getByText('2 van 3').waitFor();
    await soon(async () => (await audioFacts(page))?.paused).toBe(false);
    await service.service.platform.database.query('DELETE FROM recordings WHERE id = $1', [gone]);
    await page.getByRole('button', { name: 'Volgend onderdeel' }).click();
    await page.getByText('Dit gesprek is er niet meer.').waitFor();
    await page.getByRole('link', { name: 'Openingen' }).click();
    await soon(() => page.locator('.collection-items li').count()).toBe(2);
    expect(visitor?.complaints).toEqual([]);
  });
});

describe('a further use', () => {
  it('is off, then switched on with its ground and the works council’s consent, and off again, every act kept', async () => {
    let page = await open('trainer', '/evaluations');
    await page.getByText('Beoordelen staat uit').waitFor();
    expect(await violations(page)).toEqual([]);
    page = await open('administrator', '/further-uses');
    await press(page, /^Aanzetten Medewerkers beoordelen$/);
    await page.getByRole('dialog').waitFor();
    await press(page, /^Vastleggen en aanzetten$/);
    expect(await page.locator('.fault-summary a').count()).toBe(3);
    await tabTo(page, /^Waarom mag het/);
    await page.keyboard.type('Alleen om te leren.');
    await page.getByLabel('Datum van de instemming').fill('2026-01-15');
    await page.getByLabel('Datum van de instemming').focus();
    await tabTo(page, /^Kenmerk/);
    await page.keyboard.type('OR-2026-3');
    expect(await violations(page)).toEqual([]);
    await press(page, /^Vastleggen en aanzetten$/);
    await page.getByText('15 januari 2026, kenmerk OR-2026-3').waitFor();
    await press(page, /^Uitzetten Medewerkers/);
    await tabTo(page, /^Waarom\?/);
    await page.keyboard.type('Eerst overleg');
    await press(page, /^Uitzetten$/);
    await page.getByText('1 eerder besluit').click();
    await page.getByText('Eerst overleg').waitFor();
    await page.getByRole('button', { name: 'Aanzetten Spraak omzetten naar tekst' }).click();
    await page.getByRole('button', { name: 'Vastleggen en aanzetten' }).click();
    await page.getByRole('link', { name: 'Kies ten minste één doel' }).waitFor();
    expect(await violations(page)).toEqual([]);
    page = await open('auditor', '/further-uses');
    await page.getByText('1 eerder besluit').waitFor();
    expect(await page.getByRole('button', { name: /Aanzetten|Uitzetten/ }).count()).toBe(0);
    expect(visitor?.complaints).toEqual([]);
  });
});

describe('evaluations', () => {
  beforeAll(async () => {
    const act = { explanation: 'Alleen om te leren.', consent: { date: '2026-01-15', reference: 'OR-2026-3' } };
    await service.as('administrator').put('/api/v1/further-uses/evaluation').send(act).expect(200);
  });

  it('go from a scorecard and a sample to the agent’s answer, by keyboard alone', async () => {
    let page = await open('trainer', '/evaluations/scorecards');
    await press(page, /^Nieuw formulier$/);
    await page.locator('.card-editor').waitFor();
    await tabTo(page, /^Naam/);
    await page.keyboard.type('Basis');
    await press(page, /^Opslaan$/);
    await soon(() => page.locator('.fault-summary a').allInnerTexts()).toEqual(['Geef onderdeel 1 een naam', 'Schrijf vraag 1 van onderdeel 1']);
    await press(page, /^Geef onderdeel 1 een naam$/);
    await page.keyboard.type('Begin');
    await tabTo(page, /^Vraag 1/);
    await page.keyboard.type('Noemt de naam');
    await press(page, /^Vraag toevoegen aan onderdeel 1$/);
    await soon(() => focused(page)).toMatch(/^Vraag 2/);
    await page.keyboard.type('Toon');
    await tabTo(page, /^Antwoord/);
    await page.keyboard.type('Schaal 1 tot 5');
    await tabTo(page, /^Gewicht/);
    await page.keyboard.type('3');
    await page.getByText('75% van het onderdeel').waitFor();
    await tabTo(page, /^Vraag 2 omhoog$/, 'Shift+Tab');
    await page.keyboard.press('Enter');
    await soon(() => page.locator('.card-question textarea').evaluateAll((all) => all.map((each) => (each as unknown as { value: string }).value))).toEqual(['Toon', 'Noemt de naam']);
    await soon(() => focused(page)).toBe('Vraag 1 omlaag');
    expect(await violations(page)).toEqual([]);
    await press(page, /^Opslaan$/);
    await page.getByRole('link', { name: 'Basis' }).waitFor();

    await press(page, /^Steekproeven$/);
    await page.getByRole('heading', { name: 'Willekeurige steekproef' }).waitFor();
    await tabTo(page, /^Medewerker/);
    await soon(() => page.locator('#sample-agentId option').count()).toBe(2);
    await page.keyboard.type('Test');
    await press(page, /^Trekken$/);
    await page.getByText('0 van 3 beoordeeld').waitFor();
    await page.getByText(/^Nagerekend: dezelfde startwaarde/).waitFor();
    await press(page, /^Beginnen met beoordelen$/);
    await page.getByText('1 van 3').waitFor();
    await page.locator('.waveform').waitFor();
    await tabTo(page, /^Beoordeling$/);
    await press(page, /^Beoordeling beginnen$/);
    await page.locator('.draft').waitFor();
    await page.getByRole('slider').focus();
    await page.keyboard.press('ArrowRight');
    await press(page, /^Indienen$/);
    await soon(() => page.locator('.fault-summary a').count()).toBe(2);
    await press(page, /^Beantwoord: Toon$/);
    await page.keyboard.press('Space');
    for (let step = 0; step < 3; step += 1) await page.keyboard.press('ArrowRight');
    await tabTo(page, /^Notitie: Toon$/);
    await page.keyboard.type('Duidelijk.');
    await press(page, /Dit moment erbij: Toon$/);
    await tabTo(page, /^Ja$/);
    await page.keyboard.press('Space');
    await press(page, /^Notitie bij dit moment/);
    await soon(() => focused(page)).toBe('Notitie op 0:05');
    await page.keyboard.type('Hier luistert u goed.');
    await page.getByText(/Concept bewaard om/).waitFor();
    await page.getByText('2 van 2 vragen beantwoord').waitFor();
    expect(await violations(page)).toEqual([]);
    await press(page, /^Indienen$/);
    await page.getByRole('dialog').waitFor();
    await press(page, /^Indienen$/);
    await soon(() => focused(page)).toBe('Uitkomst 81,3%');
    await page.getByText('Hier luistert u goed.').waitFor();
    await tabTo(page, /^Volgend gesprek$/, 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByText('2 van 3').waitFor();
    await page.getByRole('button', { name: 'Beoordeling beginnen' }).waitFor();

    page = await open('agent', '/evaluations', { width: 360, height: 740 });
    await page.getByText('Nog te lezen').waitFor();
    await tabTo(page, /\d{4}/);
    await page.keyboard.press('Enter');
    await page.getByText('Duidelijk.').waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(await violations(page)).toEqual([]);
    await tabTo(page, /^Naar 0:05 in het gesprek$/);
    await page.keyboard.press('Enter');
    await page.locator('.waveform').waitFor();
    await soon(async () => Number(await page.getByRole('slider').inputValue())).toBe(5000);
    await page.getByText('Hier luistert u goed.').waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await press(page, /^Gelezen$/);
    await page.getByText(/^Gelezen op/).waitFor();
    await tabTo(page, /^Uw reactie/);
    await page.keyboard.type('Dank u, de lijn was slecht.');
    await press(page, /^Reactie versturen$/);
    await page.locator('.answered').getByText('Dank u, de lijn was slecht.').waitFor();
    expect(await violations(page)).toEqual([]);
    expect(visitor?.complaints).toEqual([]);

    page = await open('trainer', '/evaluations?state=acknowledged');
    await page.locator('.badge').getByText('Beantwoord').waitFor();
    await page.locator('.row-link').first().click();
    await page.getByText('Dank u, de lijn was slecht.').waitFor();
  });

  it('lose nothing to a lost network, nor to a second tab', async () => {
    const page = await open('trainer', `/recordings/${call(3)}?tab=evaluation`);
    await page.getByRole('button', { name: 'Beoordeling beginnen' }).click();
    await page.getByLabel('Samenvatting').fill('Eerste zin.');
    await page.getByText(/Concept bewaard om/).waitFor();
    await visitor?.context.setOffline(true);
    await page.getByLabel('Samenvatting').fill('Eerste zin. Onderweg geschreven.');
    await page.getByText(/^Geen verbinding/).waitFor();
    await visitor?.context.setOffline(false);
    await page.getByText(/Concept bewaard om/).waitFor();
    // Cut off again, and this time the page is loaded anew before it could be saved.
    await page.route('**/draft', (route) => route.abort());
    await page.getByLabel('Samenvatting').fill('En dit ook.');
    await page.getByText(/^Geen verbinding/).waitFor();
    page.on('dialog', (dialog) => void dialog.accept());
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.reload();
    await soon(() => page.getByLabel('Samenvatting').inputValue()).toBe('En dit ook.');
    await page.getByText(/Concept bewaard om/).waitFor();
    const evaluations = await service.as('trainer').get(`/api/v1/evaluations?recordingId=${call(3)}`).expect(200);
    const path = `/api/v1/evaluations/${firstOf(evaluations)}`;
    const read = async () => (await service.as('trainer').get(path).expect(200)).body as { draft: { revision: number; summary: string } };
    await soon(async () => (await read()).draft.summary).toBe('En dit ook.');
    // Saved, but the answer is lost, while the person writes on; then the same with a page that is loaded anew.
    for (const [first, second] of [['Bewaard.', 'Bewaard. En verder.'], ['Opnieuw.', 'Opnieuw. En nog eens.']] as const) {
      await page.route('**/draft', async (route) => {
        await route.fetch();
        await route.abort();
      });
      await page.getByLabel('Samenvatting').fill(first);
      await soon(async () => (await read()).draft.summary).toBe(first);
      await page.getByText(/^Geen verbinding/).waitFor();
      await page.unrouteAll({ behavior: 'wait' });
      await page.route('**/draft', (route) => route.abort());
      await page.getByLabel('Samenvatting').fill(second);
      await page.getByText(/^Geen verbinding/).waitFor();
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      if (first === 'Opnieuw.') await page.reload();
      await soon(async () => (await read()).draft.summary).toBe(second);
      expect(await page.getByText(/ergens anders bewaard/).count()).toBe(0);
    }
    const { revision } = (await read()).draft;
    await service.as('trainer').put(`${path}/draft`).send({ revision, summary: 'Uit een ander tabblad.' }).expect(200);
    await page.getByLabel('Samenvatting').fill('Uit dit tabblad.');
    await page.getByText(/ergens anders bewaard/).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Wat daar bewaard is' }).click();
    await soon(() => page.getByLabel('Samenvatting').inputValue()).toBe('Uit een ander tabblad.');
    await page.getByRole('button', { name: 'Concept weggooien' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Concept weggooien' }).click();
    await page.getByRole('button', { name: 'Beoordeling beginnen' }).waitFor();
    await service.as('trainer').get(path).expect(404);
  });

  it('keep the text of the version they were begun with, when a scorecard changes', async () => {
    const page = await open('trainer', '/evaluations/scorecards');
    await page.getByRole('link', { name: 'Basis' }).click();
    await page.getByLabel('Vraag 1', { exact: true }).fill('Toon en tempo');
    await page.getByRole('button', { name: 'Opslaan' }).click();
    await page.getByText('Het formulier is opgeslagen als versie 2.').waitFor();
    await page.getByRole('link', { name: 'Basis' }).click();
    await page.getByText('Versie 1', { exact: true }).click();
    await page.locator('.card-text').getByText('Toon', { exact: false }).first().waitFor();
    const id = firstOf(await service.as('trainer').get('/api/v1/evaluations?state=acknowledged').expect(200));
    await page.goto(`/evaluations/${id}`);
    await page.locator('.answers dt').first().waitFor();
    expect(await page.locator('.answers dt').allInnerTexts()).toEqual(['Toon', 'Noemt de naam']);
  });
});

interface Scene {
  role: Role;
  path: () => string | Promise<string>;
  shows: string;
  prepare?: (page: Page) => Promise<void>;
}

const click = (selector: string, then: string) => async (page: Page) => {
  await page.locator(selector).first().click();
  await page.locator(then).first().waitFor();
};
const collection = async () => `/collections/${firstOf(await service.as('trainer').get('/api/v1/collections').expect(200))}`;
const sample = async () => `/evaluations/sample/${firstOf(await service.as('trainer').get('/api/v1/samples').expect(200))}`;
const agentId = () => service.signInOf('agent').id;

const scenes: Scene[] = [
  { role: 'trainer', path: collection, shows: '.collection-items', prepare: click('.collection-items .actions .button:nth-child(3)', 'dialog') },
  { role: 'trainer', path: () => `/evaluations?agentId=${agentId()}`, shows: '.row-link' },
  { role: 'trainer', path: sample, shows: '.sample-calls' },
  { role: 'trainer', path: () => '/evaluations/coverage', shows: 'tbody strong' },
  { role: 'trainer', path: () => `/evaluations/outcomes?agentId=${agentId()}`, shows: '.row-link' },
  { role: 'trainer', path: () => '/evaluations/scorecards/new', shows: '.card-editor', prepare: click('[type=submit]', '.fault-summary') },
  { role: 'trainer', path: () => '/evaluations/scorecards', shows: '.row-link', prepare: click('.row-link', '.card-editor') },
  { role: 'trainer', path: () => `/recordings/${call(3)}?tab=evaluation`, shows: '.evaluation-tab form' },
  { role: 'trainer', path: () => `/recordings/${call(3)}?tab=evaluation`, shows: '.evaluation-tab form', prepare: click('.evaluation-tab [type=submit]', '.draft') },
  { role: 'administrator', path: () => '/further-uses', shows: '.use' },
  { role: 'administrator', path: () => '/further-uses', shows: '.use', prepare: click('.use .button', 'dialog') },
];

describe('every screen about coaching', () => {
  it('is accessible in every dress, its dialogs and forms too, and fits 320 pixels', { timeout: 300_000 }, async () => {
    visitor = await visit(browser, service.url, { width: 1280 });
    const { page } = visitor;
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const found: string[] = [];
    let role: Role | undefined;
    for (const [index, scene] of scenes.entries()) {
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      if (scene.role !== role) {
        await page.context().clearCookies();
        await signIn(page, service.signInOf(scene.role));
        role = scene.role;
      }
      await page.goto(await scene.path());
      await page.locator(scene.shows).first().waitFor();
      await scene.prepare?.(page);
      const name = `${index} ${scene.role} ${page.url().replace(service.url, '')}`;
      for (const violation of await inEveryDress(page)) found.push(`${name}: ${violation}`);
      await page.setViewportSize({ width: 320, height: 800 });
      const pixels = await overflow(page);
      if (pixels > 0) found.push(`${name}: ${pixels} px too wide`);
      await page.setViewportSize({ width: 1280, height: 900 });
    }
    expect(found).toEqual([]);
    expect(visitor.complaints).toEqual([]);
  });
});
