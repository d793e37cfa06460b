import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { Person } from '../access/caller.js';
import { may } from '../access/policy.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { isHeldToTell, isRestricted } from '../retention/hold.js';
import { refuseDeleted } from '../retention/tombstone.js';
import { sidesAreOver } from './legs.js';
import { openListen, recordServed, type ListenPurpose } from './listen.js';
import { isShared } from './share.js';
import { findRecording, type RecordingRow, type VersionRow } from './recording.js';

/**
 * Serves the playback copy and the waveform. Bytes are streamed through the service, never by a link that outlives a
 * change of mind: access can be withdrawn between two ranges.
 */

type PlaybackPlatform = Pick<Platform, 'clock' | 'database' | 'objects'>;

/**
 * The recording, if this person may hear it now.
 * @throws Problem `not-found` when there is none or they may not know of it, `retention-ended` from `retainUntil` on (held
 * recordings stay open to the privacy officer)
 */
export async function findListenable(
  platform: PlaybackPlatform,
  person: Person,
  id: string,
  purpose: ListenPurpose,
): Promise<{ recording: RecordingRow; version: VersionRow }> {
  const { database, clock } = platform;
  const now = clock.now();
  const found = await findRecording(database, id);
  if (found === undefined) {
    await refuseDeleted(database, 'recording', id);
    throw new Problem('not-found');
  }
  // Its deletion has begun, whatever its date: from here on nothing reads it.
  if (found.recording.purge_intent !== null) throw new Problem('retention-ended', { members: { deletedAt: now.toISOString() } });
  const held = await isHeldToTell(database, undefined, 'recording', id, now, person);
  if (found.recording.retain_until <= now && !may(person, 'recording.read_held', { held }))
    throw new Problem('retention-ended', { members: { deletedAt: found.recording.retain_until.toISOString() } });
  const restricted = await isRestricted(database, undefined, 'recording', id, 'training');
  const shared = person.role === 'agent' && (await isShared(database, id, person.userId));
  if (!may(person, 'recording.listen', { purpose, restricted, objected: restricted, shared }))
    throw new Problem('not-found');
  return found;
}

/** @throws Problem `not-ready` while a copy holds a side whose time is over: it is made anew without it */
async function refuseEndedSides(platform: PlaybackPlatform, recording: RecordingRow): Promise<void> {
  if (await sidesAreOver(platform, recording))
    throw new Problem('not-ready', { detail: 'The playback copy is being made anew.', headers: { 'Retry-After': '60' } });
}

function requireReady(version: VersionRow): { playbackKey: string; playbackBytes: number; waveformKey: string; etag: string } {
  if (version.state !== 'ready' || version.playback_key === null || version.waveform_key === null)
    throw new Problem('not-ready', {
      detail: version.state === 'failed' ? 'No playback copy could be made; the original is kept.' : 'The playback copy is being made.',
      ...(version.state === 'failed' ? {} : { headers: { 'Retry-After': '2' } }),
    });
  return {
    playbackKey: version.playback_key,
    playbackBytes: version.playback_bytes ?? 0,
    waveformKey: version.waveform_key,
    etag: `"${version.playback_sha256 ?? version.id}"`,
  };
}

/** The single range that was asked for; undefined for the whole file. Several ranges are answered with the whole (RFC 9110 §14.2). */
function readRange(request: Request, bytes: number, etag: string): { start: number; end: number } | undefined {
  const condition = request.headers['if-range'];
  if (request.headers.range === undefined || (condition !== undefined && condition !== etag)) return undefined;
  const ranges = request.range(bytes);
  if (ranges === -1)
    throw new Problem('range-not-satisfiable', { headers: { 'Content-Range': `bytes */${bytes}`, 'Accept-Ranges': 'bytes' } });
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined;
  return ranges[0];
}

function isFresh(request: Request, etag: string): boolean {
  const tags = request.headers['if-none-match'];
  return tags !== undefined && (tags === '*' || tags.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag));
}

/** So many bytes leave between two looks at whether it may still be heard: half a minute, or a little more. */
const lookAgainBytes = 256 * 1024;

/**
 * Passes on what is read for as long as this person may hear it. A browser asks for a long call in one piece: a restriction,
 * an objection or the end of the period that comes in the middle of it ends it there.
 * @throws Problem as `findListenable`
 */
export async function* whileListenable(
  platform: PlaybackPlatform,
  person: Person,
  id: string,
  purpose: ListenPurpose,
  body: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  let sinceLook = 0;
  for await (const chunk of body) {
    if (sinceLook >= lookAgainBytes) {
      await findListenable(platform, person, id, purpose);
      sinceLook = 0;
    }
    yield chunk;
    sinceLook += chunk.length;
  }
}

/**
 * Answers GET and HEAD for the playback copy: whole, one range, 304 or 416 (RFC 9110). A listen is opened before the
 * first byte, and closed with what was really sent.
 * @throws Problem `not-ready`, `range-not-satisfiable`, `storage-unavailable`
 */
export async function servePlayback(
  platform: PlaybackPlatform,
  person: Person,
  found: { recording: RecordingRow; version: VersionRow },
  purpose: ListenPurpose,
  exchange: { request: Request; response: Response; signal: AbortSignal },
): Promise<void> {
  const { request, response, signal } = exchange;
  const { playbackKey, playbackBytes, etag } = requireReady(found.version);
  await refuseEndedSides(platform, found.recording);
  response.set({ 'Accept-Ranges': 'bytes', ETag: etag, 'Cache-Control': 'private, no-store', 'Content-Type': 'audio/mp4' });
  if (isFresh(request, etag)) {
    response.status(304).end();
    return;
  }
  const range = readRange(request, playbackBytes, etag);
  const start = range?.start ?? 0;
  const end = range?.end ?? playbackBytes - 1;
  response.status(range === undefined ? 200 : 206).set('Content-Length', String(end - start + 1));
  if (range !== undefined) response.set('Content-Range', `bytes ${start}-${end}/${playbackBytes}`);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const listen = await openListen(platform, person, found.recording.id, found.version.id, purpose);
  const stored = await platform.objects.read(playbackKey, { range: { start, end }, signal });
  if (stored === undefined) throw new Problem('storage-unavailable', { detail: 'The playback copy is missing in storage.' });
  let sent = 0;
  stored.body.on('data', (chunk: Buffer) => (sent += chunk.length));
  try {
    const open = whileListenable(platform, person, found.recording.id, purpose, stored.body);
    await pipeline(open, response, { signal });
  } catch (error) {
    // It was closed in the middle: the listener has what was sent so far, and is told why when asking for more.
    if (error instanceof Problem && response.headersSent) return;
    // A listener who seeks or leaves breaks the stream off: that is no fault of anybody's.
    if (!signal.aborted && !response.destroyed) throw error;
  } finally {
    await recordServed(platform, listen, start, start + sent);
  }
}

/** Answers GET for the waveform: what the player draws before any audio is fetched. */
export async function serveWaveform(
  platform: PlaybackPlatform,
  found: { recording: RecordingRow; version: VersionRow },
  exchange: { request: Request; response: Response; signal: AbortSignal },
): Promise<void> {
  const { request, response, signal } = exchange;
  const { waveformKey } = requireReady(found.version);
  await refuseEndedSides(platform, found.recording);
  const etag = `"${found.version.id}"`;
  response.set({ ETag: etag, 'Cache-Control': 'private, no-cache', 'Content-Type': 'application/json' });
  if (isFresh(request, etag)) {
    response.status(304).end();
    return;
  }
  const stored = await platform.objects.read(waveformKey, { signal });
  if (stored === undefined) throw new Problem('storage-unavailable', { detail: 'The waveform is missing in storage.' });
  response.set('Content-Length', String(stored.bytes));
  await pipeline(stored.body, response, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
