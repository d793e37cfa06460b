import type { Machine } from '../../access/caller.js';
import type { IngestPlatform, IngestSettings } from '../ingest.js';
import type { ReadingContext } from '../metadata.js';
import type { PresentedRecording } from '../present.js';
import type { UploadLimits } from '../upload.js';

/** What every door is given: one file per vendor stands on this and on nothing else of its neighbours. */
export interface Door {
  platform: IngestPlatform;
  limits: UploadLimits;
  readingContext(machine: Machine): Promise<ReadingContext>;
  ingestSettings(machine: Machine): Promise<IngestSettings>;
  /** The recording as the machine that pushed it sees it. */
  present(recordingId: string, machine: Machine): Promise<PresentedRecording>;
}
