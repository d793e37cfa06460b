import type { Migration } from '../src/platform/migrate.js';

/** What became of pushes, counted by source and hour: for the rhythm of a PBX and for what it was refused. No person in it. */
export const migration: Migration = {
  name: '20261122-24-create-ingest-hours',
  async up({ query }) {
    await query(`
      CREATE TABLE ingest_hours (
        source_id uuid NOT NULL REFERENCES sources (id),
        hour timestamptz NOT NULL,
        outcome text NOT NULL,
        count integer NOT NULL CHECK (count > 0),
        last_at timestamptz NOT NULL,
        PRIMARY KEY (source_id, hour, outcome)
      )`);
    await query('CREATE INDEX ingest_hours_hour ON ingest_hours (hour)');
  },
  async down({ query }) {
    await query('DROP TABLE ingest_hours');
  },
};
