import type { Migration } from '../src/platform/migrate.js';

/** The public halves of every key that ever signed, so that what a rotated key signed stays verifiable. */
export const migration: Migration = {
  name: '20261122-12-create-signing-keys',

  async up({ query }) {
    await query(`
      CREATE TABLE signing_keys (
        key_id text PRIMARY KEY CHECK (key_id ~ '^[0-9a-f]{64}$'),
        public_pem text NOT NULL,
        first_used_at timestamptz(3) NOT NULL
      )`);
    await query(`
      CREATE TRIGGER signing_keys_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON signing_keys
      FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`);
    await query('ALTER TABLE signing_keys ENABLE ALWAYS TRIGGER signing_keys_append_only');
  },

  async down({ query }) {
    await query('DROP TABLE signing_keys');
  },
};
