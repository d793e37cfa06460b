import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildUi, launch, overflow, violations, visit, type Visit, type VisitOptions } from '../support/browser.js';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.js';
import { startTestService, type TestService } from '../support/service.js';

/** Single sign-on in a browser, where the provider is another site: a strict cookie has to hold after the way back. */

let provider: TestIdentityProvider;
let service: TestService;
let browser: Browser;
let visitor: Visit | undefined;

beforeAll(async () => {
  provider = await startIdentityProvider({ host: 'localhost' });
  const { issuer, clientId, clientSecret } = provider.settings;
  service = await startTestService({
    uiFolder: await buildUi(),
    env: { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret },
  });
  provider.redirectUri = `${service.url}/api/v1/session/oidc/callback`;
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
  await service.close();
  await provider.stop();
});
afterEach(async () => {
  await visitor?.context.close();
  visitor = undefined;
});

async function entrance(address = '/', options: VisitOptions = {}) {
  visitor = await visit(browser, service.url, options);
  await visitor.page.goto(address);
  await visitor.page.getByRole('link', { name: /^(Aanmelden via|Sign in with) localhost:/ }).waitFor();
  return visitor;
}

describe('signing in by the identity provider', () => {
  it('brings a person to the screen they wanted, signed in, after a reload too', async () => {
    provider.person = { subject: 'tess', email: service.signInOf('trainer').email, emailVerified: true };
    const { page, complaints } = await entrance('/collections');
    await page.getByRole('link', { name: /^Aanmelden via/ }).click();
    await page.getByRole('heading', { level: 1, name: 'Verzamelingen' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/collections');
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Verzamelingen' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it.each([
    ['nl', /^U hebt geen toegang tot Opname/, /afgebroken/],
    ['en', /^You have no access to Opname/, /broken off/],
  ] as const)('says in %s why somebody is not let in, and lets them sign in otherwise', async (language, unknown, cancelled) => {
    provider.person = undefined;
    const { page } = await entrance('/', { language });
    await page.getByRole('link', { name: /localhost:/ }).click();
    await page.getByRole('alert').filter({ hasText: cancelled }).waitFor();
    provider.person = { subject: 'stranger', email: 'stranger@example.test', emailVerified: true };
    await page.getByRole('link', { name: /localhost:/ }).click();
    await page.getByRole('alert').filter({ hasText: unknown }).waitFor();
    const { email, password } = service.signInOf('trainer');
    await page.locator('input[type=email]').fill(email);
    await page.locator('input[type=password]').fill(password);
    await page.keyboard.press('Enter');
    await page.locator('nav').first().waitFor();
    expect(new URL(page.url()).search).toBe('');
  });

  it.each([
    ['nl', 'light', 1440],
    ['en', 'dark', 320],
  ] as const)('shows an entrance without faults in %s, %s, %i px', async (language, theme, width) => {
    const { page } = await entrance('/?sign-in=unreachable', { language, theme, width });
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    if (process.env['SHOTS'] !== undefined) await page.screenshot({ path: `${process.env['SHOTS']}/entrance-${language}-${theme}-${width}.png` });
  });
});
