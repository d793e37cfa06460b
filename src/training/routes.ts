import type { Caller } from '../access/caller.js';
import type { Operation } from '../platform/http.js';
import type { Platform } from '../platform/platform.js';
import { collectionOperations } from './collection-routes.js';
import { commentOperations } from './comment-routes.js';
import { evaluationOperations } from './evaluation-routes.js';
import { sampleOperations } from './sample-routes.js';
import { scorecardOperations } from './scorecard-routes.js';
import { shareOperations } from './share-routes.js';

/** Everything that trainers and agents do with a recording beyond hearing it. */
export function trainingOperations(
  platform: Pick<Platform, 'clock' | 'database' | 'objects'>,
  settings: { timeZone: string },
): Operation<Caller>[] {
  return [
    ...shareOperations(platform),
    ...commentOperations(platform),
    ...collectionOperations(platform),
    ...scorecardOperations(platform),
    ...evaluationOperations(platform, settings),
    ...sampleOperations(platform, settings),
  ];
}
