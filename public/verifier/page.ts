import { checkPackage, type Report } from '../../src/packages/verifier/check.js';
import type { PackageFiles } from '../../src/packages/verifier/examination.js';
import { verdictBy } from '../../src/packages/verifier/verdict.js';
import { dropped, packageOf } from './chosen.js';
import { words, type Language } from './words.js';

/** The offline verifier's page: plain DOM, since all of it lies in one file in every package. */

function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`The page has no ${id}`);
  return element;
}

const result = byId('result', HTMLElement);
const progress = byId('progress', HTMLElement);
const fingerprintField = byId('fingerprint', HTMLInputElement);
const drop = byId('drop', HTMLElement);
const trustedKeyIds = JSON.parse(byId('trusted', HTMLElement).textContent) as string[];

/** Dutch first, whatever the machine speaks: this is read beside Dutch papers. */
let language: Language = 'nl';
let files: PackageFiles | undefined;
let report: Report | undefined;
const urls: string[] = [];

function make(tag: string, text = '', className = ''): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className !== '') element.className = className;
  return element;
}

function showWords(): void {
  const say = words[language];
  document.documentElement.lang = language;
  document.title = say.title;
  for (const [id, text] of Object.entries({
    title: say.title, intro: say.intro, 'file-label': say.file, 'folder-label': say.folder, 'drop-hint': say.hint,
    'fingerprint-label': say.fingerprint, claim: say.claim,
  }))
    byId(id, HTMLElement).textContent = text;
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-language]'))
    button.setAttribute('aria-pressed', String(button.dataset['language'] === language));
  if (report !== undefined) showReport(report);
}

const marks = { unchanged: '✔', unknown_sender: '?', changed: '✘' };

function showReport(found: Report): void {
  const say = words[language];
  const verdict = verdictBy(found, fingerprintField.value);
  for (const url of urls.splice(0)) URL.revokeObjectURL(url);
  const heading = make('h2', '', `verdict ${verdict}`);
  const mark = make('span', marks[verdict]);
  mark.setAttribute('aria-hidden', 'true');
  heading.append(mark, make('span', say.verdicts[verdict]));
  heading.dataset['verdict'] = verdict;
  const other = language === 'nl' ? 'en' : 'nl';
  const translated = make('p', words[other].verdicts[verdict]);
  translated.lang = other;
  result.replaceChildren(heading, translated);
  if (verdict === 'unknown_sender') result.append(make('p', say.unknownHint));
  // Nobody is to take for proven what is only said.
  if (verdict !== 'changed' && found.recordings.some(({ provenAt }) => provenAt === null)) result.append(make('p', say.unproven));
  const named = found.faults.map(({ what, path }) => (path === null ? say.what[what] : `${say.what[what]}: ${path}`));
  if (named.length > 0) result.append(listOf(named));
  if (found.missing.length > 0) result.append(make('p', say.incomplete), listOf(found.missing));
  if (found.ignored.length > 0) result.append(make('p', say.ignored), listOf(found.ignored));
  result.append(
    facts([
      [say.reference, found.reference ?? '–'],
      [say.sealedAt, moment(found.sealedAt)],
      [say.key, found.fingerprint === null ? '–' : `${found.fingerprint} (SHA-256: ${found.keyId ?? ''})`],
      [say.files, String(found.files)],
      [say.timeStamp, found.timeStamped ? say.timeStampYes : say.timeStampNo],
    ]),
    make('p', say.compare),
  );
  let players = 0;
  found.recordings.forEach((recording, index) => {
    result.append(
      make('h3', say.recording(index + 1)),
      facts([
        [say.received, moment(recording.receivedAt)],
        [say.proven, recording.provenAt === null ? say.notProven : moment(recording.provenAt)],
        [say.receiptStamp, recording.stamps > 0 ? say.timeStampYes : say.timeStampNo],
        [say.custody, String(recording.custodyEntries)],
      ]),
    );
    if (recording.audio.some((path) => path.includes('/derived/'))) result.append(make('p', say.derived));
    for (const path of recording.audio) {
      players += 1;
      addPlayer(path, players <= mostAtOnce);
    }
  });
  result.hidden = false;
}

/** Beyond this many, audio is read only when somebody wants to hear it: a package may hold hours of it. */
const mostAtOnce = 12;

/** What was changed may still be listened to: the verdict stands above it. */
function addPlayer(path: string, atOnce: boolean): void {
  const place = make('div');
  place.append(make('p', path));
  result.append(place);
  if (atOnce) {
    void load(path, place);
    return;
  }
  const button = make('button', words[language].listen);
  button.setAttribute('type', 'button');
  button.setAttribute('aria-label', `${words[language].listen}: ${path}`);
  button.addEventListener('click', () => {
    button.remove();
    void load(path, place).then((audio) => audio?.focus());
  });
  place.append(button);
}

async function load(path: string, place: HTMLElement): Promise<HTMLAudioElement | undefined> {
  // A file that cannot be read has been named above.
  const bytes = await files?.get(path)?.read().catch(() => undefined);
  if (bytes === undefined || !place.isConnected) return undefined;
  const url = URL.createObjectURL(new Blob([bytes], { type: path.endsWith('.wav') ? 'audio/wav' : '' }));
  urls.push(url);
  const audio = document.createElement('audio');
  audio.controls = true;
  audio.preload = 'metadata';
  audio.addEventListener('error', () => place.append(make('p', words[language].unplayable)), { once: true });
  audio.src = url;
  audio.setAttribute('aria-label', path);
  place.append(audio);
  return audio;
}

function listOf(lines: readonly string[]): HTMLElement {
  const list = make('ul');
  list.append(...lines.map((line) => make('li', line)));
  return list;
}

function facts(pairs: readonly (readonly [string, string])[]): HTMLElement {
  const list = make('dl');
  for (const [name, value] of pairs) list.append(make('dt', name), make('dd', value));
  return list;
}

function moment(instant: string | null): string {
  if (instant === null || Number.isNaN(Date.parse(instant))) return '–';
  return new Intl.DateTimeFormat(language === 'nl' ? 'nl-NL' : 'en-GB', { dateStyle: 'long', timeStyle: 'medium', timeZone: 'Europe/Amsterdam' }).format(new Date(instant));
}

/** Counts what was chosen: a check that is overtaken by the next says nothing any more. */
let round = 0;

async function check(choose: () => Promise<{ path: string; file: File }[]>): Promise<void> {
  round += 1;
  const mine = round;
  result.hidden = true;
  report = undefined;
  tell('');
  try {
    const chosen = await packageOf(await choose());
    const found = await checkPackage(chosen, {
      trustedKeyIds,
      onProgress: (done, total) => {
        if (mine === round) tell(words[language].checking(total === 0 ? 100 : Math.floor((100 * done) / total)));
      },
    });
    if (mine !== round) return;
    tell('');
    files = chosen;
    report = found;
    showReport(report);
  } catch (error) {
    if (mine === round) tell(`${words[language].unreadable} (${error instanceof Error ? error.message : '?'})`);
  }
}

function tell(text: string): void {
  if (progress.textContent !== text) progress.textContent = text;
}

const chosenIn = (field: HTMLInputElement) => async () =>
  [...(field.files ?? [])].map((file) => ({ path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath, file }));

for (const id of ['file', 'folder']) {
  const field = byId(id, HTMLInputElement);
  field.addEventListener('change', () => void check(chosenIn(field)));
}
drop.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
drop.addEventListener('dragleave', () => drop.classList.remove('over'));
drop.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  const items = event.dataTransfer?.items;
  if (items !== undefined) {
    const files = dropped(items);
    void check(() => files);
  }
});
fingerprintField.addEventListener('input', () => {
  if (report !== undefined) showReport(report);
});
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-language]'))
  button.addEventListener('click', () => {
    language = button.dataset['language'] === 'en' ? 'en' : 'nl';
    showWords();
  });
showWords();
