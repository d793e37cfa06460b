import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeHtml, textOfHtml } from '../src/tickets/html.js';

describe('mark-up of a message', () => {
  it.each([
    ['a script', '<script>alert(1)</script>ok', 'ok'],
    ['a handler', '<b onmouseover=alert(1)>ok</b>', '<b>ok</b>'],
    ['a remote image', '<img src="https://volg.example/p.gif" alt="x">ok', 'ok'],
    ['an image in the text', '<img src="data:image/svg+xml;base64,PHN2Zz4=">ok', 'ok'],
    ['a style that loads', '<p style="background:url(https://volg.example)">ok</p>', '<p>ok</p>'],
    ['a style sheet', '<link rel=stylesheet href=//volg.example><style>@import "x"</style>ok', 'ok'],
    ['a frame', '<iframe src="https://volg.example"></iframe>ok', 'ok'],
    ['a form', '<form action="https://volg.example"><input name=a></form>ok', 'ok'],
    ['a link that runs', '<a href="jAvAsCrIpT:alert(1)">ok</a>', '<a>ok</a>'],
    ['a link that runs, hidden', '<a href="java&#10;script:alert(1)">ok</a>', '<a>ok</a>'],
    ['a link in data', '<a href="data:text/html,<script>alert(1)</script>">ok</a>', '<a>ok</a>'],
    ['a link without a scheme', '<a href="//volg.example">ok</a>', '<a>ok</a>'],
    ['a drawing', '<svg><script>alert(1)</script><a xlink:href="javascript:x">a</a></svg>ok', 'ok'],
    ['a base', '<base href="https://volg.example"><meta http-equiv=refresh content="0;url=https://volg.example">ok', 'ok'],
    ['a comment', '<!--[if IE]><script>alert(1)</script><![endif]-->ok', 'ok'],
    ['a picture with a source set', '<picture><source srcset="https://volg.example/a"></picture><video poster="https://volg.example"></video>ok', 'ok'],
  ])('is shown without %s', (_name, html, expected) => {
    // Links keep only where they lead to.
    expect(safeHtml(html).replace(/ (rel|target)="[^"]*"/g, '')).toBe(expected);
  });

  it('keeps what people write, and links that open apart', () => {
    expect(safeHtml('<p>Beste <b>Anna</b>,<br>zie <a href="https://voorbeeld.nl/a?b=1&amp;c=2" onclick="x()">hier</a></p><ul><li>een</li></ul>')).toBe(
      '<p>Beste <b>Anna</b>,<br />zie <a href="https://voorbeeld.nl/a?b=1&amp;c=2" rel="noopener noreferrer nofollow" target="_blank">hier</a></p><ul><li>een</li></ul>',
    );
  });

  it('is read as its words, a line a paragraph', () => {
    expect(textOfHtml('<style>p{}</style><p>Caf&eacute; &lt;3 &amp;amp; meer</p><div>twee&nbsp; drie<br>vier</div>')).toBe('Café <3 &amp; meer\ntwee drie\nvier');
  });

  it('never lets anything that runs or loads through, whatever is thrown at it', () => {
    const piece = fc.constantFrom('<', '>', '"', "'", '/', '=', ' ', '<script', '<img src=x onerror=alert(1)', '<a href=', 'javascript:', '<svg', '<style', 'onload=', '<!--', '-->', '<b', 'text', '&lt;', '&#60;', '<textarea', '<noscript', '<math', '\0', '`');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        const shown = safeHtml(pieces.join(''));
        for (const tag of shown.match(/<[^>]*>/g) ?? []) {
          expect(tag).toMatch(/^<\/?(a|b)\b/);
          expect(tag).not.toMatch(/\son\w+\s*=|src=|style=|javascript:/i);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of any length and depth is read in reasonable time', () => {
    for (const evil of ['<br', '<', '<a href="', '<!--', '</p', '<div>', '&', '<p><b>', '<li><ul>', '<x>']) {
      const html = evil.repeat(100_000);
      expect(textOfHtml(html).length).toBeLessThanOrEqual(html.length * 2);
      safeHtml(html);
    }
  }, 60_000);
});
