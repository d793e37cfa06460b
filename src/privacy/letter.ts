import { createRequire } from 'node:module';
import PdfDocument from 'pdfkit';
import { isOrder, type Answer } from './answer.js';
import { referenceOf } from './request.js';
import { asksIn, dateIn, remediesIn } from './words.js';

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

/** A letter as it is sent, whatever it is about. */
export interface Letter {
  locale: 'nl' | 'en';
  reference: string;
  sender: string[];
  addressee: string[];
  date: string;
  subject: string;
  salutation: string;
  blocks: Block[];
  ending: string;
  signed: string;
}

/** To whom a letter goes. */
export interface Addressee {
  name: string | null;
  address: string | null;
}

/** Lines as they were written; an address on one line is told apart at its commas. */
const linesOf = (text: string | null): string[] => {
  const whole = (text ?? '').trim();
  return whole.split(whole.includes('\n') ? '\n' : /,\s*/).map((line) => line.trim()).filter((line) => line !== '');
};

/** A letter about a request, to whomever it concerns. */
export function makeLetter(
  { request, organisation, at }: Pick<Answer, 'request' | 'organisation' | 'at'>,
  to: Addressee,
  { subject, text, isAboutPerson = true }: { subject: string; text: string; isAboutPerson?: boolean },
  timeZone: string,
): Letter {
  const { locale } = request;
  const name = isAboutPerson ? to.name : null;
  return {
    locale,
    reference: referenceOf(request),
    sender: [organisation.controller, ...linesOf(organisation.address)].filter((line) => line !== ''),
    addressee: [to.name ?? '', ...linesOf(to.address)].filter((line) => line !== ''),
    date: dateIn(at, locale, timeZone),
    subject,
    salutation: locale === 'nl' ? `Geachte ${name ?? 'heer of mevrouw'},` : `Dear ${name ?? 'Sir or Madam'},`,
    blocks: readBlocks(text),
    // Nobody named is greeted `faithfully`.
    ending: locale === 'nl' ? 'Met vriendelijke groet,' : name === null ? 'Yours faithfully,' : 'Yours sincerely,',
    signed: organisation.controller,
  };
}

/** To whom the answer goes: the person, or whoever represents them, where there is a mandate; or the company that asks. */
export const answeredTo = ({ request, subject }: Pick<Answer, 'request' | 'subject'>): Addressee =>
  subject.representative ??
  (request.requester_kind === 'company' && subject.organisation !== null ? { name: subject.organisation, address: subject.address } : subject);

/** The letter of an answer: the officer's text, and below it what the law wants in every answer to a person. */
function letterOf(answer: Answer, text: string, timeZone: string): Letter {
  const { request, subject } = answer;
  const reference = referenceOf(request);
  if (isOrder(answer)) {
    const to = { name: request.authority_name, address: subject.representative?.address ?? null };
    const about = request.locale === 'nl' ? 'Antwoord op uw bevel' : 'Reply to your order';
    return makeLetter(answer, to, { subject: `${about}, ${reference}`, text, isAboutPerson: false }, timeZone);
  }
  const about = `${request.locale === 'nl' ? 'Antwoord op uw' : 'Answer to your'} ${asksIn(answer, request.locale)}`;
  const isAboutPerson = request.requester_kind !== 'company';
  return makeLetter(
    answer, answeredTo(answer),
    { subject: `${about} ${reference}`, text: `${text}\n\n${remediesIn(answer, request.locale)}`, isAboutPerson }, timeZone,
  );
}

const style = `body{font:16px/1.5 system-ui,sans-serif;color:#1b2430;background:#fff;max-width:42rem;margin:2rem auto;padding:0 1rem}
address{font-style:normal;white-space:pre-line;margin:0 0 1.5rem}h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.5rem 0 .5rem}
@media print{body{margin:0;max-width:none}}`;

function htmlOf(block: Block): string {
  if (block.kind === 'heading') return `<h2>${escapeHtml(block.text)}</h2>`;
  if (block.kind === 'list') return `<ul>${block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
  return `<p>${escapeHtml(block.text).replaceAll('\n', '<br>')}</p>`;
}

/** The letter as one page that needs nothing from elsewhere. */
export function renderHtml(letter: Letter): string {
  return `<!doctype html>
<html lang="${letter.locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(letter.subject)}</title><style>${style}</style></head><body><main>
<address>${escapeHtml(letter.sender.join('\n'))}</address>
<address>${escapeHtml(letter.addressee.join('\n'))}</address>
<p>${escapeHtml(letter.date)}</p>
<h1>${escapeHtml(letter.subject)}</h1>
<p>${escapeHtml(letter.salutation)}</p>
${letter.blocks.map(htmlOf).join('\n')}
<p>${escapeHtml(letter.ending)}</p><p>${escapeHtml(letter.signed)}</p></main>
</body></html>
`;
}

/** Fonts that go along with the letter: a name is spelled as its bearer spells it, whatever alphabet it comes from. */
const fontFile = (name: string) => createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`);
const size = 9.8;
const edge = 70;

/** What no font can show is left out rather than shown as a box: line ends but ours, and directions of writing. */
const printable = (text: string) => text.normalize('NFC').replaceAll(/[^\P{C}\n]/gu, '');

/** The letter as a PDF of A4 pages, with title and language, numbered. */
export function renderPdf(letter: Letter, at: Date): Promise<Buffer> {
  const { locale } = letter;
  const document = new PdfDocument({
    size: 'A4', margins: { top: edge, bottom: edge, left: edge, right: edge }, bufferPages: true, lang: locale === 'nl' ? 'nl-NL' : 'en-GB',
    displayTitle: true, info: { Title: letter.subject, Author: letter.signed, CreationDate: at, ModDate: at },
    font: fontFile('DejaVuSansCondensed'),
  });
  document.registerFont('plain', fontFile('DejaVuSansCondensed'));
  document.registerFont('bold', fontFile('DejaVuSansCondensed-Bold'));
  const chunks: Buffer[] = [];
  const done = new Promise<Buffer>((resolve, reject) => {
    document.on('data', (chunk: Buffer) => chunks.push(chunk));
    document.on('end', () => resolve(Buffer.concat(chunks)));
    document.on('error', reject);
  });
  const width = document.page.width - 2 * edge;
  const plain = (line: string) => document.font('plain').fontSize(size).text(printable(line), edge, document.y, { lineGap: 2.5, width });
  const bold = (line: string, height: number) => document.font('bold').fontSize(height).text(printable(line), edge, document.y, { width });
  /** A heading, what leads to a list, or a signature at the foot of a page belongs to what follows it; an item stays whole. */
  const keepTogether = (height: number) => {
    if (document.y + height > document.page.height - edge) document.addPage();
  };
  for (const line of letter.sender) plain(line);
  document.moveDown(2);
  for (const line of letter.addressee) plain(line);
  document.moveDown(2);
  plain(letter.date);
  document.moveDown();
  bold(letter.subject, 12.5);
  document.moveDown();
  plain(letter.salutation);
  document.moveDown();
  /** So much of a text is never parted from its beginning: all of it, or of a long one two lines. */
  const apart = (text: string, room: number) => {
    document.font('plain').fontSize(size);
    const height = document.heightOfString(printable(text), { lineGap: 2.5, width: room });
    const line = document.currentLineHeight(true) + 2.5;
    return height <= 8 * line ? height : 2 * line;
  };
  const indent = 16;
  for (const [place, block] of letter.blocks.entries()) {
    const next = letter.blocks[place + 1];
    if (block.kind === 'heading') {
      keepTogether(60);
      document.moveDown(0.3);
      bold(block.text, 11);
    } else if (block.kind === 'list')
      for (const item of block.items) {
        keepTogether(apart(item, width - indent));
        const { y } = document;
        document.text('•', edge + 4, y, { width: 10, lineBreak: false });
        document.text(printable(item), edge + indent, y, { lineGap: 2.5, width: width - indent });
      }
    else {
      const led = next?.kind === 'list' ? apart(next.items[0] ?? '', width - indent) + 12 : 0;
      keepTogether(apart(block.text, width) + led);
      plain(block.text);
    }
    document.moveDown(block.kind === 'heading' ? 0.4 : 0.8);
  }
  keepTogether(60);
  plain(letter.ending);
  document.moveDown();
  plain(letter.signed);
  const { count } = document.bufferedPageRange();
  for (let page = 0; page < count; page += 1) {
    document.switchToPage(page);
    document.page.margins.bottom = 0;
    const told = printable(`${letter.reference} · ${page + 1}/${count}`);
    document.font('plain').fontSize(8);
    document.text(told, document.page.width - edge - document.widthOfString(told), document.page.height - 42, { lineBreak: false });
  }
  document.end();
  return done;
}

/** The letter of an answer as a page. */
export const letterHtml = (answer: Answer, text: string, timeZone: string): string => renderHtml(letterOf(answer, text, timeZone));

/** The letter of an answer as a PDF. */
export const letterPdf = (answer: Answer, text: string, timeZone: string): Promise<Buffer> =>
  renderPdf(letterOf(answer, text, timeZone), answer.at);
