import type { Migration } from '../src/platform/migrate.js';

/** Who a person is at the organisation's identity provider: its subject, never the e-mail address, which may pass on. */
export const migration: Migration = {
  name: '20261123-85-create-identities',
  async up({ query }) {
    await query(`
      CREATE TABLE identities (
        issuer text NOT NULL,
        subject text NOT NULL,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        linked_at timestamptz NOT NULL,
        PRIMARY KEY (issuer, subject)
      )`);
    await query('CREATE UNIQUE INDEX identity_of_user ON identities (user_id, issuer)');
  },
  async down({ query }) {
    await query('DROP TABLE identities');
  },
};
