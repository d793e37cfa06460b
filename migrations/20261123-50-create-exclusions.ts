import type { Migration } from '../src/platform/migrate.js';

/**
 * Numbers and extensions that are not recorded, and the calls that were kept out for them. A call is remembered by
 * digests of what its source calls it, so that another part of it, or its call data, does not come in a moment later.
 */
export const migration: Migration = {
  name: '20261123-50-create-exclusions',
  async up({ query }) {
    await query(`
      CREATE TABLE excluded_numbers (
        id uuid PRIMARY KEY,
        number text NOT NULL,
        note text NOT NULL,
        added_at timestamptz NOT NULL,
        added_by uuid NOT NULL REFERENCES users (id),
        removed_at timestamptz,
        removed_by uuid REFERENCES users (id),
        CHECK ((removed_at IS NULL) = (removed_by IS NULL))
      )`);
    await query('CREATE UNIQUE INDEX excluded_numbers_in_force ON excluded_numbers (number) WHERE removed_at IS NULL');
    await query(`
      CREATE TABLE excluded_calls (
        source_id uuid NOT NULL REFERENCES sources (id),
        digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
        excluded_at timestamptz NOT NULL,
        PRIMARY KEY (source_id, digest)
      )`);
    await query('CREATE INDEX excluded_calls_age ON excluded_calls (excluded_at)');
    for (const table of ['purges', 'tombstones']) {
      await query(`ALTER TABLE ${table} DROP CONSTRAINT ${table}_reason_check`);
      await query(
        `ALTER TABLE ${table} ADD CONSTRAINT ${table}_reason_check
           CHECK (reason IN ('retention', 'erasure', 'objection', 'lifecycle', 'excluded'))`,
      );
    }
  },
  async down({ query }) {
    for (const table of ['purges', 'tombstones']) {
      await query(`ALTER TABLE ${table} DROP CONSTRAINT ${table}_reason_check`);
      await query(
        `ALTER TABLE ${table} ADD CONSTRAINT ${table}_reason_check
           CHECK (reason IN ('retention', 'erasure', 'objection', 'lifecycle')) NOT VALID`,
      );
    }
    await query('DROP TABLE excluded_calls');
    await query('DROP TABLE excluded_numbers');
  },
};
