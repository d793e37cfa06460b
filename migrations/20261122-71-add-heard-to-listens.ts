import type { Migration } from '../src/platform/migrate.js';

/** What a listen's player says was heard: milliseconds of the recording's own timeline, beside the bytes that were served. */
export const migration: Migration = {
  name: '20261122-71-add-heard-to-listens',
  async up({ query }) {
    await query(`ALTER TABLE listens ADD COLUMN heard_ms int8multirange NOT NULL DEFAULT '{}'`);
    await query('ALTER TABLE listens ADD COLUMN last_heard_at timestamptz');
    await query('CREATE INDEX listens_of_person ON listens (user_id, recording_id, opened_at DESC)');
  },
  async down({ query }) {
    await query('DROP INDEX listens_of_person');
    await query('ALTER TABLE listens DROP COLUMN heard_ms, DROP COLUMN last_heard_at');
  },
};
