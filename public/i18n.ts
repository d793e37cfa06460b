import { signal } from '@preact/signals';
import { en } from './en.js';
import { nl } from './nl.js';

export type Language = 'nl' | 'en';
export type MessageKey = keyof typeof nl;

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;
type Values<Text extends string> = [Placeholders<Text>] extends [never]
  ? []
  : [values: Record<Placeholders<Text>, string | number>];
/** Keys whose text takes no values. */
export type PlainKey = {
  [Key in MessageKey]: [Placeholders<(typeof nl)[Key]>] extends [never] ? Key : never;
}[MessageKey];
/** The stem of keys that come as a pair `stem.one`, `stem.other`. */
export type PluralStem = MessageKey extends infer Key ? (Key extends `${infer Stem}.one` ? Stem : never) : never;

const chosenKey = 'opname.language';
const texts: Record<Language, Record<MessageKey, string>> = { nl, en };

/** The language of the screens. A component that reads it, or calls `t`, is drawn again when it changes. */
export const language = signal<Language>(globalThis.document?.documentElement.lang === 'en' ? 'en' : 'nl');

/** Switches the language of the screens; `remember` when the person chose it, not when their profile says so. */
export function chooseLanguage(next: Language, remember: boolean): void {
  language.value = next;
  document.documentElement.lang = next;
  if (remember) localStorage.setItem(chosenKey, next);
}

/** Whether a language was chosen on this device; until then the profile's language counts. */
export function languageWasChosen(): boolean {
  return localStorage.getItem(chosenKey) !== null;
}

function fill(text: string, values: Record<string, string | number> | undefined): string {
  return values === undefined
    ? text
    : text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The text of a key in the present language, with its placeholders filled. */
export function t<Key extends MessageKey>(key: Key, ...values: Values<(typeof nl)[Key]>): string {
  return fill(texts[language.value][key], values[0]);
}

/** The text of a key that is only known while running, such as one made from a server's code; undefined if none. */
export function textOf(key: string, values?: Record<string, string | number>): string | undefined {
  const found = texts[language.value][key as MessageKey] as string | undefined;
  return found === undefined ? undefined : fill(found, values);
}

/** The text for a count: `{count}` is filled, in the singular or plural form of the present language. */
export function plural(stem: PluralStem, count: number, values: Record<string, string | number> = {}): string {
  const form = new Intl.PluralRules(language.value).select(count) === 'one' ? 'one' : 'other';
  const key = `${stem}.${form}` as MessageKey;
  return fill(texts[language.value][key], { count: new Intl.NumberFormat(language.value).format(count), ...values });
}
