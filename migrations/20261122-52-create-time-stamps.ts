import type { Migration } from '../src/platform/migrate.js';

/**
 * Tokens of time-stamping authorities over the digest of each original, and the queue of those still to be asked for:
 * a row without a token is tried again when `next_attempt_at` has come.
 */
export const migration: Migration = {
  name: '20261122-52-create-time-stamps',
  async up({ query }) {
    await query(`
      CREATE TABLE time_stamps (
        version_id uuid PRIMARY KEY REFERENCES recording_versions (id) ON DELETE CASCADE,
        sha256 text NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        last_fault text,
        authority text,
        stamped_at timestamptz,
        response bytea,
        certificates text[],
        CHECK ((response IS NULL) = (stamped_at IS NULL) AND (response IS NULL) = (authority IS NULL)
          AND (response IS NULL) = (certificates IS NULL))
      )`);
    await query('CREATE INDEX time_stamps_work ON time_stamps (next_attempt_at) WHERE response IS NULL');
  },
  async down({ query }) {
    await query('DROP TABLE time_stamps');
  },
};
