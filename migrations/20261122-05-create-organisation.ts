import type { Migration } from '../src/platform/migrate.js';

/** Who the controller is. A change is a new version; what an earlier letter or package said can be looked up. */
export const migration: Migration = {
  name: '20261122-05-create-organisation',
  async up({ query }) {
    await query(`
      CREATE TABLE organisation_versions (
        version integer PRIMARY KEY CHECK (version > 0),
        controller text NOT NULL,
        address text NOT NULL,
        privacy_email text NOT NULL,
        own_numbers text[] NOT NULL,
        holidays date[] NOT NULL,
        changed_at timestamptz NOT NULL,
        changed_by uuid REFERENCES users (id)
      )`);
  },
  async down({ query }) {
    await query('DROP TABLE organisation_versions');
  },
};
