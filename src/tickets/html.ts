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
      attribs: href === undefined ? {} : { href, rel: 'noopener noreferrer nofollow', target: '_blank' },
    }),
  },
};

/** The mark-up that may be shown. */
export const safeHtml = (html: string): string => sanitizeHtml(html, allowed);

/** What sanitize-html writes for the characters it escapes, and nothing else: the rest it has decoded already. */
const escapes: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' };
const blockEnd = /<(?:br\b[^>]*|hr\b[^>]*|\/(?:p|div|li|tr|h[1-6]|blockquote|pre|table|dd|dt))>/gi;

/** The words alone, a line a paragraph: for reading aloud, searching and handing out. */
export function textOfHtml(html: string): string {
  const text = sanitizeHtml(html.replace(blockEnd, '\n$&'), { ...allowed, allowedTags: [], allowedAttributes: {} });
  return text
    .replace(/&(?:amp|lt|gt|quot);/g, (escape) => escapes[escape] ?? escape)
    .replace(/\u00a0/g, ' ')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
