import path from 'node:path';
import { z } from 'zod';
import type { Caller, Person } from '../access/caller.js';
import { operation, type Operation } from '../platform/http.js';
import { idSchema } from '../platform/identifier.js';
import { findFfmpeg, type Ffmpeg } from '../platform/ffmpeg.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { arrivalsOf } from './arrivals.js';
import { connectOperations } from './connect-routes.js';
import type { Category } from '../retention/category.js';
import { heldToTell, restrictedNow } from '../retention/hold.js';
import type { Door } from './doors/door.js';
import { exclusionOperations } from './exclusion-routes.js';
import { countsOf } from './ingest-counts.js';
import { ingestOperations } from './ingest-routes.js';
import { cdrDoor } from './doors/cdr.js';
import { freeswitchDoor } from './doors/freeswitch.js';
import { httpDoor } from './doors/http.js';
import { rtpengineDoor } from './doors/rtpengine.js';
import { testDoor } from './doors/test.js';
import { listenPurposes, type ListenPurpose } from './listen.js';
import { findListenable, servePlayback, serveWaveform } from './playback.js';
import { presentRecording, type PresentedRecording, type PresentedVersion } from './present.js';
import { recordingColumns, type Direction, type RecordingRow } from './recording.js';

/** The settings that recordings need of the configuration. */
export interface RecordingSettings {
  dataDir: string;
  maxRecordingBytes: number;
  defaultCountry: string;
  recordingDirections: readonly Direction[];
  /** How long storage may take for a file; by its size when not told. */
  storeWithinMs?: number;
}

export const incomingFolder = (dataDir: string) => path.join(dataDir, 'incoming');
export const processingFolder = (dataDir: string) => path.join(dataDir, 'processing');

/** At once and in one process: more would only wait for the same disk, storage and database. */
const mostUploads = 64;

/** The tickets that a recording is linked with, as its machine may know them. */
export type TicketsOf = (recordingId: string) => Promise<PresentedRecording['tickets']>;

const newestOfRecording = `
  SELECT ${recordingColumns('r')}, v.state, v.duration_ms, v.channels, v.codec, v.bytes, v.sha256, v.truncated, v.received_at,
    ${heldToTell('recording', 'r.id', '$2', 'everyone')} AS held, ${restrictedNow('recording', 'r.id')} AS restricted
  FROM recordings r JOIN recording_versions v ON v.recording_id = r.id AND v.number = r.version
  WHERE r.id = $1 AND r.version > 0`;

/** What the doors stand on, for requests and for the worker that asks PBXs. */
export function createDoor(
  platform: Platform,
  settings: RecordingSettings,
  categories: readonly Category[],
  ticketsOf: TicketsOf = () => Promise.resolve([]),
): Door {
  return {
    platform: { ...platform, categories },
    uploads: { active: 0, most: mostUploads },
    counts: countsOf(platform),
    arrivals: arrivalsOf(platform),
    limits: { folder: incomingFolder(settings.dataDir), maxBytes: settings.maxRecordingBytes },
    readingContext(machine) {
      return {
        timeZone: machine.timeZone,
        country: settings.defaultCountry,
        channelMap: machine.channelMap,
        ownNumbers: machine.ownNumbers,
        now: platform.clock.now(),
      };
    },
    ingestSettings(machine) {
      return { recordingDirections: settings.recordingDirections, ownNumbers: machine.ownNumbers, storeWithinMs: settings.storeWithinMs };
    },
    async present(recordingId, machine) {
      const [found] = await platform.database.queryOften<RecordingRow & PresentedVersion & { held: boolean; restricted: boolean }>(
        newestOfRecording,
        [recordingId, platform.clock.now()],
      );
      if (found === undefined) throw new Problem('not-found');
      const { held, restricted } = found;
      // What people mark in a call is none of its machine's business.
      const context = { sourceName: machine.sourceName, held, restricted, tickets: await ticketsOf(recordingId), agreements: [] };
      return presentRecording(found, found, context, machine.role, []);
    },
  };
}

function personOf(caller: Caller): Person {
  if (caller.kind !== 'person') throw new Problem('forbidden');
  return caller;
}

/** What a listener may say it is for: only officers have a choice. */
function purposeOf(person: Person, told: ListenPurpose | undefined): ListenPurpose {
  return person.role === 'privacy_officer' ? (told ?? 'evidence') : 'training';
}

const idParams = z.object({ id: idSchema });

/** Pushing recordings and listening to them. Finding them is the library's. */
export function recordingOperations(
  platform: Platform,
  settings: RecordingSettings,
  categories: readonly Category[],
  ticketsOf: TicketsOf,
): Operation<Caller>[] {
  const door = createDoor(platform, settings, categories, ticketsOf);
  // Looked for when the first test is made: a process that only takes in needs none.
  let ffmpeg: Promise<Ffmpeg> | undefined;
  const testing = {
    platform,
    limits: door.limits,
    folder: processingFolder(settings.dataDir),
    ffmpeg: () => (ffmpeg ??= findFfmpeg(platform.log)),
  };
  return [
    ...[httpDoor, cdrDoor, rtpengineDoor, freeswitchDoor].flatMap((operations) => operations(door)),
    ...exclusionOperations(platform, settings),
    ...ingestOperations(platform, door.counts, door.limits.folder),
    ...testDoor(door, testing),
    ...connectOperations(platform, { arrivals: door.arrivals, testing }),
    operation({
      method: 'get',
      path: '/recordings/{id}/audio',
      id: 'listenToRecording',
      tag: 'recordings',
      summary: 'The playback copy: AAC in MP4, whole or by range; HEAD too',
      description: 'A listen is recorded before the first byte. A trainer listens for training, whatever is asked.',
      action: 'recording.listen',
      params: idParams,
      query: z.object({ purpose: z.enum(listenPurposes).exclude(['training']).optional() }),
      replies: {
        200: { description: 'The whole', mediaType: 'audio/mp4', schema: z.string().meta({ format: 'binary' }) },
        206: { description: 'The range asked for', mediaType: 'audio/mp4', schema: z.string().meta({ format: 'binary' }) },
        304: { description: 'Not changed since' },
      },
      problems: ['retention-ended', 'not-ready', 'range-not-satisfiable', 'storage-unavailable'],
      async handle({ caller, params, query, request, response, signal }) {
        const person = personOf(caller);
        const purpose = purposeOf(person, query.purpose);
        const found = await findListenable(platform, person, params.id, purpose);
        await servePlayback(platform, person, found, purpose, { request, response, signal });
        return undefined;
      },
    }),
    operation({
      method: 'get',
      path: '/recordings/{id}/waveform',
      id: 'readWaveform',
      tag: 'recordings',
      summary: 'Peaks per channel and the silences, to draw before any audio is fetched',
      action: 'recording.listen',
      params: idParams,
      replies: {
        200: {
          description: 'Peaks in −1..1, one list a channel; gaps in milliseconds of the playback copy',
          schema: z.object({
            durationMs: z.int(),
            channels: z.array(z.array(z.number())),
            maxPeak: z.number(),
            gaps: z.array(z.tuple([z.int(), z.int()])),
          }),
        },
        304: { description: 'Not changed since' },
      },
      problems: ['retention-ended', 'not-ready', 'storage-unavailable'],
      async handle({ caller, params, request, response, signal }) {
        const person = personOf(caller);
        const found = await findListenable(platform, person, params.id, purposeOf(person, undefined));
        await serveWaveform(platform, found, { request, response, signal });
        return undefined;
      },
    }),
  ];
}
