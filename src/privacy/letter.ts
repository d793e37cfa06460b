import PdfDocument from 'pdfkit';
import type { Answer } from './answer.js';
import { referenceOf } from './request.js';
import { dateIn, remediesIn } from './words.js';

/** A letter, as HTML and as PDF, of the same text: headings, paragraphs and lists. */

export type Block = { kind: 'heading' | 'paragraph'; text: string } | { kind: 'list'; items: string[] };

/** Reads the text of a letter: `## ` begins a heading, `- ` an item of a list, an empty line ends a paragraph. */
export function readBlocks(text: string): Block[] {
  return text
    .replaceAll('\r\n', '\n')
    .split(/\n\s*\n/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part): Block => {
      if (part.startsWith('## ')) return { kind: 'heading', text: part.slice(3).trim() };
      const lines = part.split('\n');
      if (lines.every((line) => line.startsWith('- '))) return { kind: 'list', items: lines.map((line) => line.slice(2).trim()) };
      return { kind: 'paragraph', text: part };
    });
}

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');

interface Head {
  sender: string[];
  addressee: string[];
  date: string;
  subject: string;
  salutation: string;
  ending: string;
}

/** To whom it goes: whoever represents the person, where there is a mandate. */
function headOf({ request, subject, organisation, at }: Answer, timeZone: string): Head {
  const { locale } = request;
  const to = subject.representative ?? subject;
  const lines = (text: string | null) => (text ?? '').split(/\n|,\s*/).map((line) => line.trim()).filter((line) => line !== '');
  const about = locale === 'nl' ? 'Antwoord op uw verzoek' : 'Answer to your request';
  return {
    sender: [organisation.controller, ...lines(organisation.address)].filter((line) => line !== ''),
    addressee: [to.name ?? '', ...lines(to.address)].filter((line) => line !== ''),
    date: dateIn(at, locale, timeZone),
    subject: `${about} ${referenceOf(request)}`,
    salutation: locale === 'nl' ? `Geachte ${to.name ?? 'heer of mevrouw'},` : `Dear ${to.name ?? 'Sir or Madam'},`,
    ending: locale === 'nl' ? 'Met vriendelijke groet,' : 'Yours sincerely,',
  };
}

/** Everything below the salutation: the officer's text, and what the law wants in every answer. */
const blocksOf = (answer: Answer, text: string) => readBlocks(`${text}\n\n${remediesIn(answer, answer.request.locale)}`);

const style = `body{font:16px/1.5 system-ui,sans-serif;color:#1b2430;background:#fff;max-width:42rem;margin:2rem auto;padding:0 1rem}
address{font-style:normal;white-space:pre-line;margin:0 0 1.5rem}h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.5rem 0 .5rem}
@media print{body{margin:0;max-width:none}}`;

function htmlOf(block: Block): string {
  if (block.kind === 'heading') return `<h2>${escapeHtml(block.text)}</h2>`;
  if (block.kind === 'list') return `<ul>${block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
  return `<p>${escapeHtml(block.text).replaceAll('\n', '<br>')}</p>`;
}

/** The letter as one page that needs nothing from elsewhere. */
export function letterHtml(answer: Answer, text: string, timeZone: string): string {
  const head = headOf(answer, timeZone);
  return `<!doctype html>
<html lang="${answer.request.locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(head.subject)}</title><style>${style}</style></head><body>
<address>${escapeHtml(head.sender.join('\n'))}</address>
<address>${escapeHtml(head.addressee.join('\n'))}</address>
<p>${escapeHtml(head.date)}</p>
<main><h1>${escapeHtml(head.subject)}</h1>
<p>${escapeHtml(head.salutation)}</p>
${blocksOf(answer, text).map(htmlOf).join('\n')}
<p>${escapeHtml(head.ending)}</p><p>${escapeHtml(answer.organisation.controller)}</p></main>
</body></html>
`;
}

/** Characters that the fonts every PDF reader has (WinAnsi) can show; others are written as near as they come. */
function printable(text: string): string {
  return [...text.normalize('NFC')]
    .map((character) =>
      /[\n\x20-\x7e\xa0-\xff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]/.test(character) ? character : (character.normalize('NFKD').match(/[\x20-\x7e]/g)?.join('') ?? '?'),
    )
    .join('');
}

/** The letter as a PDF of A4 pages, with title and language, numbered. */
export function letterPdf(answer: Answer, text: string, timeZone: string): Promise<Buffer> {
  const head = headOf(answer, timeZone);
  const { locale } = answer.request;
  const document = new PdfDocument({
    size: 'A4', margins: { top: 70, bottom: 70, left: 70, right: 70 }, bufferPages: true, lang: locale === 'nl' ? 'nl-NL' : 'en-GB',
    displayTitle: true, info: { Title: head.subject, Author: answer.organisation.controller, CreationDate: answer.at, ModDate: answer.at },
  });
  const chunks: Buffer[] = [];
  const done = new Promise<Buffer>((resolve, reject) => {
    document.on('data', (chunk: Buffer) => chunks.push(chunk));
    document.on('end', () => resolve(Buffer.concat(chunks)));
    document.on('error', reject);
  });
  const plain = (line: string) => document.font('Helvetica').fontSize(10.5).text(printable(line), { lineGap: 2 });
  const bold = (line: string, size: number) => document.font('Helvetica-Bold').fontSize(size).text(printable(line));
  for (const line of head.sender) plain(line);
  document.moveDown(2);
  for (const line of head.addressee) plain(line);
  document.moveDown(2);
  plain(head.date);
  document.moveDown();
  bold(head.subject, 13);
  document.moveDown();
  plain(head.salutation);
  document.moveDown();
  for (const block of blocksOf(answer, text)) {
    if (block.kind === 'heading') bold(block.text, 11.5);
    else if (block.kind === 'list')
      document.font('Helvetica').fontSize(10.5).list(block.items.map(printable), { bulletRadius: 1.8, textIndent: 12, lineGap: 2 });
    else plain(block.text);
    document.moveDown(block.kind === 'heading' ? 0.4 : 0.8);
  }
  plain(head.ending);
  document.moveDown();
  plain(answer.organisation.controller);
  const { count } = document.bufferedPageRange();
  for (let page = 0; page < count; page += 1) {
    document.switchToPage(page);
    document.page.margins.bottom = 0;
    document.font('Helvetica').fontSize(8).text(printable(`${referenceOf(answer.request)} · ${page + 1}/${count}`), 70, 800, { align: 'right', lineBreak: false });
  }
  document.end();
  return done;
}
