import type { Migration } from '../src/platform/migrate.js';

/**
 * What call data records add to a recording, and how the singles of a call hang together: a `leg` is one side of a call,
 * and `leg_of` names the recording in whose player both sides are heard.
 */
export const migration: Migration = {
  name: '20261122-23-add-call-facts',
  async up({ query }) {
    await query(`
      ALTER TABLE recordings
        ADD COLUMN caller_withheld boolean NOT NULL DEFAULT false,
        ADD COLUMN disposition text,
        ADD COLUMN answered_at timestamptz,
        ADD COLUMN billed_ms bigint,
        ADD COLUMN transfers jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN call_data_at timestamptz,
        ADD COLUMN leg text CHECK (leg IN ('caller', 'agent')),
        ADD COLUMN leg_of uuid REFERENCES recordings (id) ON DELETE SET NULL,
        ADD COLUMN sides_joined boolean NOT NULL DEFAULT false,
        ADD COLUMN call_key text GENERATED ALWAYS AS (coalesce(linked_id, call_id)) STORED`);
    await query('CREATE INDEX recordings_call ON recordings (source_id, call_key)');
    await query('CREATE INDEX recordings_legs ON recordings (leg_of) WHERE leg_of IS NOT NULL');
    await query('CREATE INDEX recordings_joined ON recordings (id) WHERE sides_joined');
    await query('CREATE INDEX recordings_received ON recordings (source_id, created_at) WHERE version > 0');
  },
  async down({ query }) {
    await query('DROP INDEX recordings_received');
    await query(`
      ALTER TABLE recordings DROP COLUMN caller_withheld, DROP COLUMN disposition, DROP COLUMN answered_at,
        DROP COLUMN billed_ms, DROP COLUMN transfers, DROP COLUMN call_data_at, DROP COLUMN leg, DROP COLUMN leg_of, DROP COLUMN sides_joined,
        DROP COLUMN call_key`);
  },
};
