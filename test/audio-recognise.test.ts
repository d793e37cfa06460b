import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recogniseAudio } from '../src/platform/audio/recognise.js';
import { headerless, silence, speechLike, tone, wav, wavHeader } from './support/audio.js';
import { canEncode, ffmpeg } from './support/audio-tools.js';

let folder: string;
let made = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opname-recognise-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(bytes: Buffer | string): Promise<string> {
  const path = join(folder, `upload-${(made += 1)}`);
  await writeFile(path, bytes);
  return path;
}

async function recognise(bytes: Buffer | string, hints: { format?: string; fileName?: string } = {}) {
  return await recogniseAudio(await file(bytes), hints);
}

const pcm = tone({ seconds: 2 }).subarray(44);

describe('a WAV', () => {
  test.each([
    ['pcm_s16le', 1, 8000], ['pcm_s16le', 2, 16_000], ['mulaw', 2, 8000], ['alaw', 1, 8000],
  ] as const)('with %s, %i channels at %i Hz is measured', async (codec, channels, rate) => {
    expect(await recognise(tone({ seconds: 2, channels, rate, codec }))).toEqual({
      container: 'wav', codec, channels, sampleRateHz: rate, estimatedDurationMs: 2000, truncated: false,
    });
  });

  test.each([
    ['0xFFFFFFFF', 0xffffffff, 0xffffffff], ['almost 4 GiB', 0xffffffdb, 0xfffffff0],
    ['almost 2 GiB', 0x7ffff000, 0x7ffff024],
  ])('whose header was never filled in (%s) is as long as its bytes', async (_name, dataBytes, riffBytes) => {
    const streamed = Buffer.concat([wavHeader({ dataBytes, riffBytes }), pcm]);
    expect(await recognise(streamed)).toMatchObject({ estimatedDurationMs: 2000, truncated: false });
  });

  test.each([['16-bit', pcm, 'pcm_s16le'], ['µ-law', Buffer.alloc(16_000, 0x7f), 'mulaw']] as const)(
    'of a recorder that was killed (sizes 0, %s) is kept to its last whole sample, as truncated', async (_name, sound, codec) => {
      const killed = Buffer.concat([wavHeader({ codec, dataBytes: 0, riffBytes: 0 }), sound, Buffer.alloc(1)]);
      expect(await recognise(killed)).toMatchObject({ codec, estimatedDurationMs: expect.closeTo(2000, -1), truncated: true });
    });

  test('that claims 134,217 s but holds 2 s is 2 s long', async () => {
    const header = wavHeader({ channels: 2, dataBytes: 0xffffffff, riffBytes: 0xffffffff });
    expect(await recognise(Buffer.concat([header, pcm, pcm]))).toMatchObject({ estimatedDurationMs: 2000 });
  });

  test('that lost its end is kept as truncated', async () => {
    const whole = tone({ seconds: 4 });
    const cut = whole.subarray(0, 44 + 16_000);
    expect(await recognise(cut)).toMatchObject({ estimatedDurationMs: 1000, truncated: true });
  });

  test('that went on after its header was written is read to its end', async () => {
    const grown = Buffer.concat([wavHeader({ dataBytes: 16_000 }), pcm]);
    expect(await recognise(grown)).toMatchObject({ estimatedDurationMs: 2000, input: { ignoreLength: true } });
  });

  test('with other chunks before and behind the sound is measured by the sound alone', async () => {
    const chunk = (id: string, bytes: number) => {
      const header = Buffer.alloc(8);
      header.write(id, 0, 'latin1');
      header.writeUInt32LE(bytes, 4);
      return Buffer.concat([header, Buffer.alloc(bytes + (bytes % 2), 0x41)]);
    };
    const plain = wavHeader({ dataBytes: pcm.length });
    const before = [plain.subarray(0, 36), chunk('JUNK', 101), plain.subarray(36)];
    const behind = [chunk('LIST', 77), chunk('xyz ', 8)];
    const recognised = await recognise(Buffer.concat([...before, pcm, ...behind]));
    expect(recognised).toMatchObject({ estimatedDurationMs: 2000, truncated: false });
    expect(recognised.input).toBeUndefined();
  });

  test.each([
    ['of 44 bytes', wavHeader({ dataBytes: 0 })],
    ['of 44 bytes that claims more', wavHeader({ dataBytes: 32_000 })],
    ['cut off in its header', wavHeader({ dataBytes: 0 }).subarray(0, 21)],
    ['with chunks but no sound', Buffer.concat([wavHeader({ dataBytes: 0 }), Buffer.from('LIST\x04\0\0\0INFO')])],
    ['with half a sample', Buffer.concat([wavHeader({ dataBytes: 0xffffffff }), Buffer.alloc(1)])],
  ])('%s is an empty recording', async (_name, bytes) => {
    await expect(recognise(bytes)).rejects.toMatchObject({ code: 'empty-recording', status: 422 });
  });

  test.each([
    ['no channels', wavHeader({ channels: 0, dataBytes: 8 })],
    ['an absurd rate', wavHeader({ rate: 1_000_000_000, dataBytes: 8 })],
    ['no format', Buffer.from(`RIFF\0\0\0\0WAVE${'data\x10\0\0\0'}${'x'.repeat(64)}`)],
  ])('with %s is not audio', async (_name, header) => {
    await expect(recognise(Buffer.concat([header, pcm]))).rejects.toMatchObject({ code: 'not-audio' });
  });

  test('of digital silence is a recording all the same', async () => {
    expect(await recognise(silence({ seconds: 1 }))).toMatchObject({ estimatedDurationMs: 1000 });
  });
});

describe('audio without a header', () => {
  const leg = Int16Array.from({ length: 16_000 }, (_, i) => 9000 * Math.sin(i / 3));

  test.each([
    ['ulaw', 'mulaw', 1, 8000, 2000, headerless([leg], 'mulaw')],
    ['alaw', 'alaw', 1, 8000, 2000, headerless([leg], 'alaw')],
    ['sln', 'pcm_s16le', 1, 8000, 2000, headerless([leg])],
    ['sln16', 'pcm_s16le', 1, 16_000, 1000, headerless([leg])],
    ['raw2', 'pcm_s16le', 2, 8000, 2000, headerless([leg, leg])],
    ['g722', 'g722', 1, 16_000, 2000, Buffer.alloc(16_000, 0xfa)],
    ['gsm', 'gsm', 1, 8000, 2000, Buffer.alloc(3300, 0xd5)],
  ])('is taken as %s when so told', async (format, codec, channels, sampleRateHz, estimatedDurationMs, bytes) => {
    const expected = { codec, channels, sampleRateHz, estimatedDurationMs, truncated: false };
    expect(await recognise(bytes, { format })).toMatchObject(expected);
  });

  test.each([
    ['x.ulaw', 'mulaw', 1], ['x.ul', 'mulaw', 1], ['x.pcm', 'mulaw', 1], ['x.alaw', 'alaw', 1], ['X.AL', 'alaw', 1],
    ['x.sln', 'pcm_s16le', 1], ['x.sln16', 'pcm_s16le', 1], ['x.g722', 'g722', 1], ['a/b.c/x.raw', 'pcm_s16le', 2],
  ])('is told by the name %s', async (fileName, codec, channels) => {
    expect(await recognise(headerless([leg]), { fileName })).toMatchObject({ codec, channels });
  });

  test('follows the format field rather than the name', async () => {
    const recognised = await recognise(headerless([leg]), { format: 'sln', fileName: 'x.raw' });
    expect(recognised).toMatchObject({ channels: 1, estimatedDurationMs: 2000 });
  });

  test('is not guessed', async () => {
    await expect(recognise(headerless([leg], 'mulaw'))).rejects.toMatchObject({ code: 'not-audio' });
    await expect(recognise(headerless([leg]), { fileName: 'x.wav' })).rejects.toMatchObject({ code: 'not-audio' });
    await expect(recognise(headerless([leg]), { format: 'constructor' })).rejects.toMatchObject({ code: 'not-audio' });
  });

  test('may be any bytes, since nothing tells them from sound', async () => {
    const bytes = Buffer.from(Array.from({ length: 8000 }, (_, i) => (i * 7919) >> 3).map((n) => n & 255));
    expect(await recognise(bytes, { format: 'ulaw' })).toMatchObject({ estimatedDurationMs: 1000 });
  });

  test('named so but with a header is what the header says', async () => {
    const recognised = await recognise(tone({ seconds: 1, channels: 2 }), { format: 'ulaw', fileName: 'x.ulaw' });
    expect(recognised).toMatchObject({ container: 'wav', channels: 2 });
  });

  test('cannot be text, a document, or GSM without its marks', async () => {
    const text = 'Dear support, this is not a recording at all. '.repeat(50);
    await expect(recognise(text, { format: 'ulaw' })).rejects.toMatchObject({ code: 'not-audio' });
    await expect(recognise(`%PDF-1.7\n${text}`, { format: 'sln' })).rejects.toMatchObject({ code: 'not-audio' });
    await expect(recognise(headerless([leg]), { format: 'gsm' })).rejects.toMatchObject({ code: 'not-audio' });
  });
});

describe('what is not audio', () => {
  test.each([
    ['text', 'Good afternoon, '.repeat(100)],
    ['UTF-16 text', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('Good afternoon, '.repeat(400), 'utf16le')])],
    ['HTML', `<!DOCTYPE html><html><body>${'404 '.repeat(500)}</body></html>`],
    ['JSON', JSON.stringify({ error: 'not found', detail: 'x'.repeat(3000) })],
    ['PDF', Buffer.concat([Buffer.from('%PDF-1.7\n%âãÏÓ\n'), pcm])],
    ['ZIP', Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), pcm])],
    ['ELF', Buffer.concat([Buffer.from('\x7fELF', 'latin1'), pcm])],
    ['PNG', Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), pcm])],
    ['JPEG', Buffer.concat([Buffer.from('\xff\xd8\xff\xe0\0\x10JFIF', 'latin1'), pcm])],
    ['a playlist', '#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n'],
    ['a concat script', "ffconcat version 1.0\nfile '/etc/passwd'\n"],
    ['zeroes', Buffer.alloc(5000)],
    ['noise', Buffer.from(Array.from({ length: 20_000 }, (_, i) => Math.imul(i, 2654435761) >>> 24))],
    ['a tag and noise', Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\0', 'latin1'), Buffer.alloc(9000, 0x11)])],
    ['MP4 without its index', Buffer.concat([Buffer.from('\0\0\0\x10ftypM4A \0\0\0\0\0\0\x10\0mdat', 'latin1'), pcm])],
  ])('%s is refused, whatever its name', async (_name, bytes) => {
    for (const fileName of ['call.wav', 'call.mp3', 'call.ogg', 'call', '']) {
      await expect(recognise(bytes, { fileName })).rejects.toMatchObject({ code: 'not-audio', status: 422 });
    }
  });

  test('and nothing at all is an empty recording', async () => {
    await expect(recognise('')).rejects.toMatchObject({ code: 'empty-recording' });
    await expect(recognise('', { format: 'ulaw' })).rejects.toMatchObject({ code: 'empty-recording' });
  });
});

interface Encoding {
  name: string;
  /** What ffmpeg is told, the encoder first. */
  args: [encoder: string, ...options: string[]];
  extension: string;
  expected: { container: string; codec: string; channels?: number; sampleRateHz?: number };
  /** Of the source; default 8000. */
  rate?: number;
}

const mp3 = { container: 'mp3', codec: 'mp3' };
const opus = { codec: 'opus', sampleRateHz: 48_000 };
const m4a = { container: 'mp4', codec: 'aac' };
const encodings: Encoding[] = [
  { name: 'CBR MP3', args: ['libmp3lame', '-b:a', '32k'], extension: 'mp3', expected: mp3 },
  { name: 'VBR MP3', args: ['libmp3lame', '-q:a', '5'], extension: 'mp3', expected: mp3 },
  {
    name: 'VBR MP3 without tags',
    args: ['libmp3lame', '-q:a', '5', '-write_xing', '0', '-id3v2_version', '0'],
    extension: 'mp3',
    expected: mp3,
  },
  { name: 'IMA', args: ['adpcm_ima_wav'], extension: 'wav', expected: { container: 'wav', codec: 'adpcm_ima_wav' } },
  { name: 'MS ADPCM', args: ['adpcm_ms'], extension: 'wav', expected: { container: 'wav', codec: 'adpcm_ms' } },
  {
    name: 'G.722 WAV',
    args: ['g722', '-ac', '1'],
    extension: 'wav',
    expected: { container: 'wav', codec: 'g722', channels: 1 },
    rate: 16_000,
  },
  { name: '24-bit WAV', args: ['pcm_s24le'], extension: 'wav', expected: { container: 'wav', codec: 'pcm_s24le' } },
  { name: 'float WAV', args: ['pcm_f32le'], extension: 'wav', expected: { container: 'wav', codec: 'pcm_f32le' } },
  {
    name: 'RF64',
    args: ['pcm_s16le', '-rf64', 'always'],
    extension: 'wav',
    expected: { container: 'rf64', codec: 'pcm_s16le' },
  },
  { name: 'W64', args: ['pcm_s16le'], extension: 'w64', expected: { container: 'w64', codec: 'pcm_s16le' } },
  { name: 'AU', args: ['pcm_mulaw'], extension: 'au', expected: { container: 'au', codec: 'mulaw' } },
  { name: 'CAF', args: ['pcm_s16le'], extension: 'caf', expected: { container: 'caf', codec: 'pcm' } },
  { name: 'FLAC', args: ['flac'], extension: 'flac', expected: { container: 'flac', codec: 'flac' } },
  { name: 'Ogg FLAC', args: ['flac'], extension: 'oga', expected: { container: 'ogg', codec: 'flac' } },
  { name: 'Ogg Opus', args: ['libopus'], extension: 'opus', expected: { container: 'ogg', ...opus } },
  {
    name: 'Ogg Vorbis',
    args: ['libvorbis'],
    extension: 'ogg',
    expected: { container: 'ogg', codec: 'vorbis' },
    rate: 16_000,
  },
  { name: 'WebM Opus', args: ['libopus'], extension: 'webm', expected: { container: 'matroska', ...opus } },
  {
    name: 'live WebM',
    args: ['libopus', '-live', '1'],
    extension: 'webm',
    expected: { container: 'matroska', ...opus },
  },
  { name: 'M4A', args: ['aac'], extension: 'm4a', expected: m4a },
  { name: 'M4A with its index in front', args: ['aac', '-movflags', '+faststart'], extension: 'm4a', expected: m4a },
  { name: 'AAC in ADTS', args: ['aac'], extension: 'aac', expected: { container: 'adts', codec: 'aac' } },
  {
    name: 'AMR',
    args: ['libopencore_amrnb', '-ac', '1'],
    extension: 'amr',
    expected: { container: 'amr', codec: 'amr_nb', channels: 1 },
  },
];

describe('a file in another format', () => {
  test.each(encodings)('$name is recognised, with its length', async (encoding) => {
    const { name, args, extension, expected, rate = 8000 } = encoding;
    if (!(await canEncode(args[0]))) return;
    const source = await file(speechLike({ seconds: 3, rate }));
    const path = join(folder, `${name}.${extension}`);
    await ffmpeg('-i', source, '-c:a', ...args, path);
    const recognised = await recogniseAudio(path, {});
    expect(recognised).toMatchObject({ channels: 2, sampleRateHz: rate, truncated: false, ...expected });
    // MP3 and AAC come in frames of up to 144 ms with some run-in.
    expect(Math.abs(recognised.estimatedDurationMs - 3000)).toBeLessThan(/MP3|AAC/.test(name) ? 300 : 60);
  });

  test('a FLAC written to a pipe, which states no length, is still a recording', async () => {
    const bytes = await ffmpeg('-i', await file(speechLike({ seconds: 3 })), '-f', 'flac', 'pipe:1');
    const recognised = await recognise(bytes);
    expect(recognised).toMatchObject({ codec: 'flac', channels: 2 });
    expect(recognised.estimatedDurationMs).toBeGreaterThan(500);
  });

  test('an MP3 that is only a tag and an information frame is an empty recording', async () => {
    const source = await file(tone({ seconds: 2, rate: 16_000 }));
    const path = join(folder, 'whole.mp3');
    await ffmpeg('-i', source, '-c:a', 'libmp3lame', '-b:a', '32k', path);
    const bytes = await readFile(path);
    const informationAt = bytes.indexOf('Info');
    const next = bytes.indexOf(Buffer.from([0xff, 0xf3]), informationAt);
    expect(next).toBeGreaterThan(informationAt);
    await expect(recognise(bytes.subarray(0, next))).rejects.toMatchObject({ code: 'empty-recording' });
    await expect(recognise(bytes.subarray(0, 45))).rejects.toMatchObject({ code: 'empty-recording' });
  });

  test('a WAVE_FORMAT_EXTENSIBLE of four channels has four channels', async () => {
    const legs = Array.from({ length: 4 }, () => new Int16Array(8000).fill(1000));
    const path = join(folder, 'four.wav');
    await ffmpeg('-i', await file(wav(legs, 8000)), '-c:a', 'pcm_s16le', path);
    expect(await recogniseAudio(path, {})).toMatchObject({ channels: 4, estimatedDurationMs: 1000 });
  });
});
