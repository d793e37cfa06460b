import type { Migration } from '../src/platform/migrate.js';

/**
 * What a trainer shows an agent: one of the agent's own calls, whole or from a start to an end (on the recording's own
 * timeline). A share that was taken back stays on record until the recording goes.
 */
export const migration: Migration = {
  name: '20261122-70-create-recording-shares',
  async up({ query }) {
    await query(`
      CREATE TABLE recording_shares (
        id uuid PRIMARY KEY,
        recording_id uuid NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        agent_id uuid NOT NULL REFERENCES users (id),
        start_ms bigint CHECK (start_ms >= 0),
        end_ms bigint,
        note text,
        shared_by uuid NOT NULL REFERENCES users (id),
        shared_at timestamptz NOT NULL,
        revoked_by uuid REFERENCES users (id),
        revoked_at timestamptz,
        CHECK ((start_ms IS NULL) = (end_ms IS NULL) AND (end_ms IS NULL OR end_ms > start_ms)),
        CHECK ((revoked_by IS NULL) = (revoked_at IS NULL))
      )`);
    await query(
      'CREATE UNIQUE INDEX recording_shares_in_force ON recording_shares (recording_id, agent_id) WHERE revoked_at IS NULL',
    );
    // Those taken back are found too when the recording goes.
    await query('CREATE INDEX recording_shares_recording ON recording_shares (recording_id)');
    await query(
      'CREATE INDEX recording_shares_agent ON recording_shares (agent_id, shared_at DESC) WHERE revoked_at IS NULL',
    );
  },
  async down({ query }) {
    await query('DROP TABLE recording_shares');
  },
};
