import type { Migration } from '../src/platform/migrate.js';

/**
 * Packages: what leaves the house, sealed. A row is the order, the queue and, once sealed, what was made. `disclosures`
 * outlive packages and recordings: to whom something was handed out must be known when it has to be corrected or erased
 * there too (art. 19 GDPR).
 */
export const migration: Migration = {
  name: '20261122-51-create-packages',
  async up({ query }) {
    await query(`
      CREATE TABLE package_numbers (
        series text NOT NULL,
        year integer NOT NULL,
        last integer NOT NULL,
        PRIMARY KEY (series, year)
      )`);
    await query(`
      CREATE TABLE packages (
        id uuid PRIMARY KEY,
        kind text NOT NULL,
        reference text NOT NULL UNIQUE,
        state text NOT NULL DEFAULT 'sealing' CHECK (state IN ('sealing', 'sealed', 'incomplete')),
        request jsonb NOT NULL,
        reason text NOT NULL CHECK (reason <> ''),
        recipient text NOT NULL CHECK (recipient <> ''),
        requested_by uuid NOT NULL REFERENCES users (id),
        requested_at timestamptz NOT NULL,
        object_key text,
        bytes bigint,
        sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        key_id text,
        missing text[] NOT NULL DEFAULT '{}',
        sealed_at timestamptz,
        retain_until timestamptz NOT NULL,
        purge_intent jsonb,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        last_fault text,
        CHECK (state = 'sealing' OR (object_key IS NOT NULL AND bytes IS NOT NULL AND sha256 IS NOT NULL
          AND key_id IS NOT NULL AND sealed_at IS NOT NULL)),
        CHECK ((state = 'incomplete') = (cardinality(missing) > 0))
      )`);
    await query('CREATE INDEX packages_listed ON packages (kind, requested_at DESC, id DESC)');
    await query('CREATE INDEX packages_due ON packages (retain_until, id)');
    await query(`CREATE INDEX packages_work ON packages (next_attempt_at) WHERE state = 'sealing'`);
    await query(`
      CREATE TABLE package_recordings (
        package_id uuid NOT NULL REFERENCES packages (id) ON DELETE CASCADE,
        recording_id uuid NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        place integer NOT NULL,
        PRIMARY KEY (package_id, recording_id)
      )`);
    await query('CREATE INDEX package_recordings_recording ON package_recordings (recording_id)');
    await query(`
      CREATE TABLE disclosures (
        package_id uuid NOT NULL,
        recording_id uuid NOT NULL,
        kind text NOT NULL,
        reference text NOT NULL,
        recipient text NOT NULL,
        reason text NOT NULL,
        disclosed_at timestamptz NOT NULL,
        PRIMARY KEY (package_id, recording_id)
      )`);
    await query('CREATE INDEX disclosures_recording ON disclosures (recording_id, disclosed_at DESC)');
    await query('CREATE INDEX disclosures_disclosed ON disclosures (disclosed_at)');
  },
  async down({ query }) {
    for (const table of ['disclosures', 'package_recordings', 'packages', 'package_numbers']) await query(`DROP TABLE ${table}`);
  },
};
