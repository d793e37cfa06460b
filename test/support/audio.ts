/**
 * Small recordings made in memory, for tests that need audio but not a real call. No ffmpeg, no files.
 * Everything is deterministic: the same options give the same bytes, another `seed` gives others.
 */

export type WavCodec = 'pcm_s16le' | 'mulaw' | 'alaw';

export interface ToneOptions {
  seconds: number;
  /** Default 1. In stereo the left leg sounds at 440 Hz and the right one at 660 Hz. */
  channels?: number;
  /** Samples per second, default 8000. */
  rate?: number;
  codec?: WavCodec;
  /** 0..1 of full scale, default 0.5. */
  amplitude?: number;
  /** Changes the pitch a little, and so the bytes. Default 0. */
  seed?: number;
}

/** A WAV file with a steady tone in each channel. */
export function tone(options: ToneOptions): Buffer {
  const { seconds, channels = 1, rate = 8000, codec = 'pcm_s16le', amplitude = 0.5, seed = 0 } = options;
  const frames = Math.round(seconds * rate);
  const legs = Array.from({ length: channels }, (_, channel) => {
    const frequencyHz = 440 + 220 * channel + 1.7 * seed;
    return Int16Array.from({ length: frames }, (_s, i) =>
      Math.round(32767 * amplitude * Math.sin((2 * Math.PI * frequencyHz * i) / rate)),
    );
  });
  return wav(legs, rate, codec);
}

export interface SpeechLikeOptions {
  seconds: number;
  /** Default 2: caller left, agent right, taking turns of two to four seconds. */
  channels?: number;
  rate?: number;
  codec?: WavCodec;
  /** Stretches in which nobody speaks: room noise only. */
  pauses?: [startMs: number, endMs: number][];
  /** Stretches of digital silence, as a mute at the PBX leaves them. */
  mutes?: [startMs: number, endMs: number][];
  seed?: number;
}

/** A WAV file with bursts of noise in the rhythm and the loudness of two people taking turns, over faint room noise. */
export function speechLike(options: SpeechLikeOptions): Buffer {
  const { seconds, channels = 2, rate = 8000, codec = 'pcm_s16le', pauses = [], mutes = [], seed = 1 } = options;
  const frames = Math.round(seconds * rate);
  const random = randomNumbers(seed);
  const turns = takeTurns(seconds, random);
  const within = (stretches: [number, number][], ms: number) => stretches.some(([from, to]) => ms >= from && ms < to);
  const legs = Array.from({ length: channels }, (_, channel) => {
    const leg = new Int16Array(frames);
    let low = 0;
    for (let i = 0; i < frames; i += 1) {
      const ms = (i * 1000) / rate;
      const noise = random() * 2 - 1;
      low += 0.35 * (noise - low);
      const turn = turns.find((candidate) => ms >= candidate.fromMs && ms < candidate.toMs);
      const speaking = turn !== undefined && !within(pauses, ms) && (channels === 1 || turn.who === channel);
      const syllable = 0.25 + 0.75 * Math.abs(Math.sin((Math.PI * ms) / 210));
      const level = speaking ? 0.9 * syllable : 0.002;
      leg[i] = within(mutes, ms) ? 0 : Math.round(32767 * 0.6 * level * low);
    }
    return leg;
  });
  return wav(legs, rate, codec);
}

/** A WAV file that holds digital silence. */
export function silence(options: { seconds: number; channels?: number; rate?: number; codec?: WavCodec }): Buffer {
  return tone({ ...options, amplitude: 0 });
}

/**
 * A canonical WAV file of the given legs (one `Int16Array` a channel, all of one length).
 * µ-law and A-law by ITU-T G.711.
 */
export function wav(legs: Int16Array[], rate: number, codec: WavCodec = 'pcm_s16le'): Buffer {
  const samples = interleave(legs);
  const data = encode(samples, codec);
  const bytesPerSample = codec === 'pcm_s16le' ? 2 : 1;
  const header = wavHeader({ codec, channels: legs.length, rate, bytesPerSample, dataBytes: data.length });
  return Buffer.concat([header, data]);
}

/** The raw samples, without any header, as Asterisk writes `.sln`, `.ulaw`, `.alaw` and (two legs) `.raw`. */
export function headerless(legs: Int16Array[], codec: WavCodec = 'pcm_s16le'): Buffer {
  return encode(interleave(legs), codec);
}

/** A 44-byte header. `dataBytes` may lie, as headers in the field do. */
export function wavHeader(fields: {
  codec?: WavCodec;
  channels?: number;
  rate?: number;
  bytesPerSample?: number;
  dataBytes: number;
  riffBytes?: number;
}): Buffer {
  const { codec = 'pcm_s16le', channels = 1, rate = 8000, bytesPerSample = codec === 'pcm_s16le' ? 2 : 1 } = fields;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE((fields.riffBytes ?? fields.dataBytes + 36) >>> 0, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE({ pcm_s16le: 1, alaw: 6, mulaw: 7 }[codec], 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * channels * bytesPerSample, 28);
  header.writeUInt16LE(channels * bytesPerSample, 32);
  header.writeUInt16LE(bytesPerSample * 8, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(fields.dataBytes >>> 0, 40);
  return header;
}

function interleave(legs: Int16Array[]): Int16Array {
  const frames = legs[0]?.length ?? 0;
  const samples = new Int16Array(frames * legs.length);
  legs.forEach((leg, channel) => {
    for (let i = 0; i < frames; i += 1) samples[i * legs.length + channel] = leg[i] ?? 0;
  });
  return samples;
}

function encode(samples: Int16Array, codec: WavCodec): Buffer {
  if (codec === 'pcm_s16le') {
    const data = Buffer.alloc(samples.length * 2);
    samples.forEach((sample, i) => data.writeInt16LE(sample, i * 2));
    return data;
  }
  return Buffer.from(Uint8Array.from(samples, codec === 'mulaw' ? toMulaw : toAlaw));
}

function toMulaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32635) + 132;
  const exponent = Math.max(0, 24 - Math.clz32(magnitude));
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}

function toAlaw(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0;
  const magnitude = Math.min(sample < 0 ? -sample - 1 : sample, 32767);
  const exponent = Math.max(0, 24 - Math.clz32(magnitude));
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

interface Turn {
  who: number;
  fromMs: number;
  toMs: number;
}

function takeTurns(seconds: number, random: () => number): Turn[] {
  const turns: Turn[] = [];
  let atMs = 200;
  for (let who = 0; atMs < seconds * 1000; who = 1 - who) {
    const toMs = atMs + 2000 + random() * 2000;
    turns.push({ who, fromMs: atMs, toMs });
    atMs = toMs + 150 + random() * 300;
  }
  return turns;
}

/** mulberry32: small, fast, and the same everywhere. */
function randomNumbers(seed: number): () => number {
  let state = (seed * 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
