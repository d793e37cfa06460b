import type { Migration } from '../src/platform/migrate.js';

/**
 * What was said, in segments on the recording's own timeline; every wording stays in `transcript_revisions`. Requests to a
 * speech-to-text server are rows that the worker finds. All of it goes with the recording.
 */
export const migration: Migration = {
  name: '20261122-77-create-transcripts',
  async up({ query }) {
    await query(`
      CREATE TABLE transcripts (
        recording_id uuid PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
        recording_version integer NOT NULL,
        revision integer NOT NULL DEFAULT 0,
        origin text NOT NULL CHECK (origin IN ('typed', 'imported', 'fetched')),
        language text NOT NULL,
        changed_by uuid REFERENCES users (id),
        changed_at timestamptz NOT NULL
      )`);
    await query(`
      CREATE TABLE transcript_segments (
        recording_id uuid NOT NULL REFERENCES transcripts (recording_id) ON DELETE CASCADE,
        position integer NOT NULL,
        start_ms bigint NOT NULL CHECK (start_ms >= 0),
        end_ms bigint NOT NULL CHECK (end_ms >= start_ms),
        speaker text CHECK (speaker IN ('caller', 'agent')),
        text text NOT NULL CHECK (text <> ''),
        words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('dutch'::regconfig, text)) STORED,
        PRIMARY KEY (recording_id, position)
      )`);
    await query('CREATE INDEX transcript_segments_words ON transcript_segments USING gin (words)');
    await query(`
      CREATE TABLE transcript_revisions (
        recording_id uuid NOT NULL REFERENCES transcripts (recording_id) ON DELETE CASCADE,
        revision integer NOT NULL,
        recording_version integer NOT NULL,
        origin text NOT NULL,
        language text NOT NULL,
        segments jsonb NOT NULL,
        changed_by uuid REFERENCES users (id),
        changed_at timestamptz NOT NULL,
        reason text,
        PRIMARY KEY (recording_id, revision)
      )`);
    await query(`
      CREATE TABLE transcript_requests (
        id uuid PRIMARY KEY,
        recording_id uuid NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        purpose text NOT NULL CHECK (purpose IN ('training', 'evidence', 'access_request')),
        language text NOT NULL,
        base_revision integer NOT NULL,
        requested_by uuid NOT NULL REFERENCES users (id),
        requested_at timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        failure_code text,
        finished_at timestamptz,
        CHECK ((state = 'waiting') = (finished_at IS NULL)),
        CHECK ((state = 'failed') = (failure_code IS NOT NULL))
      )`);
    await query(`CREATE UNIQUE INDEX transcript_requests_waiting ON transcript_requests (recording_id) WHERE state = 'waiting'`);
    await query(`CREATE INDEX transcript_requests_work ON transcript_requests (next_attempt_at) WHERE state = 'waiting'`);
    await query('CREATE INDEX transcript_requests_recording ON transcript_requests (recording_id, requested_at DESC)');
  },
  async down({ query }) {
    for (const table of ['transcript_requests', 'transcript_revisions', 'transcript_segments', 'transcripts'])
      await query(`DROP TABLE ${table}`);
  },
};
