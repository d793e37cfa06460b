import type { Migration } from '../src/platform/migrate.js';

/**
 * What people say about a moment or a stretch of a recording (on its own timeline), and what is answered. A comment that
 * was deleted while others had answered it stays as an empty one. All of it goes with the recording.
 */
export const migration: Migration = {
  name: '20261122-72-create-comments',
  async up({ query }) {
    await query(`
      CREATE TABLE comments (
        id uuid PRIMARY KEY,
        recording_id uuid NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        version integer NOT NULL,
        reply_to uuid REFERENCES comments (id) ON DELETE CASCADE,
        author_id uuid NOT NULL REFERENCES users (id),
        kind text NOT NULL CHECK (kind IN ('note', 'praise', 'improvement', 'question')),
        visibility text NOT NULL CHECK (visibility IN ('private', 'shared')),
        start_ms bigint NOT NULL CHECK (start_ms >= 0),
        end_ms bigint CHECK (end_ms > start_ms),
        text text NOT NULL,
        created_at timestamptz NOT NULL,
        edited_at timestamptz,
        deleted_at timestamptz,
        CHECK ((text = '') = (deleted_at IS NOT NULL))
      )`);
    await query('CREATE INDEX comments_recording ON comments (recording_id, start_ms, id)');
    await query('CREATE INDEX comments_replies ON comments (reply_to) WHERE reply_to IS NOT NULL');
  },
  async down({ query }) {
    await query('DROP TABLE comments');
  },
};
