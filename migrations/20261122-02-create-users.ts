import type { Migration } from '../src/platform/migrate.js';

/**
 * People. This is the table that says who stands behind an id in the audit trail, so its rows stay while disabled.
 * `password_expires_at` is set while the password is one that an administrator handed out.
 */
export const migration: Migration = {
  name: '20261122-02-create-users',
  async up({ query }) {
    await query(`
      CREATE TABLE users (
        id uuid PRIMARY KEY,
        email text NOT NULL CHECK (email <> ''),
        name text NOT NULL CHECK (name <> ''),
        role text NOT NULL CHECK (role IN ('trainer', 'agent', 'privacy_officer', 'auditor', 'administrator')),
        locale text NOT NULL CHECK (locale IN ('nl', 'en')),
        extensions text[] NOT NULL DEFAULT '{}',
        password_hash text NOT NULL,
        password_expires_at timestamptz,
        created_at timestamptz NOT NULL,
        disabled_at timestamptz
      )`);
    await query('CREATE UNIQUE INDEX users_email ON users (lower(email))');
    await query('CREATE INDEX users_listed ON users (created_at DESC, id DESC)');
    await query('CREATE INDEX users_of_role ON users (role, created_at DESC, id DESC) WHERE disabled_at IS NULL');
    await query(`
      CREATE TABLE second_factors (
        user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
        sealed_secret bytea NOT NULL,
        made_at timestamptz NOT NULL,
        confirmed_at timestamptz,
        last_step bigint
      )`);
  },
  async down({ query }) {
    await query('DROP TABLE second_factors');
    await query('DROP TABLE users');
  },
};
