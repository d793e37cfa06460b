import type { Migration } from '../src/platform/migrate.js';

/**
 * What is left of what was deleted: proof, and no personal data. `sha256` holds the digests of the original bytes, one a
 * version; `push_digest` tells the same thing when it is pushed again.
 */
export const migration: Migration = {
  name: '20261122-33-create-tombstones',
  async up({ query }) {
    await query(`
      CREATE TABLE tombstones (
        id uuid PRIMARY KEY,
        category text NOT NULL,
        item_id uuid NOT NULL,
        subject_kind text NOT NULL,
        subject_id uuid NOT NULL,
        sha256 text[] NOT NULL,
        day date,
        reason text NOT NULL CHECK (reason IN ('retention', 'erasure', 'objection', 'lifecycle')),
        rule text NOT NULL,
        retain_until timestamptz NOT NULL,
        stored_at timestamptz NOT NULL,
        intended_at timestamptz NOT NULL,
        purged_at timestamptz NOT NULL,
        actor_kind text NOT NULL CHECK (actor_kind IN ('person', 'machine', 'system')),
        actor_id text NOT NULL,
        objects integer NOT NULL,
        confirmed_how text NOT NULL,
        source_id uuid,
        push_digest text,
        UNIQUE (category, item_id)
      )`);
    await query('CREATE INDEX tombstones_purged ON tombstones (purged_at DESC, id DESC)');
    await query('CREATE INDEX tombstones_subject ON tombstones (subject_id, purged_at DESC, id DESC)');
    await query('CREATE INDEX tombstones_push ON tombstones (push_digest) WHERE push_digest IS NOT NULL');
  },
  async down({ query }) {
    await query('DROP TABLE tombstones');
  },
};
