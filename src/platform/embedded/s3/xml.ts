/**
 * The little XML that S3 speaks: elements and text, no attributes that matter, no document types. A parser of our own
 * because it is sixty lines, reads input of anyone who may sign a request, and so must not know entities or includes.
 */
import { S3Error } from './errors.js';

export interface Element {
  name: string;
  children: Element[];
  text: string;
}

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replace(/&([^;&\s]{1,10});|&/g, (_whole, entity: string | undefined) => {
    const code = /^#(?:x([0-9a-f]+)|([0-9]+))$/i.exec(entity ?? '');
    const point = code ? parseInt(code[1] ?? code[2] ?? '', code[1] ? 16 : 10) : undefined;
    const value =
      point === undefined ? named[entity ?? ''] : point <= 0x10ffff ? String.fromCodePoint(point) : undefined;
    if (value === undefined) throw new S3Error('MalformedXML');
    return value;
  });
}

/** `value` made fit to stand between tags. Line ends are escaped too, or a parser would turn CR into LF. */
export function escape(value: string): string {
  return value.replace(/[&<>"'\r\n\t]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** An element with text, already escaped. */
export function tag(name: string, value: string | number | boolean): string {
  return `<${name}>${escape(String(value))}</${name}>`;
}

const qualifiedName = '[A-Za-z_][\\w.-]*(?::[\\w.-]+)?';
const attributes = '(?:\\s+[\\w:.-]+\\s*=\\s*(?:"[^"<]*"|\'[^\'<]*\'))*';
/** A declaration, a comment, a tag (whether it closes, its name, whether it closes itself), or text. */
const tokenSource = `<\\?[^>]*\\?>|<!--[\\s\\S]*?-->|<(/?)(${qualifiedName})${attributes}\\s*(/?)>|([^<]+)`;

/** Reads one document and returns its root. Throws `MalformedXML`. Namespace prefixes are dropped. */
export function parseXml(source: string): Element {
  const document: Element = { name: '', children: [], text: '' };
  const open: Element[] = [document];
  const token = new RegExp(tokenSource, 'gy');
  while (token.lastIndex < source.length) {
    const found = token.exec(source);
    const parent = open.at(-1);
    if (!found || !parent) throw new S3Error('MalformedXML');
    const [, closing, qualified, selfClosing, text] = found;
    if (text !== undefined) parent.text += unescape(text);
    if (qualified === undefined) continue;
    const name = qualified.slice(qualified.indexOf(':') + 1);
    if (closing) {
      if (open.length < 2 || parent.name !== name) throw new S3Error('MalformedXML');
      open.pop();
    } else {
      if (open.length > 20) throw new S3Error('MalformedXML');
      const element: Element = { name, children: [], text: '' };
      parent.children.push(element);
      if (!selfClosing) open.push(element);
    }
  }
  const root = document.children[0];
  if (open.length !== 1 || !root || document.children.length !== 1 || document.text.trim())
    throw new S3Error('MalformedXML');
  return root;
}

/** The text of the first child called `name`, or undefined. */
export function childText(element: Element, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}

/** All children called `name`. */
export function childrenOf(element: Element, name: string): Element[] {
  return element.children.filter((child) => child.name === name);
}
