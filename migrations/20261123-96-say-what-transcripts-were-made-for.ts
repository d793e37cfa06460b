import type { Migration } from '../src/platform/migrate.js';

/**
 * What a wording of a transcript was made for: what was written down to answer the caller is not there for training (purpose
 * limitation, art. 5(1)(b) GDPR).
 */
export const migration: Migration = {
  name: '20261123-96-say-what-transcripts-were-made-for',
  async up({ query }) {
    await query(`ALTER TABLE transcript_revisions ADD COLUMN purpose text NOT NULL DEFAULT 'training'
      CHECK (purpose IN ('training', 'evidence', 'access_request'))`);
    // A request that is done made the wording after the one that it was asked over.
    await query(`
      UPDATE transcript_revisions v SET purpose = q.purpose FROM transcript_requests q
      WHERE q.recording_id = v.recording_id AND q.state = 'done' AND v.origin = 'fetched' AND v.revision = q.base_revision + 1`);
    await query('ALTER TABLE transcript_revisions ALTER COLUMN purpose DROP DEFAULT');
  },
  async down({ query }) {
    await query('ALTER TABLE transcript_revisions DROP COLUMN purpose');
  },
};
