import type { Migration } from '../src/platform/migrate.js';

/** The sealed batches of the audit chain (`src/audit/batch.ts` says what each column means), append-only as well. */
export const migration: Migration = {
  name: '20261122-11-create-audit-batches',

  async up({ query }) {
    const hashOf = (column: string) => `${column} text NOT NULL CHECK (${column} ~ '^[0-9a-f]{64}$')`;
    await query(`
      CREATE TABLE audit_batches (
        number bigint PRIMARY KEY CHECK (number > 0),
        first_id bigint NOT NULL,
        last_id bigint NOT NULL UNIQUE,
        entries integer NOT NULL CHECK (entries > 0),
        count bigint NOT NULL UNIQUE,
        ${hashOf('root')},
        ${hashOf('previous_head')},
        ${hashOf('history')},
        frontier jsonb NOT NULL,
        ${hashOf('head')},
        signed_at timestamptz(3) NOT NULL,
        ${hashOf('key_id')},
        signature bytea NOT NULL,
        CHECK (first_id <= last_id AND entries <= last_id - first_id + 1 AND entries <= count)
      )`);
    await query('CREATE INDEX audit_batches_key ON audit_batches (key_id)');
    await query(`
      CREATE TRIGGER audit_batches_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_batches
      FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`);
    await query('ALTER TABLE audit_batches ENABLE ALWAYS TRIGGER audit_batches_append_only');
  },

  async down({ query }) {
    await query('DROP TABLE audit_batches');
  },
};
