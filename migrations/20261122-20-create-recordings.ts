import type { Migration } from '../src/platform/migrate.js';

/**
 * A recording is a call (or a part of one) of a source; what was pushed for it, and what was made of that, are its
 * versions. `version` is the newest committed one, 0 while the first is still coming in: such a row is invisible.
 */
export const migration: Migration = {
  name: '20261122-20-create-recordings',
  async up({ query }) {
    await query(`
      CREATE TABLE recordings (
        id uuid PRIMARY KEY,
        source_id uuid NOT NULL REFERENCES sources (id),
        call_id text NOT NULL,
        part text NOT NULL DEFAULT '0',
        linked_id text,
        direction text NOT NULL CHECK (direction IN ('inbound', 'outbound', 'internal')),
        caller_number text,
        caller_name text,
        callee_number text,
        callee_name text,
        agent text,
        queue text,
        ticket_number text,
        started_at timestamptz NOT NULL,
        ended_at timestamptz,
        holds jsonb NOT NULL DEFAULT '[]',
        channel_map jsonb NOT NULL,
        version integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        retain_until timestamptz NOT NULL,
        purge_intent jsonb,
        UNIQUE (source_id, call_id, part)
      )`);
    await query(`
      CREATE TABLE recording_versions (
        id uuid PRIMARY KEY,
        recording_id uuid NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        number integer,
        state text NOT NULL CHECK (state IN ('receiving', 'received', 'ready', 'failed')),
        original_key text NOT NULL UNIQUE,
        file_extension text NOT NULL,
        bytes bigint NOT NULL,
        sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        md5 text NOT NULL CHECK (md5 ~ '^[0-9a-f]{32}$'),
        container text NOT NULL,
        codec text NOT NULL,
        channels integer NOT NULL,
        sample_rate_hz integer NOT NULL,
        duration_ms bigint NOT NULL,
        truncated boolean NOT NULL,
        ffmpeg_input jsonb,
        received_at timestamptz NOT NULL,
        playback_key text,
        playback_bytes bigint,
        playback_sha256 text,
        playback_duration_ms bigint,
        waveform_key text,
        processed_at timestamptz,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        failure_code text,
        UNIQUE (recording_id, number),
        CHECK ((state = 'receiving') = (number IS NULL)),
        CHECK (state <> 'ready' OR (playback_key IS NOT NULL AND waveform_key IS NOT NULL))
      )`);
    // Every list is newest first, whole or by one of these; the id settles equal instants.
    await query(`CREATE INDEX recordings_started ON recordings (started_at DESC, id DESC) WHERE version > 0`);
    for (const column of ['caller_number', 'callee_number', 'agent', 'queue', 'ticket_number'])
      await query(
        `CREATE INDEX recordings_${column} ON recordings (${column}, started_at DESC, id DESC)
         WHERE version > 0 AND ${column} IS NOT NULL`,
      );
    for (const column of ['caller_number', 'callee_number'])
      await query(
        `CREATE INDEX recordings_${column}_ending ON recordings (reverse(${column}) text_pattern_ops)
         WHERE version > 0 AND ${column} IS NOT NULL`,
      );
    await query(
      `CREATE INDEX recordings_caller_last3 ON recordings (right(caller_number, 3), started_at DESC, id DESC) WHERE version > 0`,
    );
    await query(
      `CREATE INDEX recordings_callee_last3 ON recordings (right(callee_number, 3), started_at DESC, id DESC) WHERE version > 0`,
    );
    await query('CREATE INDEX recordings_due ON recordings (retain_until, id)');
    await query('CREATE INDEX recordings_linked ON recordings (source_id, linked_id) WHERE linked_id IS NOT NULL');
    await query('CREATE INDEX recording_versions_digest ON recording_versions (recording_id, sha256)');
    // The queue of the worker, and what it looks through for uploads that stopped halfway.
    await query(
      `CREATE INDEX recording_versions_work ON recording_versions (next_attempt_at) WHERE state IN ('received', 'receiving')`,
    );
  },
  async down({ query }) {
    await query('DROP TABLE recording_versions');
    await query('DROP TABLE recordings');
  },
};
