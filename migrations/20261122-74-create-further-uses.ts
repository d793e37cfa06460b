import type { Migration } from '../src/platform/migrate.js';

/**
 * Uses beyond the two of the privacy statement, each switched on by an explicit act that names its ground; for the
 * evaluation of employees the works council's consent besides (WOR art. 27(1)(l)). Acts stay on record.
 */
export const migration: Migration = {
  name: '20261122-74-create-further-uses',
  async up({ query }) {
    await query(`
      CREATE TABLE further_uses (
        id uuid PRIMARY KEY,
        use text NOT NULL CHECK (use IN ('evaluation', 'transcription', 'speech_search')),
        ground text NOT NULL CHECK (ground IN ('legitimate_interest', 'contract', 'legal_obligation', 'consent')),
        explanation text NOT NULL CHECK (explanation <> ''),
        consent_date date,
        consent_reference text,
        purposes text[] NOT NULL DEFAULT '{}',
        processor text,
        region text,
        switched_on_by uuid NOT NULL REFERENCES users (id),
        switched_on_at timestamptz NOT NULL,
        ended_by uuid REFERENCES users (id),
        ended_at timestamptz,
        end_reason text,
        CHECK ((consent_date IS NULL) = (consent_reference IS NULL)),
        CHECK (use <> 'evaluation' OR consent_date IS NOT NULL),
        CHECK (use <> 'transcription' OR (cardinality(purposes) > 0 AND processor IS NOT NULL AND region IS NOT NULL)),
        CHECK ((ended_by IS NULL) = (ended_at IS NULL) AND (ended_at IS NULL) = (end_reason IS NULL))
      )`);
    await query('CREATE UNIQUE INDEX further_uses_in_force ON further_uses (use) WHERE ended_at IS NULL');
  },
  async down({ query }) {
    await query('DROP TABLE further_uses');
  },
};
