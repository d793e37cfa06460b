import type { Migration } from '../src/platform/migrate.js';

/**
 * Deletions that have begun. The row is the intent: from its commit on the item is going, whatever dies meanwhile. Nobody
 * but the holder of `claim_id` works on it before `next_attempt_at`. `found` and
 * `found_live` (delete markers and old versions left out) count what was there before the first deletion: null until
 * somebody looked.
 */
export const migration: Migration = {
  name: '20261122-32-create-purges',
  async up({ query }) {
    await query(`
      CREATE TABLE purges (
        category text NOT NULL,
        item_id uuid NOT NULL,
        subject_id uuid NOT NULL,
        reason text NOT NULL CHECK (reason IN ('retention', 'erasure', 'objection', 'lifecycle')),
        rule text NOT NULL,
        actor_kind text NOT NULL CHECK (actor_kind IN ('person', 'machine', 'system')),
        actor_id text NOT NULL,
        retain_until timestamptz NOT NULL,
        stored_at timestamptz NOT NULL,
        prefix text,
        intended_at timestamptz NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        claim_id uuid,
        found integer,
        found_live integer,
        last_fault text,
        PRIMARY KEY (category, item_id)
      )`);
    await query('CREATE INDEX purges_work ON purges (next_attempt_at)');
  },
  async down({ query }) {
    await query('DROP TABLE purges');
  },
};
