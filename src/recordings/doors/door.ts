import type { Caller, Machine } from '../../access/caller.js';
import { Problem } from '../../platform/problem.js';
import type { Arrivals } from '../arrivals.js';
import type { IngestCounts } from '../ingest-counts.js';
import type { IngestPlatform, IngestSettings } from '../ingest.js';
import type { ReadingContext } from '../metadata.js';
import type { PresentedRecording } from '../present.js';
import type { UploadLimits } from '../upload.js';

/** What every door is given: one file per vendor stands on this, on `take.ts`, and on nothing else of its neighbours. */
export interface Door {
  platform: IngestPlatform;
  limits: UploadLimits;
  /** Uploads under way in this process, and how many there may be. */
  uploads: { active: number; most: number };
  counts: IngestCounts;
  arrivals: Arrivals;
  readingContext(machine: Machine): ReadingContext;
  ingestSettings(machine: Machine): IngestSettings;
  /** The recording as the machine that pushed it sees it. */
  present(recordingId: string, machine: Machine): Promise<PresentedRecording>;
}

/** A source is a machine: the policy lets no person push. */
export function machineOf(caller: Caller): Machine {
  if (caller.kind !== 'machine') throw new Problem('forbidden');
  return caller;
}
