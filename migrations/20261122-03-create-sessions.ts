import type { Migration } from '../src/platform/migrate.js';

/** Who is signed in, by the digest of a random token; and how often someone tried to, by keyed digests. */
export const migration: Migration = {
  name: '20261122-03-create-sessions',
  async up({ query }) {
    await query(`
      CREATE TABLE sessions (
        token_digest bytea PRIMARY KEY CHECK (length(token_digest) = 32),
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        opened_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL CHECK (expires_at > opened_at)
      )`);
    await query('CREATE INDEX sessions_of_user ON sessions (user_id)');
    await query('CREATE INDEX sessions_expiry ON sessions (expires_at)');
    await query(`
      CREATE TABLE guesses (
        id uuid PRIMARY KEY,
        subject bytea NOT NULL CHECK (length(subject) = 32),
        at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
      )`);
    await query('CREATE INDEX guesses_of_subject ON guesses (subject, at)');
    await query('CREATE INDEX guesses_expiry ON guesses (expires_at)');
  },
  async down({ query }) {
    await query('DROP TABLE guesses');
    await query('DROP TABLE sessions');
  },
};
