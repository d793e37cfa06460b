import type { Migration } from '../src/platform/migrate.js';

/**
 * The last things that came in from each source, and keys that were refused, so that who connects a PBX sees at once what
 * arrives and what is wrong. Both are short lists of a day: no number, no name, and of a refused push nothing but why.
 */
export const migration: Migration = {
  name: '20261123-70-create-ingest-arrivals',
  async up({ query }) {
    await query(`
      CREATE TABLE ingest_arrivals (
        id uuid PRIMARY KEY,
        source_id uuid NOT NULL REFERENCES sources (id),
        at timestamptz NOT NULL,
        kind text NOT NULL CHECK (kind IN ('recording', 'call_data', 'test')),
        outcome text NOT NULL,
        faults jsonb NOT NULL DEFAULT '[]',
        recording_id uuid,
        stored integer
      )`);
    await query('CREATE INDEX ingest_arrivals_newest ON ingest_arrivals (source_id, at DESC)');
    await query('CREATE INDEX ingest_arrivals_at ON ingest_arrivals (at)');
    await query(`
      CREATE TABLE refused_keys (
        prefix text NOT NULL,
        reason text NOT NULL CHECK (reason IN ('unknown', 'damaged', 'revoked', 'expired', 'wrong_role')),
        source_id uuid REFERENCES sources (id),
        count integer NOT NULL CHECK (count > 0),
        last_at timestamptz NOT NULL,
        PRIMARY KEY (prefix, reason)
      )`);
    await query('CREATE INDEX refused_keys_last_at ON refused_keys (last_at)');
  },
  async down({ query }) {
    await query('DROP TABLE refused_keys');
    await query('DROP TABLE ingest_arrivals');
  },
};
