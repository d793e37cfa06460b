import path from 'node:path';
import type { Caller } from './access/caller.js';
import { accessOperations } from './access/routes.js';
import { anchorFileName } from './audit/anchor.js';
import { bucketPlace, defineAnchorJob, webhookPlace, type AnchorPlace } from './audit/anchor-places.js';
import { defineAuditJobs, type AuditJobs } from './audit/jobs.js';
import { createSealer } from './audit/seal.js';
import { createVerifier } from './audit/verifier.js';
import type { Config } from './config.js';
import { evidenceKind } from './evidence/evidence-kind.js';
import { defineIngestStamps } from './evidence/ingest-stamps.js';
import { evidenceOperations } from './evidence/routes.js';
import { holdNumberOperations } from './library/hold-number.js';
import { libraryOperations } from './library/routes.js';
import { transcriptSearchOperation } from './library/search-transcripts.js';
import { oversightOperations } from './oversight/routes.js';
import { definePackageJobs } from './packages/jobs.js';
import { packageCategory } from './packages/purge.js';
import { packagesFolder } from './packages/seal.js';
import { findFfmpeg, type Ffmpeg } from './platform/ffmpeg.js';
import type { Operation } from './platform/http.js';
import { openObjects } from './platform/objects.js';
import type { Platform } from './platform/platform.js';
import type { SigningKey } from './platform/signing.js';
import { definePrivacyJobs } from './privacy/jobs.js';
import { privacyRequestCategory } from './privacy/retention.js';
import type { PrivacyContext } from './privacy/request.js';
import { privacyOperations } from './privacy/routes.js';
import { callDataCategory } from './recordings/call-data.js';
import { listenOperations } from './recordings/listen-routes.js';
import { createTimeStamper } from './platform/time-stamp.js';
import { finishStaleUploads } from './recordings/ingest.js';
import { defineIngestJobs } from './recordings/jobs.js';
import { processReceived, releaseClaims } from './recordings/process.js';
import { recordingCategory } from './recordings/purge.js';
import { processingFolder, recordingOperations, type TicketsOf } from './recordings/routes.js';
import { processJob } from './recordings/version.js';
import { transcribeJob, transcribeRequested } from './recordings/transcribe.js';
import { transcriptOperations } from './recordings/transcript-routes.js';
import type { Category } from './retention/category.js';
import { furtherUseOperations } from './retention/further-use-routes.js';
import { retentionJobs, startRetention } from './retention/jobs.js';
import { keptFrom } from './retention/policies.js';
import { processorsOf } from './retention/processors.js';
import { retentionOperations } from './retention/routes.js';
import { defineTicketJobs } from './tickets/jobs.js';
import { ticketsOfRecordings } from './tickets/link.js';
import { ticketCategories } from './tickets/purge.js';
import { ticketOperations } from './tickets/routes.js';
import { createScanner } from './tickets/scanner.js';
import type { TicketSettings } from './tickets/settings.js';
import { expireOutcomes } from './training/outcome.js';
import { trainingOperations } from './training/routes.js';

/** Which features there are: their operations, their jobs, and what retention asks of each. */
export interface Features {
  platform: Platform;
  config: Config;
  signingKey: SigningKey;
  audit: AuditJobs;
  /** Key of the digests under which searches for people are logged. */
  searchKey: Buffer;
  tickets: TicketSettings;
  /** Everything that has a retention period. */
  categories: readonly Category[];
}

/** Everything that has a retention period, for the service and for commands beside it. */
export function categoriesOf(platform: Pick<Platform, 'clock' | 'database'>, config: Config): Category[] {
  return [
    recordingCategory(platform, config.timeZone),
    packageCategory(platform.database, config.timeZone),
    callDataCategory(platform.database, config.timeZone),
    ...ticketCategories(platform, config.timeZone),
    privacyRequestCategory(platform.database, config.timeZone),
  ];
}

/** Puts the features on their platform. Nothing runs yet. */
export function createFeatures(platform: Platform, config: Config, signingKey: SigningKey): Features {
  const sealer = createSealer({ ...platform, signingKey, anchorFile: path.join(config.dataDir, anchorFileName) });
  const searchKey = signingKey.derive('searches');
  const verifier = createVerifier({ ...platform, sealer, keyId: signingKey.keyId });
  return {
    platform,
    config,
    signingKey,
    audit: { sealer, verifier, signingKey, keptFrom: () => keptFrom(platform, 'audit') },
    searchKey,
    tickets: {
      ...config,
      searchKey,
      scanner: config.malwareScanner === undefined ? undefined : createScanner(config.malwareScanner),
    },
    categories: categoriesOf(platform, config),
  };
}

/** What answering requests stands on. ffmpeg is looked for when the first answer with audio is made. */
function privacyContext({ platform, config, categories, signingKey }: Features): PrivacyContext {
  let ffmpeg: Promise<Ffmpeg> | undefined;
  return {
    platform, settings: config, categories, signingKey, processors: processorsOf(config), ffmpeg: () => (ffmpeg ??= findFfmpeg(platform.log)),
  };
}

/** Every operation of the API. */
export function operationsOf(features: Features): Operation<Caller>[] {
  const { platform, config, signingKey, audit, categories, searchKey } = features;
  return [
    ...accessOperations(platform, { ...config, secret: signingKey.derive('access') }),
    ...recordingOperations(platform, config, categories, (id) => ticketsForMachines(platform, id)),
    ...listenOperations(platform),
    ...transcriptOperations(platform, config),
    ...furtherUseOperations(platform, config),
    ...retentionOperations(platform, categories, { ...config, signingKey, processors: processorsOf(config) }),
    ...ticketOperations(platform, features.tickets),
    ...evidenceOperations(platform, { ...config, searchKey }),
    ...privacyOperations(privacyContext(features)),
    ...trainingOperations(platform, config),
    ...libraryOperations(platform, { ...config, searchKey }),
    ...holdNumberOperations(platform, categories, { ...config, searchKey }),
    transcriptSearchOperation(platform, { searchKey }),
    ...oversightOperations(platform, { verifier: audit.verifier, timeZone: config.timeZone }),
  ];
}

/** A PBX learns which tickets its recording belongs to, not what they are about: that is the helpdesk's. */
async function ticketsForMachines({ clock, database }: Platform, recordingId: string): ReturnType<TicketsOf> {
  const linked = (await ticketsOfRecordings(database, 'pbx', [recordingId], clock.now())).get(recordingId) ?? [];
  return linked.map(({ id, number, basis, retainUntil }) => ({ id, number, subject: null, basis, retainUntil: retainUntil.toISOString() }));
}

async function anchorPlaces({ auditAnchor, s3 }: Config, { log }: Platform): Promise<AnchorPlace[]> {
  const places = auditAnchor.url === undefined ? [] : [webhookPlace(auditAnchor.url)];
  if (auditAnchor.bucket === undefined || s3 === undefined) return places;
  const { endpoint, credentials, region, forcePathStyle } = s3;
  const objects = await openObjects({
    region, forcePathStyle, bucket: auditAnchor.bucket, log,
    ...(endpoint === undefined ? {} : { endpoint }), ...(credentials === undefined ? {} : { credentials }),
  });
  return [...places, bucketPlace(objects)];
}

/** What the worker does by itself. Each job finds its work by state, so that a lost turn costs time only. */
export async function defineJobs(features: Features, ffmpeg: Ffmpeg): Promise<void> {
  const { platform, config, audit, categories, signingKey } = features;
  const { jobs } = platform;
  // An embedded database has one process: what is claimed was claimed by one that died.
  if (config.databaseUrl === undefined) await releaseClaims(platform);
  const processing = { platform, ffmpeg, folder: processingFolder(config.dataDir) };
  jobs.define(processJob, async (signal, touch) => void (await processReceived(processing, signal, touch)));
  jobs.every(processJob, '30 seconds');
  jobs.define('recordings.finish-stale-uploads', async () => void (await finishStaleUploads({ ...platform, categories })));
  jobs.every('recordings.finish-stale-uploads', '10 minutes');
  defineIngestJobs(platform, config, categories);
  const { transcription } = config;
  if (transcription !== undefined) {
    jobs.define(transcribeJob, async (signal, touch) => void (await transcribeRequested(platform, transcription, signal, touch)));
    jobs.every(transcribeJob, '30 seconds');
  }
  jobs.define('training.expire-outcomes', async () => void (await expireOutcomes(platform)));
  jobs.every('training.expire-outcomes', '10 minutes');
  defineAuditJobs(platform, audit);
  defineAnchorJob(platform, await anchorPlaces(config, platform));
  defineTicketJobs(platform, features.tickets);
  definePrivacyJobs(privacyContext(features));
  const timeStamper = config.timeStampUrls.length === 0 ? undefined : createTimeStamper(config.timeStampUrls);
  const sealing = { ...config, platform, ffmpeg, signingKey, timeStamper, folder: packagesFolder(config.dataDir) };
  const kinds = [evidenceKind({ ...sealing, sealer: audit.sealer })];
  await definePackageJobs(platform, { ...sealing, kinds }, { alone: config.databaseUrl === undefined });
  if (timeStamper !== undefined) defineIngestStamps(platform, timeStamper);
  await startRetention(platform, config.timeZone);
  retentionJobs(platform, categories, config);
}
