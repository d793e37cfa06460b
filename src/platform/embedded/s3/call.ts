/** One request under way, after its signature was found good, and how it is answered. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { S3Error } from './errors.js';
import type { SignedRequest } from './signature.js';
import type { Store } from './store.js';
import { tag, type Element } from './xml.js';

export interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  signed: SignedRequest;
  method: string;
  query: URLSearchParams;
  /** Both empty where the address names neither. */
  bucketName: string;
  key: string;
  store: Store;
}

/** A request header that occurs once, or undefined. */
export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Answers with an XML document. */
export function answerXml(call: Call, xml: string, status = 200): void {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`);
  call.response.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length });
  call.response.end(body);
}

/** Answers without a body. */
export function answerEmpty(call: Call, status: number, headers: Record<string, string> = {}): void {
  call.response.writeHead(status, status === 204 || status === 304 ? headers : { ...headers, 'content-length': '0' });
  call.response.end();
}

/** The document of an error. */
export function errorXml(error: S3Error, requestId: string): string {
  return `<Error>${tag('Code', error.code)}${tag('Message', error.message)}${tag('RequestId', requestId)}</Error>`;
}

const maxTags = 10;

/** Tags as S3 allows them: ten, names once each and up to 128 characters, values up to 256. */
export function checkedTags(pairs: Iterable<[string, string]>): Record<string, string> {
  const tags = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (name === '' || name.length > 128 || value.length > 256 || tags.has(name)) throw new S3Error('InvalidTag');
    tags.set(name, value);
  }
  if (tags.size > maxTags) throw new S3Error('InvalidTag');
  return Object.fromEntries(tags);
}

/** Whether the child `name` of `element` says true. */
export function isTrue(element: Element, name: string): boolean {
  return element.children.some((child) => child.name === name && child.text.trim().toLowerCase() === 'true');
}
