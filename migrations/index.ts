import type { Migration } from '../src/platform/migrate.js';
import { migration as createAgendaJobs } from './20261122-01-create-agenda-jobs.js';
import { migration as createUsers } from './20261122-02-create-users.js';
import { migration as createSessions } from './20261122-03-create-sessions.js';
import { migration as createSources } from './20261122-04-create-sources.js';
import { migration as createOrganisation } from './20261122-05-create-organisation.js';
import { migration as createAuditEntries } from './20261122-10-create-audit-entries.js';
import { migration as createAuditBatches } from './20261122-11-create-audit-batches.js';
import { migration as createSigningKeys } from './20261122-12-create-signing-keys.js';
import { migration as createAuditCheckpoints } from './20261122-13-create-audit-checkpoints.js';
import { migration as createRecordings } from './20261122-20-create-recordings.js';
import { migration as createListens } from './20261122-21-create-listens.js';
import { migration as createCallRecords } from './20261122-22-create-call-records.js';
import { migration as addCallFacts } from './20261122-23-add-call-facts.js';
import { migration as createIngestHours } from './20261122-24-create-ingest-hours.js';
import { migration as createIngestAlarms } from './20261122-25-create-ingest-alarms.js';
import { migration as createPulls } from './20261122-26-create-pulls.js';
import { migration as createHolds } from './20261122-30-create-holds.js';
import { migration as createRestrictions } from './20261122-31-create-restrictions.js';
import { migration as createPurges } from './20261122-32-create-purges.js';
import { migration as createTombstones } from './20261122-33-create-tombstones.js';
import { migration as createSweeps } from './20261122-34-create-sweeps.js';
import { migration as createRetentionPolicies } from './20261122-35-create-retention-policies.js';
import { migration as createLifecycleChecks } from './20261122-36-create-lifecycle-checks.js';
import { migration as indexRecordingsCreated } from './20261122-37-index-recordings-created.js';
import { migration as createTickets } from './20261122-40-create-tickets.js';
import { migration as createTicketPieces } from './20261122-41-create-ticket-pieces.js';
import { migration as createTicketLinks } from './20261122-42-create-ticket-links.js';
import { migration as createTicketWords } from './20261122-43-create-ticket-words.js';
import { migration as createTicketDeliveries } from './20261122-44-create-ticket-deliveries.js';
import { migration as createAgreements } from './20261122-50-create-agreements.js';
import { migration as createPackages } from './20261122-51-create-packages.js';
import { migration as createTimeStamps } from './20261122-52-create-time-stamps.js';
import { migration as createPrivacyRequests } from './20261122-60-create-privacy-requests.js';
import { migration as createPrivacyItems } from './20261122-61-create-privacy-items.js';
import { migration as createPrivacyAnswers } from './20261122-62-create-privacy-answers.js';
import { migration as createRecordingShares } from './20261122-70-create-recording-shares.js';
import { migration as addHeardToListens } from './20261122-71-add-heard-to-listens.js';
import { migration as createComments } from './20261122-72-create-comments.js';
import { migration as createCollections } from './20261122-73-create-collections.js';
import { migration as createFurtherUses } from './20261122-74-create-further-uses.js';
import { migration as createScorecards } from './20261122-75-create-scorecards.js';
import { migration as createEvaluations } from './20261122-76-create-evaluations.js';
import { migration as createTranscripts } from './20261122-77-create-transcripts.js';
import { migration as addOriginAt } from './20261123-10-add-origin-at-to-privacy-requests.js';
import { migration as addSecretToHolds } from './20261123-30-add-secret-to-holds.js';
import { migration as reachTheSidesOfACall } from './20261123-31-reach-the-sides-of-a-call.js';
import { migration as indexTicketsByWordsAndTime } from './20261123-41-index-tickets-by-words-and-time.js';
import { migration as indexUnscannedAttachments } from './20261123-42-index-unscanned-attachments.js';
import { migration as speedUpTicketSearch } from './20261123-43-speed-up-ticket-search.js';
import { migration as createExclusions } from './20261123-50-create-exclusions.js';
import { migration as keepEarlierResponses } from './20261123-52-keep-earlier-responses.js';
import { migration as takePortalRequests } from './20261123-60-take-portal-requests.js';
import { migration as completePrivacyRequests } from './20261123-61-complete-privacy-requests.js';
import { migration as nameWhatRecipientsHold } from './20261123-62-name-what-recipients-hold.js';
import { migration as createIngestArrivals } from './20261123-70-create-ingest-arrivals.js';
import { migration as createRecordingChanges } from './20261123-75-create-recording-changes.js';
import { migration as closeTheSidesOfAMixedCall } from './20261123-81-close-the-sides-of-a-mixed-call.js';
import { migration as createIdentities } from './20261123-85-create-identities.js';
import { migration as numberTheWordings } from './20261123-95-number-the-wordings-of-requests.js';
import { migration as sayTranscriptPurposes } from './20261123-96-say-what-transcripts-were-made-for.js';
import { migration as findTicketsByIndex } from './20261123-97-find-tickets-of-a-recording-by-index.js';
import { migration as keepApprovedLetters } from './20261123-97-keep-approved-letters.js';
import { migration as pageTheItems } from './20261123-97-page-the-items-of-requests.js';
import { migration as tellOfHolds } from './20261123-97-tell-of-holds.js';
import { migration as findHeldUpErasures } from './20261123-99-find-held-up-erasures.js';

/** Every change of the schema, oldest first. A change is added at the end and never altered once released. */
export const migrations: readonly Migration[] = [
  createAgendaJobs,
  createUsers,
  createSessions,
  createSources,
  createOrganisation,
  createAuditEntries,
  createAuditBatches,
  createSigningKeys,
  createAuditCheckpoints,
  createRecordings,
  createListens,
  createCallRecords,
  addCallFacts,
  createIngestHours,
  createIngestAlarms,
  createPulls,
  createHolds,
  createRestrictions,
  createPurges,
  createTombstones,
  createSweeps,
  createRetentionPolicies,
  createLifecycleChecks,
  indexRecordingsCreated,
  createTickets,
  createTicketPieces,
  createTicketLinks,
  createTicketWords,
  createTicketDeliveries,
  createAgreements,
  createPackages,
  createTimeStamps,
  createPrivacyRequests,
  createPrivacyItems,
  createPrivacyAnswers,
  createRecordingShares,
  addHeardToListens,
  createComments,
  createCollections,
  createFurtherUses,
  createScorecards,
  createEvaluations,
  createTranscripts,
  addOriginAt,
  addSecretToHolds,
  reachTheSidesOfACall,
  indexTicketsByWordsAndTime,
  indexUnscannedAttachments,
  speedUpTicketSearch,
  createExclusions,
  keepEarlierResponses,
  takePortalRequests,
  completePrivacyRequests,
  nameWhatRecipientsHold,
  createIngestArrivals,
  createRecordingChanges,
  closeTheSidesOfAMixedCall,
  createIdentities,
  numberTheWordings,
  sayTranscriptPurposes,
  findTicketsByIndex,
  keepApprovedLetters,
  pageTheItems,
  tellOfHolds,
  findHeldUpErasures,
];
