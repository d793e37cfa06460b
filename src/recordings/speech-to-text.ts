import { randomUUID } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readTranscript, type Segment } from './transcript-formats.js';

/**
 * A speech-to-text server that speaks OpenAI's `POST /v1/audio/transcriptions`: multipart/form-data with `file`, `model`,
 * `response_format=verbose_json` and `language`, answered with `{text, segments: [{start, end, text}]}`. Written against
 * OpenAI's API reference; whisper.cpp, faster-whisper-server, vLLM and LocalAI serve the same.
 *
 * Audio streams from storage to the server, a piece at a time. A redirect is a failure: the audio goes where the
 * configuration says, and nowhere else.
 */

export interface SpeechToTextSettings {
  /** The whole address, such as `https://speech.example.test/v1/audio/transcriptions`. */
  url: string;
  key: string | undefined;
  model: string;
}

/** Why there is no transcript. `lasting`: trying again would not help. */
export class SpeechToTextFailure extends Error {
  constructor(
    readonly code: 'server-unreachable' | 'server-busy' | 'server-refused' | 'answer-unreadable',
    readonly lasting: boolean,
    options?: { cause: unknown },
  ) {
    super(code, options);
    this.name = 'SpeechToTextFailure';
  }
}

export interface SpokenAudio {
  body: Readable;
  bytes: number;
  /** Such as `nl`. */
  language: string;
}

const answerLimitBytes = 32 * 1024 * 1024;
/** A server may think for long over a long call; one that says nothing for this long is given up. */
const silenceMs = 30 * 60_000;

/** @throws SpeechToTextFailure; the signal's own reason when it aborts */
export async function speechToText(
  settings: SpeechToTextSettings,
  audio: SpokenAudio,
  signal: AbortSignal,
): Promise<Segment[]> {
  try {
    const response = await send(settings, audio, signal);
    const status = response.statusCode ?? 0;
    const answer = await readAnswer(response);
    if (status === 408 || status === 429 || status >= 500) throw new SpeechToTextFailure('server-busy', false);
    if (status !== 200) throw new SpeechToTextFailure('server-refused', true);
    return segmentsOf(answer);
  } catch (error) {
    if (error instanceof SpeechToTextFailure) throw error;
    signal.throwIfAborted();
    throw new SpeechToTextFailure('server-unreachable', false, { cause: error });
  } finally {
    audio.body.destroy();
  }
}

function send(
  { url, key, model }: SpeechToTextSettings,
  audio: SpokenAudio,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const boundary = randomUUID();
  const field = (name: string, value: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const before = Buffer.from(
    field('model', model) +
      field('response_format', 'verbose_json') +
      field('language', audio.language) +
      field('timestamp_granularities[]', 'segment') +
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="call.m4a"\r\nContent-Type: audio/mp4\r\n\r\n`,
  );
  const after = Buffer.from(`\r\n--${boundary}--\r\n`);
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      signal,
      timeout: silenceMs,
      headers: {
        'Content-Type': `multipart/form-data; boundary=${boundary}`,
        'Content-Length': before.length + audio.bytes + after.length,
        Accept: 'application/json',
        ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
      },
    });
    request.once('timeout', () => request.destroy(new Error('the server said nothing')));
    request.once('response', resolve);
    request.on('error', reject);
    const body = async function* () {
      yield before;
      yield* audio.body as AsyncIterable<Buffer>;
      yield after;
    };
    // A server that has answered need not read to the end.
    pipeline(body, request).catch(reject);
  });
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > answerLimitBytes) throw new SpeechToTextFailure('answer-unreadable', true);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function segmentsOf(answer: string): Segment[] {
  try {
    return readTranscript(answer, 'json');
  } catch (error) {
    throw new SpeechToTextFailure('answer-unreadable', true, { cause: error });
  }
}
