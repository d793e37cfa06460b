import type { Migration } from '../src/platform/migrate.js';

/** Who listened to what and for which purpose: opened before the first byte leaves, completed with what was served. */
export const migration: Migration = {
  name: '20261122-21-create-listens',
  async up({ query }) {
    await query(`
      CREATE TABLE listens (
        id uuid PRIMARY KEY,
        recording_id uuid NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        version_id uuid NOT NULL REFERENCES recording_versions (id) ON DELETE CASCADE,
        user_id uuid NOT NULL REFERENCES users (id),
        purpose text NOT NULL CHECK (purpose IN ('training', 'evidence', 'access_request')),
        opened_at timestamptz NOT NULL,
        last_served_at timestamptz NOT NULL,
        served_bytes int8multirange NOT NULL DEFAULT '{}'
      )`);
    await query('CREATE INDEX listens_recording ON listens (recording_id, opened_at)');
    await query('CREATE INDEX listens_open ON listens (user_id, version_id, purpose, last_served_at DESC)');
  },
  async down({ query }) {
    await query('DROP TABLE listens');
  },
};
