import type { Migration } from '../src/platform/migrate.js';

/**
 * Rounds of deletion, and the tags that follow the holds. A sweep that is `running` is taken up by the next worker that
 * looks; its counts are kept in the transactions that delete.
 */
export const migration: Migration = {
  name: '20261122-34-create-sweeps',
  async up({ query }) {
    await query(`
      CREATE TABLE sweeps (
        id uuid PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('running', 'done')),
        trigger text NOT NULL CHECK (trigger IN ('schedule', 'request')),
        actor_kind text NOT NULL,
        actor_id text NOT NULL,
        requested_at timestamptz NOT NULL,
        finished_at timestamptz,
        purged integer NOT NULL DEFAULT 0,
        failed integer NOT NULL DEFAULT 0,
        CHECK ((state = 'done') = (finished_at IS NOT NULL))
      )`);
    await query(`CREATE INDEX sweeps_running ON sweeps (requested_at) WHERE state = 'running'`);
    await query('CREATE INDEX sweeps_listed ON sweeps (requested_at DESC, id DESC)');
    await query(`
      CREATE TABLE retags (
        category text NOT NULL,
        item_id uuid NOT NULL,
        revision integer NOT NULL DEFAULT 1,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        PRIMARY KEY (category, item_id)
      )`);
    await query('CREATE INDEX retags_work ON retags (next_attempt_at)');
  },
  async down({ query }) {
    await query('DROP TABLE retags');
    await query('DROP TABLE sweeps');
  },
};
