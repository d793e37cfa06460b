import type { Migration } from '../src/platform/migrate.js';

/**
 * What the bucket's rules were found to be, the newest comparison only: one row, which every process shows.
 */
export const migration: Migration = {
  name: '20261122-36-create-lifecycle-checks',
  async up({ query }) {
    await query(`
      CREATE TABLE lifecycle_checks (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        checked_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN ('in_sync', 'drifted', 'unsupported')),
        expected jsonb NOT NULL,
        actual jsonb NOT NULL
      )`);
  },
  async down({ query }) {
    await query('DROP TABLE lifecycle_checks');
  },
};
