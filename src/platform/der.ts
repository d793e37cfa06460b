/** Just enough of DER (ITU-T X.690) for time-stamp requests and tokens: definite lengths, tags up to 30. */

export interface Element {
  tag: number;
  /** Its content. */
  body: Buffer;
  /** Tag, length and content. */
  whole: Buffer;
}

/** Tags. */
export const der = {
  boolean: 0x01, integer: 0x02, octets: 0x04, null: 0x05, oid: 0x06, time: 0x18, sequence: 0x30, set: 0x31,
} as const;

/** The elements that stand behind one another in `bytes`. @throws RangeError when they do not fill it exactly */
export function readElements(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = readElement(bytes, at);
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

function readElement(bytes: Buffer, at: number): Element {
  const tag = bytes[at] ?? 0;
  let length = bytes[at + 1] ?? 0x80;
  let start = at + 2;
  if (length >= 0x80) {
    const digits = length & 0x7f;
    if (digits === 0 || digits > 4) throw new RangeError('This is no DER');
    length = 0;
    for (const end = start + digits; start < end; start += 1) length = length * 256 + (bytes[start] ?? 0);
  }
  if ((tag & 0x1f) === 0x1f || start + length > bytes.length) throw new RangeError('This is no DER');
  return { tag, body: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}

/** The one element that `bytes` begins with. */
export function readFirst(bytes: Buffer): Element {
  return readElement(bytes, 0);
}

/** An element of `tag` with these contents. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const digits: number[] = [];
  for (let rest = body.length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | digits.length, ...digits]), body]);
}

/** An object identifier from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const septets = [arc % 128];
    for (let more = Math.floor(arc / 128); more > 0; more = Math.floor(more / 128)) septets.unshift(0x80 | (more % 128));
    return septets;
  });
  return element(der.oid, Buffer.from(bytes));
}

/** The dotted form of an object identifier's content. */
export function dottedOf(body: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of body) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [first = 0, ...rest] = arcs;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join('.');
}

/** An instant written `YYYYMMDDhhmmss[.f]Z` (RFC 3161 §2.4.2). @throws RangeError for anything else */
export function readGeneralizedTime(body: Buffer): Date {
  const match = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\.\d+)?Z$/.exec(body.toString('latin1'));
  if (match === null) throw new RangeError('This is no instant');
  const [, year, month, day, hour, minute, second, fraction = ''] = match;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${fraction.slice(0, 4)}Z`);
}
