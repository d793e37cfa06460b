import type { Segment } from '../recordings/transcript-formats.js';
import type { ShownPiece } from '../tickets/read-ticket.js';
import { isOrder, type Answer } from './answer.js';
import type { DecisionRow, ItemRow } from './items.js';
import { escapeHtml } from './letter.js';
import { withoutPassages } from './passages.js';
import { dateIn, momentIn, nameOf } from './words.js';

/** The pages beside the first one of a package: a ticket, what was said, what was written about somebody's work. */

const style = `:root{color-scheme:light dark;--text:#1b2430;--bg:#fff;--muted:#4d5a6b;--link:#0b5cad;--line:#7a8594;--surface:#f5f6f8}
body{font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--bg);max-width:64rem;margin:2rem auto;padding:0 1rem;overflow-wrap:break-word}
h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.2rem;margin:2rem 0 .5rem}a{color:var(--link)}small{color:var(--muted)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.5rem .6rem;border-bottom:1px solid var(--line)}
thead th{background:var(--surface)}audio{width:17rem;max-width:100%}article{border-top:1px solid var(--line);margin-top:1rem}pre{white-space:pre-wrap;font:inherit}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{color:var(--muted)}dd{margin:0}
@media(max-width:40rem){thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}table,tbody,tr,td{display:block}
tr{border-bottom:1px solid var(--line);padding:.5rem 0}td{border:0;padding:.25rem 0}td[data-head]:not(:empty)::before{content:attr(data-head);display:block;color:var(--muted);font-size:.875rem}}
@media(prefers-color-scheme:dark){:root{--text:#e8edf3;--bg:#12171e;--muted:#aab6c4;--link:#7fb8ff;--line:#728092;--surface:#1b222c}}
@media print{body{margin:0;max-width:none}audio{display:none}}`;

/** A page of a package, without script and without anything from elsewhere: what stands before its body, and after. */
export const pageStart = (locale: string, title: string) => `<!doctype html>
<html lang="${locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${style}</style></head><body><main>
`;
export const pageEnd = '\n</main></body></html>\n';

export const page = (locale: string, title: string, body: string) => `${pageStart(locale, title)}${body}${pageEnd}`;

/** A table; on a narrow screen each row becomes a list in which a cell says what it is of. Heads and cells are HTML. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  `${tableStart(head)}${rows.map((cells) => tableRow(head, cells)).join('\n')}${tableEnd}`;

export const tableStart = (head: readonly string[]) =>
  `<table role="table"><thead role="rowgroup"><tr role="row">${head.map((cell) => `<th role="columnheader" scope="col">${cell}</th>`).join('')}</tr></thead>
<tbody role="rowgroup">`;
export const tableRow = (head: readonly string[], cells: readonly string[]) =>
  `<tr role="row">${cells.map((cell, column) => `<td role="cell" data-head="${head[column] ?? ''}">${cell}</td>`).join('')}</tr>`;
export const tableEnd = '</tbody></table>';

const back = (told: (nl: string, en: string) => string, href: string) => `<p><a href="${href}">${told('Overzicht', 'Overview')}</a></p>`;

/** A ticket with its messages. Only the words: what a message brought along in mark-up or pictures loads nothing here. */
export function ticketPage(
  answer: Answer,
  item: ItemRow,
  { messages, attachments, decision }: {
    messages: readonly ShownPiece[]; attachments: readonly { name: string; path: string | null }[]; decision: Pick<DecisionRow, 'passages'>;
  },
  timeZone: string,
): string {
  const { locale } = answer.request;
  const told = (nl: string, en: string) => escapeHtml(locale === 'nl' ? nl : en);
  const title = nameOf(item, locale, timeZone);
  const articles = messages.map((piece) => {
    const who = piece.sender === 'customer' ? (isOrder(answer) ? told('Klant', 'Customer') : told('U', 'You')) : told('Medewerker', 'Staff');
    const note = piece.internal === true ? ` (${told('interne notitie', 'internal note')})` : '';
    const words = withoutPassages(piece.id, piece.body_text ?? '', decision.passages, locale);
    const text = words === undefined ? `<p>${told('Dit bericht is weggelaten.', 'This message has been left out.')}</p>` : `<pre>${escapeHtml(words)}</pre>`;
    return `<article><h2>${who}${note}, ${escapeHtml(momentIn(piece.said_at ?? piece.supplied_at, locale, timeZone))}</h2>${text}</article>`;
  });
  const files = attachments.map(({ name, path }) =>
    path === null
      ? `<li>${escapeHtml(name)}: ${told('niet bijgevoegd', 'not included')}</li>`
      : `<li><a href="${escapeHtml(path.replace('data/tickets/', ''))}">${escapeHtml(name)}</a></li>`,
  );
  return page(locale, title, `${back(told, '../../index.html')}
<h1>${escapeHtml(title)}</h1><p>${escapeHtml(item.subject ?? '')}</p>
${articles.join('\n')}
${files.length === 0 ? '' : `<h2>${told('Bijlagen', 'Attachments')}</h2><ul>${files.join('')}</ul>`}`);
}

const stamp = (ms: number) => `${Math.floor(ms / 60_000)}:${String(Math.floor((ms % 60_000) / 1000)).padStart(2, '0')}`;

/** What was said in a call, by minutes and seconds of the copy beside it. */
export function transcriptPage(
  { request: { locale } }: Answer,
  item: ItemRow,
  { segments, language, isShortened }: { segments: readonly Segment[]; language: string; isShortened: boolean },
  timeZone: string,
): string {
  const told = (nl: string, en: string) => escapeHtml(locale === 'nl' ? nl : en);
  const title = nameOf(item, locale, timeZone);
  const speakers = { caller: told('Beller', 'Caller'), agent: told('Medewerker', 'Staff') };
  const lines = segments.map(
    ({ startMs, speaker, text }) => `<p lang="${escapeHtml(language)}"><small>${stamp(startMs)}${speaker === null ? '' : ` ${speakers[speaker]}`}</small><br>${escapeHtml(text)}</p>`,
  );
  return page(locale, title, `${back(told, '../../index.html')}
<h1>${escapeHtml(title)}</h1><p>${told('Wat er is gezegd, zoals het is opgeschreven.', 'What was said, as it was written down.')}
${isShortened ? told('Wat anderen zeiden is weggelaten.', 'What others said has been left out.') : ''}</p>
${lines.join('\n')}`);
}

/** What was written about the work of an employee who asks about themselves. */
export function workPage({ request: { locale }, work }: Answer, timeZone: string): string {
  const told = (nl: string, en: string) => escapeHtml(locale === 'nl' ? nl : en);
  const date = (at: Date) => escapeHtml(dateIn(at, locale, timeZone));
  const evaluations = (work?.evaluations ?? []).map(({ at, scorecard, score, answers, notes, summary, response }) => {
    const rows = answers.map(({ question, answer, note }) => [escapeHtml(question), escapeHtml(answer), escapeHtml(note ?? '')]);
    const texts = [...notes, ...(summary === null ? [] : [summary])].map((text) => `<p>${escapeHtml(text)}</p>`);
    const yours = response === null ? '' : `<p>${told('Uw reactie', 'Your response')}: ${escapeHtml(response)}</p>`;
    return `<article><h3>${date(at)}: ${escapeHtml(scorecard)}${score === null ? '' : `, ${score.toFixed(0)}`}</h3>
${table([told('Vraag', 'Question'), told('Antwoord', 'Answer'), told('Toelichting', 'Note')], rows)}${texts.join('')}${yours}</article>`;
  });
  const outcomes = (work?.outcomes ?? []).map(({ at, score }) => `<li>${date(at)}: ${score === null ? '' : score.toFixed(0)}</li>`);
  const comments = (work?.comments ?? []).map(({ at, role, text }) =>
    `<li>${date(at)} (${role === 'agent' ? told('medewerker', 'agent') : told('trainer', 'trainer')}): ${escapeHtml(text)}</li>`);
  const samples = (work?.samples ?? []).map(({ at, size }) => `<li>${date(at)}: ${size}</li>`);
  const part = (heading: string, items: readonly string[]) => (items.length === 0 ? '' : `<h2>${heading}</h2><ul>${items.join('')}</ul>`);
  const title = locale === 'nl' ? 'Over uw werk' : 'About your work';
  return page(locale, title, `${back(told, '../index.html')}<h1>${escapeHtml(title)}</h1>
${evaluations.length === 0 ? '' : `<h2>${told('Beoordelingen', 'Evaluations')}</h2>${evaluations.join('\n')}`}
${part(told('Uitkomsten waarvan de opname al is verwijderd', 'Outcomes whose recording is deleted already'), outcomes)}
${part(told('Opmerkingen bij uw gesprekken', 'Comments on your calls'), comments)}
${part(told('Steekproeven uit uw gesprekken (aantal)', 'Samples of your calls (number)'), samples)}`);
}
