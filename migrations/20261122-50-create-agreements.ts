import type { Migration } from '../src/platform/migrate.js';

/**
 * Agreements marked on a recording: a passage, what was agreed, between whom. Times are on the recording's own timeline,
 * hold music included, so that a hold that becomes known later moves nothing. Every wording stays in `agreement_revisions`.
 * All of it goes with the recording: marking lengthens nothing.
 */
export const migration: Migration = {
  name: '20261122-50-create-agreements',
  async up({ query }) {
    const wording = `
        start_ms bigint NOT NULL CHECK (start_ms >= 0),
        end_ms bigint NOT NULL,
        summary text NOT NULL CHECK (summary <> ''),
        parties text[] NOT NULL,
        ticket text,
        CHECK (end_ms > start_ms)`;
    await query(`
      CREATE TABLE agreements (
        id uuid PRIMARY KEY,
        recording_id uuid NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        version_id uuid NOT NULL REFERENCES recording_versions (id) ON DELETE CASCADE,
        revision integer NOT NULL DEFAULT 1,
        marked_by uuid NOT NULL REFERENCES users (id),
        marked_at timestamptz NOT NULL,
        withdrawn_by uuid REFERENCES users (id),
        withdrawn_at timestamptz,
        withdrawn_reason text,
        ${wording},
        CHECK ((withdrawn_by IS NULL) = (withdrawn_at IS NULL) AND (withdrawn_at IS NULL) = (withdrawn_reason IS NULL))
      )`);
    await query('CREATE INDEX agreements_recording ON agreements (recording_id, start_ms)');
    await query('CREATE INDEX agreements_version ON agreements (version_id)');
    await query(`
      CREATE TABLE agreement_revisions (
        agreement_id uuid NOT NULL REFERENCES agreements (id) ON DELETE CASCADE,
        revision integer NOT NULL,
        changed_by uuid NOT NULL REFERENCES users (id),
        changed_at timestamptz NOT NULL,
        reason text,
        ${wording},
        PRIMARY KEY (agreement_id, revision)
      )`);
  },
  async down({ query }) {
    await query('DROP TABLE agreement_revisions');
    await query('DROP TABLE agreements');
  },
};
