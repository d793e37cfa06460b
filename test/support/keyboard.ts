import type { Page } from 'playwright-core';

/** Going through a page without a mouse, as a person does: Tab after Tab, until what is wanted has the focus. */

const asked = `(() => {
  const it = document.activeElement;
  if (it === document.body) return { id: '', name: '' };
  const labels = it.labels ? [...it.labels].map((each) => each.textContent).join(' ') : '';
  return { id: it.id, name: (it.getAttribute('aria-label') ?? (labels === '' ? it.textContent : labels)).trim() };
})()`;

/** The name of what has the focus: what a screen reader says of it. */
export async function focused(page: Page): Promise<string> {
  return (await page.evaluate<{ name: string }>(asked)).name;
}

export interface TabOptions {
  key?: 'Tab' | 'Shift+Tab';
  /** Stay where the focus is when that is what is wanted; otherwise the next of that name is looked for. */
  orStay?: boolean;
}

/** Presses Tab until the focus is on something with this name, or this id. */
export async function tabTo(page: Page, wanted: RegExp, { key = 'Tab', orStay = false }: TabOptions = {}): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < 200; presses += 1) {
    if (presses > 0 || !orStay) await page.keyboard.press(key);
    const { id, name } = await page.evaluate<{ id: string; name: string }>(asked);
    if (wanted.test(name) || wanted.test(id)) return;
    passed.push(name.slice(0, 40) || id);
  }
  throw new Error(`${String(wanted)} was not reached by ${key}; passed: ${passed.join(' | ')}`);
}

/** Goes there and presses it. */
export async function press(page: Page, wanted: RegExp, key: 'Enter' | 'Space' | 'ArrowRight' = 'Enter', options: TabOptions = {}): Promise<void> {
  await tabTo(page, wanted, options);
  await page.keyboard.press(key);
}
