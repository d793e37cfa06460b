// @vitest-environment happy-dom
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { en } from '../../public/en.js';
import { chooseLanguage, plural, t } from '../../public/i18n.js';
import { nl } from '../../public/nl.js';

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();

describe('the texts of the screens', () => {
  it('have the same keys in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(nl).sort());
  });

  it('have the same placeholders in both languages', () => {
    for (const [key, text] of Object.entries(nl)) {
      expect({ key, placeholders: placeholders(en[key as keyof typeof nl]) }).toEqual({
        key,
        placeholders: placeholders(text),
      });
    }
  });

  it('are nowhere empty', () => {
    for (const texts of [nl, en])
      for (const [key, text] of Object.entries(texts)) expect(text.trim(), key).not.toBe('');
  });

  it('come in pairs where they are counted', () => {
    const keys = new Set(Object.keys(nl));
    for (const key of keys) {
      if (key.endsWith('.one')) expect(keys).toContain(key.replace(/\.one$/, '.other'));
    }
  });

  it('do not collide between screens', async () => {
    const folder = path.resolve(import.meta.dirname, '../../public');
    const screens = readdirSync(folder).filter((name) => existsSync(path.join(folder, name, 'nl.ts')));
    let count = 0;
    for (const screen of screens) {
      const texts = (await import(`../../public/${screen}/nl.ts`)) as Record<string, Record<string, string>>;
      for (const part of Object.values(texts)) count += Object.keys(part).length;
    }
    expect(Object.keys(nl)).toHaveLength(count);
  });

  it('fill their placeholders, count in words, and follow the chosen language', () => {
    chooseLanguage('nl', false);
    expect(t('player.position', { position: 3, count: 24 })).toBe('3 van 24');
    expect(plural('retention.days', 1)).toBe('Verwijderd over 1 dag');
    expect(plural('retention.days', 12)).toBe('Verwijderd over 12 dagen');
    chooseLanguage('en', false);
    expect(plural('retention.days', 12)).toBe('Deleted in 12 days');
    expect(document.documentElement.lang).toBe('en');
  });
});
