import type { Machine } from '../../access/caller.js';
import type { Answer } from '../../platform/http.js';
import { recogniseAudio } from '../../platform/audio/recognise.js';
import { Problem, type FieldFault, type ProblemCode } from '../../platform/problem.js';
import { ingest } from '../ingest.js';
import { readMetadata, type Metadata, type ReadingContext } from '../metadata.js';
import { recordingSchema } from '../present.js';
import { discardUpload, type Upload } from '../upload.js';
import type { Door } from './door.js';

/** What the doors for audio have in common: from a received file and what was told of it to the answer. */

export const pushReplies = {
  200: { description: 'These bytes were there already: the same recording', schema: recordingSchema },
  201: { description: 'Stored, proved to be in storage, committed: a new recording or a new version', schema: recordingSchema },
};

export const pushProblems = [
  'not-audio', 'empty-recording', 'digest-mismatch', 'retention-over', 'direction-not-covered', 'number-excluded', 'invalid-input', 'too-large',
  'too-busy', 'storage-unavailable', 'disk-low',
] as const satisfies readonly ProblemCode[];

/**
 * Takes a push if there is room for one more, and counts what becomes of it: refusals with their cause, so that a PBX that
 * is refused does not go unnoticed.
 * @throws Problem `too-busy` when too many are under way already: each of them holds a file and a connection
 */
export async function counted(door: Door, machine: Machine, push: () => Promise<Answer>): Promise<Answer> {
  door.uploads.active += 1;
  try {
    if (door.uploads.active > door.uploads.most) throw new Problem('too-busy', { headers: { 'Retry-After': '5' } });
    const answer = await push();
    const outcome = answer.status === 201 ? 'received' : 'duplicate';
    door.counts.count(machine.sourceId, outcome);
    const recordingId = /[^/]+$/.exec(answer.headers?.['Location'] ?? '')?.[0];
    door.arrivals.note(machine.sourceId, { kind: 'recording', outcome, recordingId });
    return answer;
  } catch (error) {
    const known = error instanceof Problem ? error : undefined;
    const outcome = known?.code ?? 'internal-error';
    door.counts.count(machine.sourceId, outcome);
    door.arrivals.note(machine.sourceId, { kind: 'recording', outcome, faults: known?.errors });
    throw error;
  } finally {
    door.uploads.active -= 1;
  }
}

export interface TakeOptions {
  /** For the extension of headerless formats, where the upload itself is not named. */
  fileName?: string | undefined;
  /** A client that tells no start: the call is taken to have begun the audio's length before receipt. */
  startFromAudio?: boolean;
}

/** Takes one uploaded file through the whole of ingest. The upload is let go of whatever happens. */
export async function takeUpload(
  door: Door,
  machine: Machine,
  upload: Upload | undefined,
  told: Record<string, unknown>,
  options: TakeOptions = {},
): Promise<Answer> {
  try {
    const context = door.readingContext(machine);
    const isDated = told['startedAt'] !== undefined || options.startFromAudio !== true;
    const dated = isDated ? told : { ...told, startedAt: context.now.toISOString() };
    const faults: FieldFault[] = upload === undefined ? [{ path: 'audio', message: 'is required' }] : [];
    let metadata = metadataOrFaults(faults, dated, context);
    if (upload === undefined || metadata === undefined) throw new Problem('invalid-input', { errors: faults });
    const name = options.fileName ?? upload.fileName;
    const audio = await recogniseAudio(upload.content, {
      ...(metadata.format === undefined ? {} : { format: metadata.format }),
      ...(name === undefined ? {} : { fileName: name }),
    });
    if (!isDated)
      metadata = { ...metadata, startedAt: new Date(context.now.getTime() - Math.round(audio.estimatedDurationMs)) };
    const ingested = await ingest(door.platform, door.ingestSettings(machine), machine, metadata, upload, audio);
    return {
      status: ingested.outcome === 'duplicate' ? 200 : 201,
      headers: {
        Location: `/api/v1/recordings/${ingested.recordingId}`,
        // What came in just now; the body tells the newest version, which an older file is not.
        'X-Received-SHA256': upload.sha256,
      },
      body: await door.present(ingested.recordingId, machine),
    };
  } finally {
    await discardUpload(upload);
  }
}

/** All that is wrong with a push is told at once, the missing file included. */
function metadataOrFaults(faults: FieldFault[], told: Record<string, unknown>, context: ReadingContext): Metadata | undefined {
  try {
    return readMetadata(told, context);
  } catch (error) {
    if (!(error instanceof Problem) || error.errors === undefined) throw error;
    faults.push(...error.errors);
    return undefined;
  }
}
