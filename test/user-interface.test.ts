import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import express from 'express';
import request from 'supertest';
import { afterAll, describe, expect, test } from 'vitest';
import { userInterface } from '../src/platform/user-interface.js';

const folder = mkdtempSync(path.join(tmpdir(), 'opname-ui-'));
const script = 'export const words = "vele woorden ".repeat(40);';
mkdirSync(path.join(folder, 'assets'));
writeFileSync(path.join(folder, 'index.html'), '<!doctype html><html data-time-zone="__TIME_ZONE__"><script nonce="__CSP_NONCE__"></script>');
writeFileSync(path.join(folder, 'assets', 'app.js'), script);
writeFileSync(path.join(folder, 'assets', 'app.js.gz'), gzipSync(script));
writeFileSync(path.join(folder, 'assets', 'plain.css'), 'body { margin: 0 }');
const app = express().use(userInterface(folder, 'Europe/Lisbon'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const get = (address: string, encoding: string) => request(app).get(address).set('Accept-Encoding', encoding);

describe('the screens', () => {
  test('are the same page at each of their addresses, under a nonce of its own', async () => {
    const [one, other] = [await get('/recordings/1', 'identity').expect(200), await get('/', 'identity').expect(200)];
    expect(one.text).not.toBe(other.text);
    expect(one.text).toContain('data-time-zone="Europe/Lisbon"');
    const nonce = /nonce="([^"]+)"/.exec(one.text)?.[1] ?? '';
    expect(one.headers['content-security-policy']).toContain(`'nonce-${nonce}'`);
  });

  test('are no answer to a file that is not there, nor to the API', async () => {
    for (const address of ['/nope.js', '/recordings/nope.map', '/assets/nope.js', '/.vite/manifest.json', '/api/v1/nope', '/assets/../index.ts'])
      for (const encoding of ['gzip', 'identity']) await get(address, encoding).expect(404);
  });

  test('travel compressed to who takes that, and whole to who does not', async () => {
    const zipped = await get('/assets/app.js', 'gzip, deflate, br')
      .buffer(true)
      .parse((response, done) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part)).on('end', () => done(null, Buffer.concat(parts)));
      })
      .expect(200);
    expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding', 'content-type': 'text/javascript; charset=utf-8' });
    expect(zipped.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const body = zipped.body as Buffer;
    expect((body[0] === 0x1f ? gunzipSync(body) : body).toString()).toBe(script);
    const whole = await get('/assets/app.js', 'identity').expect(200);
    expect([whole.text, whole.headers['content-encoding']]).toEqual([script, undefined]);
    const plain = await get('/assets/plain.css', 'gzip').expect(200);
    expect([plain.text, plain.headers['content-encoding']]).toEqual(['body { margin: 0 }', undefined]);
    expect(plain.headers['content-type']).toBe('text/css; charset=utf-8');
  });
});
