import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Busboy } from '@fastify/busboy';

/** A speech-to-text server that speaks the protocol: reads the multipart body for what it is, and answers as told. */

export interface Asked {
  authorization: string | undefined;
  fields: Record<string, string>;
  fileName: string;
  mimeType: string;
  audio: Buffer;
}

export interface SpeechServer {
  url: string;
  asked: Asked[];
  /** What comes next; the last one stays. */
  answers: { status: number; body: unknown; headers?: Record<string, string> }[];
  /** Called when a request has been read, before it is answered. */
  meanwhile: () => Promise<void>;
  close(): Promise<void>;
}

export async function startSpeechServer(): Promise<SpeechServer> {
  const server: Server = createServer((request, response) => {
    const asked: Asked = { authorization: request.headers.authorization, fields: {}, fileName: '', mimeType: '', audio: Buffer.alloc(0) };
    const contentType = request.headers['content-type'];
    if (request.method !== 'POST' || contentType === undefined) return void response.writeHead(405).end();
    const form = new Busboy({ headers: { ...request.headers, 'content-type': contentType } });
    form.on('field', (name, value) => (asked.fields[name] = value));
    form.on('file', (name, stream, fileName, _encoding, mimeType) => {
      if (name !== 'file') return void stream.resume();
      Object.assign(asked, { fileName, mimeType });
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => (asked.audio = Buffer.concat(parts)));
    });
    form.on('finish', () => {
      state.asked.push(asked);
      const answer = (state.answers.length > 1 ? state.answers.shift() : state.answers[0]) ?? { status: 500, body: {} };
      void state.meanwhile().then(() =>
        response.writeHead(answer.status, { 'Content-Type': 'application/json', ...answer.headers }).end(JSON.stringify(answer.body)),
      );
    });
    request.pipe(form);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const state: SpeechServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/audio/transcriptions`,
    asked: [],
    answers: [],
    meanwhile: async () => undefined,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return state;
}
