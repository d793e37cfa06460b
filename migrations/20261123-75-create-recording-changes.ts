import type { Migration } from '../src/platform/migrate.js';

/**
 * What is known of a call changes: each change with what stood there before, so that an evidence package can tell it. The
 * audit trail holds a digest of it only, made with a salt that goes with the recording: afterwards nobody can find out by
 * trying what it was a digest of. The same salt for the wordings of agreements; those written before have none.
 */
export const migration: Migration = {
  name: '20261123-75-create-recording-changes',
  async up({ query }) {
    await query(`
      CREATE TABLE recording_changes (
        id uuid PRIMARY KEY,
        recording_id uuid NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        at timestamptz NOT NULL,
        fields jsonb NOT NULL,
        statement text,
        salt text NOT NULL CHECK (salt ~ '^[0-9a-f]{32}$')
      )`);
    await query('CREATE INDEX recording_changes_recording ON recording_changes (recording_id, at, id)');
    await query(`ALTER TABLE agreement_revisions ADD COLUMN salt text CHECK (salt ~ '^[0-9a-f]{32}$')`);
  },
  async down({ query }) {
    await query('ALTER TABLE agreement_revisions DROP COLUMN salt');
    await query('DROP TABLE recording_changes');
  },
};
