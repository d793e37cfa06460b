import type { Migration } from '../src/platform/migrate.js';

/**
 * Ordered lists of passages, shared among trainers. An item is a recording, or a start and an end in it (on its own
 * timeline), never a file: it goes with the recording, and keeps nothing longer.
 */
export const migration: Migration = {
  name: '20261122-73-create-collections',
  async up({ query }) {
    await query(`
      CREATE TABLE collections (
        id uuid PRIMARY KEY,
        name text NOT NULL CHECK (name <> ''),
        description text,
        created_by uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL
      )`);
    await query('CREATE INDEX collections_created ON collections (created_at DESC, id DESC)');
    await query(`
      CREATE TABLE collection_items (
        id uuid PRIMARY KEY,
        collection_id uuid NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
        recording_id uuid NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        position integer NOT NULL,
        start_ms bigint CHECK (start_ms >= 0),
        end_ms bigint,
        note text,
        added_by uuid NOT NULL REFERENCES users (id),
        added_at timestamptz NOT NULL,
        CHECK ((start_ms IS NULL) = (end_ms IS NULL) AND (end_ms IS NULL OR end_ms > start_ms))
      )`);
    await query('CREATE INDEX collection_items_order ON collection_items (collection_id, position, id)');
    await query('CREATE INDEX collection_items_recording ON collection_items (recording_id)');
  },
  async down({ query }) {
    await query('DROP TABLE collection_items');
    await query('DROP TABLE collections');
  },
};
