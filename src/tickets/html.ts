import sanitizeHtml from 'sanitize-html';

/**
 * HTML that customers and mail programs wrote, made safe to show: no script, no style, no form, nothing that loads from
 * elsewhere. Images are left out altogether: a remote one tells its sender when and where a message was opened.
 */

const allowed: sanitizeHtml.IOptions = {
  allowedTags: [
    'a', 'abbr', 'b', 'blockquote', 'br', 'caption', 'cite', 'code', 'dd', 'del', 'div', 'dl', 'dt', 'em', 'h1', 'h2', 'h3',
    'h4', 'h5', 'h6', 'hr', 'i', 'ins', 'li', 'ol', 'p', 'pre', 'q', 's', 'small', 'span', 'strong', 'sub', 'sup', 'table',
    'tbody', 'td', 'tfoot', 'th', 'thead', 'tr', 'u', 'ul',
  ],
  allowedAttributes: { a: ['href', 'rel', 'target'], td: ['colspan', 'rowspan'], th: ['colspan', 'rowspan', 'scope'], ol: ['start'] },
  allowedSchemes: ['http', 'https', 'mailto', 'tel'],
  allowProtocolRelative: false,
  disallowedTagsMode: 'discard',
  nonTextTags: ['script', 'style', 'textarea', 'option', 'noscript', 'title', 'head', 'template', 'svg', 'math', 'iframe', 'object'],
  // Mark-up nested deeper than any mail is an attempt to exhaust the reader.
  nestingLimit: 100,
  transformTags: {
    a: (_tag, { href }) => ({
      tagName: 'a',
      // A link without a scheme would lead into this service.
      attribs:
        href === undefined || !/^(https?|mailto|tel):/i.test(href)
          ? {}
          : { href, rel: 'noopener noreferrer nofollow', target: '_blank' },
    }),
  },
};

/** Elements that have no end, or whose end may be left out: they never lie in each other. */
const flat = new Set('area base br col dd dt embed hr img input li link meta option p param source td th tr track wbr'.split(' '));
const deepest = 500;

/**
 * Whether elements lie deeper in each other than in any mail. The parser looks through all that are open at every tag, so
 * that a message of nothing but `<div>` would keep the service busy for minutes.
 */
function tooDeep(html: string): boolean {
  let depth = 0;
  for (const [, end, name = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)/gi)) {
    if (flat.has(name.toLowerCase())) continue;
    depth = Math.max(0, depth + (end === '/' ? -1 : 1));
    if (depth > deepest) return true;
  }
  return false;
}

const bareText = (html: string) => html.replace(/<[^<>]*>?/g, ' ').replaceAll('<', ' ').replaceAll('>', ' ');

/** The mark-up that may be shown. */
export const safeHtml = (html: string): string => (tooDeep(html) ? bareText(html) : sanitizeHtml(html, allowed));

/** How many images were left out. */
export const countImages = (html: string): number => html.match(/<img\b/gi)?.length ?? 0;

/** What sanitize-html writes for the characters it escapes, and nothing else: the rest it has decoded already. */
const escapes: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' };
// Nothing here may run to the end of the text and back: `[^<>]` stops at the next tag, so that a long one costs its length.
const blockEnd = /<(?:br\b[^<>]*|hr\b[^<>]*|\/(?:p|div|li|tr|h[1-6]|blockquote|pre|table|dd|dt))>/gi;

/** The words alone, a line a paragraph: for reading aloud, searching and handing out. */
export function textOfHtml(html: string): string {
  const lines = html.replace(blockEnd, '\n$&');
  const text = tooDeep(html) ? bareText(lines) : sanitizeHtml(lines, { ...allowed, allowedTags: [], allowedAttributes: {} });
  return text
    .replace(/&(?:amp|lt|gt|quot);/g, (escape) => escapes[escape] ?? escape)
    .replace(/\u00a0/g, ' ')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
