import type { Migration } from '../src/platform/migrate.js';

/** How far a PBX that is asked (rather than pushing) has been read: the newest id taken, and those to be tried again. */
export const migration: Migration = {
  name: '20261122-26-create-pulls',
  async up({ query }) {
    await query(`
      CREATE TABLE pulls (
        source_id uuid PRIMARY KEY REFERENCES sources (id),
        taken_to bigint NOT NULL DEFAULT 0,
        last_pull_at timestamptz,
        last_fault text
      )`);
    await query(`
      CREATE TABLE pull_retries (
        source_id uuid NOT NULL REFERENCES sources (id),
        remote_id bigint NOT NULL,
        attempts integer NOT NULL,
        next_attempt_at timestamptz NOT NULL,
        PRIMARY KEY (source_id, remote_id)
      )`);
  },
  async down({ query }) {
    await query('DROP TABLE pull_retries');
    await query('DROP TABLE pulls');
  },
};
