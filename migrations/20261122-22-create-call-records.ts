import type { Migration } from '../src/platform/migrate.js';

/**
 * Call data records as PBXs report them. One that belongs to a recording goes with it; the others are kept for the
 * completeness check only, and are items of retention by themselves (`loose_call_records`).
 */
export const migration: Migration = {
  name: '20261122-22-create-call-records',
  async up({ query }) {
    await query(`
      CREATE TABLE call_records (
        id uuid PRIMARY KEY,
        source_id uuid NOT NULL REFERENCES sources (id),
        unique_id text NOT NULL,
        sequence text NOT NULL,
        call_key text NOT NULL,
        started_at timestamptz NOT NULL,
        answered_at timestamptz,
        ended_at timestamptz NOT NULL,
        billed_ms bigint,
        disposition text NOT NULL CHECK (disposition IN ('answered', 'no_answer', 'busy', 'failed', 'congestion', 'unknown')),
        caller_number text,
        caller_name text,
        callee_number text,
        caller_withheld boolean NOT NULL DEFAULT false,
        channel text,
        peer_channel text,
        application text,
        agent text,
        queue text,
        recording_name text,
        holds jsonb NOT NULL DEFAULT '[]',
        recording_id uuid REFERENCES recordings (id) ON DELETE CASCADE,
        received_at timestamptz NOT NULL,
        retain_until timestamptz NOT NULL,
        purge_intent jsonb,
        UNIQUE (source_id, unique_id, sequence)
      )`);
    await query('CREATE INDEX call_records_call ON call_records (source_id, call_key)');
    await query('CREATE INDEX call_records_recording ON call_records (recording_id) WHERE recording_id IS NOT NULL');
    await query('CREATE INDEX call_records_due ON call_records (retain_until, id) WHERE recording_id IS NULL');
    await query(
      `CREATE INDEX call_records_missing ON call_records (source_id, ended_at) WHERE recording_id IS NULL AND disposition = 'answered'`,
    );
    await query('CREATE VIEW loose_call_records AS SELECT * FROM call_records WHERE recording_id IS NULL');
  },
  async down({ query }) {
    await query('DROP VIEW loose_call_records');
    await query('DROP TABLE call_records');
  },
};
