import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { safeHtml } from '../../src/tickets/html.js';
import { speechLike } from '../support/audio.js';
import { audioFacts, buildUi, inEveryDress, launch, overflow, signIn, visit, type Visit } from '../support/browser.js';
import { startTestService, type TestService } from '../support/service.js';

/** A ticket as the officer and the trainer meet it: its thread, the calls beside it, and what leaves the browser. */

let service: TestService;
let browser: Browser;
let visitor: Visit | undefined;
let ticketId: string;
const calls: string[] = [];

/** What parsers of mark-up were fooled with: read one way by who sanitises it, another way by who shows it. */
const misread = [
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=run()&gt;">',
  '<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=run()>',
  '<svg></p><style><a id="</style><img src=1 onerror=run()>">', '<noscript><p title="</noscript><img src=x onerror=run()>">',
  '<a href="https://x.example" x="`"><b title="`><img src=x onerror=run()>">', '<xmp><p title="</xmp><img src=x onerror=run()>">',
  '<plaintext><img src=x onerror=run()>', '<noembed><img title="</noembed><img src=x onerror=run()>"></noembed>',
  '<textarea><p title="</textarea><img src=x onerror=run()>">', '<select><style></select><img src=x onerror=run()></style>',
  '<!--><img src=x onerror=run()>-->', '<!--!><img src=x onerror=run()>', '<![CDATA[<img src=x onerror=run()>]]>', '<?xml <img src=x onerror=run()>?>',
  '<a href="&#x6a;avascript:run()">a</a><a href="java\tscript:run()">b</a><a href=" javascript:run()">c</a><a href="\u0001javascript:run()">d</a>',
  '<a href="data:text/html,x">a</a><a href="vbscript:x">b</a><a href="//x.example">c</a><a href="/api/v1/session">d</a><a href="blob:x">e</a>',
  '<button formaction="javascript:run()">x</button><details ontoggle=run() open><marquee onstart=run()>x', '<b style="position:fixed;inset:0" id=config name=cookie class=button>x</b>',
  '<iframe srcdoc="<script>run()</script>"></iframe><portal src=x><template><img src=x onerror=run()></template>', '<td colspan="1" onclick=run() background=x>x</td>',
  '<a href="https://x.example" target=_top ping="https://x.example" download>x</a>', '<ol start="1" type="javascript:run()"><li value=x style=x>x', '<img/src="x"/onerror=run()>', '<scr<script>ipt>run()</scr</script>ipt>',
];

/** A message that tries to have something loaded or run, in every way a mail program lets through. */
const hostile = `<p>Beste <b>mensen</b>, zie <a href="https://volg.example/link">hier</a>.</p>
  <img src="https://volg.example/pixel.gif" width=1 height=1><img srcset="https://volg.example/2x.gif 2x" src="cid:x">
  <p style="background:url(https://volg.example/style.gif)">met stijl</p><style>@import "https://volg.example/a.css"; p { color: red }</style>
  <link rel="stylesheet" href="https://volg.example/b.css"><link rel="prefetch" href="https://volg.example/prefetch">
  <iframe src="https://volg.example/frame"></iframe><object data="https://volg.example/object"></object><embed src="https://volg.example/embed">
  <video poster="https://volg.example/poster.gif" src="https://volg.example/v.mp4" autoplay></video><audio src="https://volg.example/a.mp3" autoplay></audio>
  <svg><image href="https://volg.example/svg.gif"/><script>fetch('https://volg.example/svg')</script></svg>
  <script>fetch('https://volg.example/script')</script><img src=x onerror="fetch('https://volg.example/onerror')">
  <form action="https://volg.example/form"><input type="image" src="https://volg.example/input.gif"></form>
  <table background="https://volg.example/table.gif"><tr><td>Maart</td><td>39,50</td></tr></table>
  <base href="https://volg.example/"><meta http-equiv="refresh" content="0;url=https://volg.example/meta">`;

/** Names of elements, and of attributes. */
const allowed = [
  'a abbr b blockquote br caption cite code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i ins li ol p pre q s small span strong sub sup table tbody td tfoot th thead tr u ul',
  'href rel target colspan rowspan scope start',
];

beforeAll(async () => {
  service = await startTestService({ uiFolder: await buildUi() });
  browser = await launch();
  const now = service.clock.now().getTime();
  const helpdesk = service.machine(service.helpdeskKey);
  const told = await helpdesk
    .put('/api/v1/tickets/by-external/t1')
    .send({
      number: '48300',
      subject: 'Factuur klopt niet',
      requester: { name: 'Zoë van der Berg', email: 'zoe@example.nl', phone: '0612345670' },
      createdAt: new Date(now - 4 * 3_600_000).toISOString(),
      messages: [
        { externalId: 'm1', at: new Date(now - 4 * 3_600_000).toISOString(), from: 'customer', contentType: 'text/html', body: hostile },
        { externalId: 'm2', at: new Date(now - 3_600_000).toISOString(), from: 'agent', internal: true, body: 'Nagebeld.' },
      ],
    })
    .expect(201);
  ticketId = (told.body as { id: string }).id;
  await helpdesk
    .post('/api/v1/tickets/by-external/t1/attachments')
    .field({ message: 'm1' })
    .attach('file', Buffer.from('%PDF'), 'factuur.pdf')
    .expect(201);
  for (const index of [0, 1]) {
    const startedAt = new Date(now - (index + 1) * 3_600_000).toISOString();
    const audio = speechLike({ seconds: 30, seed: index + 1 });
    calls.push(await service.push({ agent: '101', startedAt, caller: '+31612345670', callerName: 'Zoë van der Berg', ticket: '48300' }, audio));
  }
  for (const id of calls) await service.processed(id);
});

afterAll(async () => {
  await browser.close();
  await service.close();
});

afterEach(async () => {
  await visitor?.context.close();
  visitor = undefined;
});

async function open(role: 'trainer' | 'privacy_officer' | 'administrator', width = 1440): Promise<Page> {
  visitor = await visit(browser, service.url, { width });
  await signIn(visitor.page, service.signInOf(role), `/tickets/${ticketId}`);
  return visitor.page;
}

/** Asks again and again: everything in a browser takes its time, more so on a busy machine. */
const soon = <Value>(ask: () => Value | Promise<Value>) => expect.poll(ask, { interval: 50, timeout: 30_000 });
const players = (page: Page) => page.locator('.mini-player');
const play = (page: Page, index: number) => players(page).nth(index).getByRole('button', { name: 'Afspelen', exact: true });
const pause = (page: Page, index: number) => players(page).nth(index).getByRole('button', { name: 'Pauzeren', exact: true });
const listens = (purpose: string) =>
  service.service.platform.database.query<{ id: string }>('SELECT id FROM listens WHERE purpose = $1', [purpose]);

describe('a message of a ticket', () => {
  it('is shown with its mark-up, and nothing of it is loaded or run', async () => {
    visitor = await visit(browser, service.url);
    const { page } = visitor;
    const elsewhere: string[] = [];
    await visitor.context.route(
      (url) => url.origin !== service.url,
      (route) => {
        elsewhere.push(route.request().url());
        return route.abort();
      },
    );
    await signIn(page, service.signInOf('privacy_officer'), `/tickets/${ticketId}`);
    const message = page.locator('.message-html');
    await message.getByText('mensen').waitFor();
    expect(await message.locator('b').textContent()).toBe('mensen');
    expect(await message.locator('td').allTextContents()).toEqual(['Maart', '39,50']);
    expect(await message.locator('img, style, link, iframe, object, embed, video, audio, svg, script, form, input, base, meta, [style], [onerror], [background]').count()).toBe(0);
    const link = message.getByRole('link', { name: 'hier' });
    expect([await link.getAttribute('target'), await link.getAttribute('rel')]).toEqual(['_blank', 'noopener noreferrer nofollow']);
    await page.getByText(/3 afbeeldingen weggelaten/).waitFor();
    await page.waitForLoadState('networkidle');
    expect(elsewhere).toEqual([]);
    expect(visitor.complaints).toEqual([]);
    // The net catches what is loaded: else it would prove nothing.
    await page.evaluate(`document.body.append(Object.assign(new Image(), { src: 'https://volg.example/net.gif' }))`);
    await soon(() => elsewhere.length + (visitor?.complaints.length ?? 0)).toBeGreaterThan(0);
  });

  it('holds nothing but words, tables and links, however the browser reads what was made safe', async () => {
    visitor = await visit(browser, service.url);
    const { page } = visitor;
    await page.goto('about:blank');
    const found = await page.evaluate<string[]>(`(() => {
      const [tags, attributes] = ${JSON.stringify(allowed)}.map((names) => names.split(' '));
      window.run = () => { window.ran = true; };
      return ${JSON.stringify(misread.map(safeHtml))}.flatMap((html) => {
        const shown = document.createElement('div');
        document.body.append(shown);
        shown.innerHTML = html;
        return [...shown.querySelectorAll('*')].flatMap((element) => [
          ...(tags.includes(element.localName) && element.namespaceURI.endsWith('xhtml') ? [] : [element.outerHTML]),
          ...[...element.attributes].filter(({ name, value }) => !attributes.includes(name) || (name === 'href' && !/^(https?|mailto|tel):/.test(value)) || (name === 'target' && value !== '_blank')).map(({ name, value }) => name + '=' + value),
        ]);
      });
    })()`);
    expect(found).toEqual([]);
    await page.waitForTimeout(300);
    expect(await page.evaluate('window.ran === true')).toBe(false);
  });

  it('says until when it and what came with it are kept', async () => {
    const page = await open('privacy_officer');
    const first = page.locator('.message').first();
    await first.getByRole('link', { name: 'factuur.pdf' }).waitFor();
    expect(await first.getByText(/Bewaard tot/).count()).toBe(2);
  });
});

describe('a call beside its ticket', () => {
  it('is heard by an officer who said what for, one at a time, on the record', async () => {
    const page = await open('privacy_officer');
    await play(page, 0).click();
    expect(await audioFacts(page)).toBeUndefined();
    await page.getByText('Verzoek van een betrokkene').click();
    await page.getByRole('button', { name: 'Luisteren' }).click();
    await soon(async () => (await audioFacts(page))?.currentTime ?? 0).toBeGreaterThan(0.5);
    await page.getByText('Doel: Verzoek van een betrokkene').waitFor();
    await soon(async () => (await listens('access_request')).length).toBe(1);

    await play(page, 1).click();
    await page.getByRole('button', { name: 'Luisteren' }).click();
    await pause(page, 1).waitFor();
    await play(page, 0).waitFor();
    await soon(async () => (await listens('access_request')).length).toBe(2);
    // What is shorter than the player's clock ticks is not told as heard.
    await soon(async () => (await audioFacts(page))?.currentTime ?? 0).toBeGreaterThan(0.5);
    await pause(page, 1).click();
    const heard = () =>
      service.service.platform.database.query<{ count: number }>(`SELECT count(*) AS count FROM listens WHERE last_heard_at IS NOT NULL`);
    await soon(async () => (await heard())[0]?.count).toBe(2);
    expect(visitor?.complaints).toEqual([]);
  });

  it('is heard by a trainer for training, who reads nothing of the ticket', async () => {
    const page = await open('trainer');
    await page.getByText('2 berichten, 1 van de klant · 1 bijlage').waitFor();
    await page.getByText('••• 670').first().waitFor();
    expect(await page.locator('main').textContent()).not.toMatch(/Zoë|mensen|Factuur|zoe@/);
    await play(page, 0).click();
    await soon(async () => (await audioFacts(page))?.currentTime ?? 0).toBeGreaterThan(0.5);
    await soon(async () => (await listens('training')).length).toBe(1);
  });

  it('is nothing for an administrator', async () => {
    const page = await open('administrator');
    await page.locator('main h1').waitFor();
    expect(await players(page).count()).toBe(0);
  });

  it('is linked and taken apart with a reason, by the keyboard alone', async () => {
    const page = await open('privacy_officer');
    await page.getByRole('button', { name: /ontkoppelen$/ }).first().focus();
    await page.keyboard.press('Enter');
    await page.locator('#unlink-reason').fill('Ander gesprek');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await soon(() => players(page).count()).toBe(1);
    await page.getByRole('button', { name: 'Zelf koppelen' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('#link-recording').fill(`${service.url}/recordings/${calls[0] ?? ''}`);
    await page.keyboard.press('Tab');
    await page.keyboard.type('Toch hetzelfde');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await soon(() => players(page).count()).toBe(2);
    await page.getByText('Toch hetzelfde').waitFor();
    await page.getByText(/Gekoppeld op: met de hand, door /).waitFor();
  });
});

describe('a request in a ticket', () => {
  it('is told to the officer with one click', async () => {
    const page = await open('trainer');
    await page.getByRole('button', { name: 'Inzage', exact: true }).click();
    await page.locator('.ticket-flagged').getByText(/Inzage/).waitFor();
    const [request] = await service.service.platform.database.query<{ origin: string; id: string; right: string }>(
      `SELECT r.origin_kind AS origin, r.origin_id AS id, p."right" FROM privacy_requests r JOIN privacy_processes p ON p.request_id = r.id`,
    );
    expect(request).toEqual({ origin: 'ticket', id: ticketId, right: 'access' });
  });
});

describe('the screen of a ticket', () => {
  it.each(['privacy_officer', 'trainer'] as const)('has no fault that axe finds, and fits a narrow window: %s', async (role) => {
    const page = await open(role);
    await players(page).first().waitFor();
    expect(await inEveryDress(page)).toEqual([]);
    await page.setViewportSize({ width: 320, height: 800 });
    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });
});
