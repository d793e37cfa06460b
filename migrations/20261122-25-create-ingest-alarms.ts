import type { Migration } from '../src/platform/migrate.js';

/** A PBX that fell silent, or calls whose recordings did not come: raised once, told once by each way, then cleared. */
export const migration: Migration = {
  name: '20261122-25-create-ingest-alarms',
  async up({ query }) {
    await query(`
      CREATE TABLE ingest_alarms (
        id uuid PRIMARY KEY,
        source_id uuid NOT NULL REFERENCES sources (id),
        kind text NOT NULL CHECK (kind IN ('silent', 'recordings_missing', 'refused')),
        count integer NOT NULL,
        raised_at timestamptz NOT NULL,
        cleared_at timestamptz
      )`);
    await query('CREATE UNIQUE INDEX ingest_alarms_standing ON ingest_alarms (source_id, kind) WHERE cleared_at IS NULL');
    await query(`
      CREATE TABLE ingest_notices (
        alarm_id uuid NOT NULL REFERENCES ingest_alarms (id) ON DELETE CASCADE,
        event text NOT NULL CHECK (event IN ('raised', 'cleared')),
        way text NOT NULL CHECK (way IN ('webhook', 'mail')),
        next_attempt_at timestamptz NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        told_at timestamptz,
        PRIMARY KEY (alarm_id, event, way)
      )`);
    await query('CREATE INDEX ingest_notices_work ON ingest_notices (next_attempt_at) WHERE told_at IS NULL');
  },
  async down({ query }) {
    await query('DROP TABLE ingest_notices');
    await query('DROP TABLE ingest_alarms');
  },
};
