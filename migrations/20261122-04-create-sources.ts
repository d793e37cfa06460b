import type { Migration } from '../src/platform/migrate.js';

/** PBXs and helpdesks, and the keys they come with. A key goes, its source stays: what was pushed hangs on it. */
export const migration: Migration = {
  name: '20261122-04-create-sources',
  async up({ query }) {
    await query(`
      CREATE TABLE sources (
        id uuid PRIMARY KEY,
        name text NOT NULL CHECK (name <> ''),
        kind text NOT NULL CHECK (kind IN ('pbx', 'helpdesk')),
        time_zone text NOT NULL,
        channel_map text[] NOT NULL
          CHECK (channel_map <@ ARRAY['caller', 'agent'] AND cardinality(channel_map) BETWEEN 1 AND 2),
        own_numbers text[] NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL
      )`);
    await query('CREATE UNIQUE INDEX sources_name ON sources (lower(name))');
    await query('CREATE INDEX sources_listed ON sources (created_at DESC, id DESC)');
    await query(`
      CREATE TABLE keys (
        id uuid PRIMARY KEY,
        source_id uuid NOT NULL REFERENCES sources (id),
        name text NOT NULL CHECK (name <> ''),
        role text NOT NULL CHECK (role IN ('pbx', 'helpdesk')),
        prefix text NOT NULL,
        digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
        created_at timestamptz NOT NULL,
        last_seen_at timestamptz,
        expires_at timestamptz,
        replaced_by uuid REFERENCES keys (id),
        revoked_at timestamptz
      )`);
    await query('CREATE INDEX keys_listed ON keys (created_at DESC, id DESC)');
    await query('CREATE INDEX keys_of_source ON keys (source_id)');
  },
  async down({ query }) {
    await query('DROP TABLE keys');
    await query('DROP TABLE sources');
  },
};
