import type { Migration } from '../src/platform/migrate.js';

/**
 * What goes out: the officer's wording of a letter, the organisation's templates, one-time deliveries, corrections with
 * what was there before, and which earlier recipients were told (art. 19 GDPR).
 */
export const migration: Migration = {
  name: '20261122-62-create-privacy-answers',
  async up({ query }) {
    await query(`
      CREATE TABLE privacy_letters (
        request_id uuid PRIMARY KEY REFERENCES privacy_requests (id) ON DELETE CASCADE,
        text text NOT NULL,
        written_by uuid NOT NULL REFERENCES users (id),
        written_at timestamptz NOT NULL
      )`);
    await query(`
      CREATE TABLE privacy_letter_templates (
        locale text NOT NULL CHECK (locale IN ('nl', 'en')),
        revision integer NOT NULL,
        opening text NOT NULL,
        closing text NOT NULL,
        written_by uuid NOT NULL REFERENCES users (id),
        written_at timestamptz NOT NULL,
        PRIMARY KEY (locale, revision)
      )`);
    await query(`
      CREATE TABLE privacy_rectifications (
        id uuid PRIMARY KEY,
        request_id uuid NOT NULL,
        recording_id uuid REFERENCES recordings (id) ON DELETE CASCADE,
        ticket_id uuid REFERENCES tickets (id) ON DELETE CASCADE,
        field text,
        old_value text,
        new_value text,
        statement text,
        rectified_by uuid NOT NULL REFERENCES users (id),
        rectified_at timestamptz NOT NULL,
        CHECK (num_nonnulls(recording_id, ticket_id) = 1),
        CHECK (num_nonnulls(field, statement) = 1)
      )`);
    await query('CREATE INDEX privacy_rectifications_recording ON privacy_rectifications (recording_id)');
    await query('CREATE INDEX privacy_rectifications_ticket ON privacy_rectifications (ticket_id)');
    await query(`
      CREATE TABLE privacy_notifications (
        id uuid PRIMARY KEY,
        request_id uuid NOT NULL REFERENCES privacy_requests (id) ON DELETE CASCADE,
        "right" text NOT NULL,
        package_id uuid NOT NULL,
        recipient text NOT NULL,
        told_at timestamptz,
        told_by uuid REFERENCES users (id),
        impossible_reason text,
        UNIQUE (request_id, "right", package_id)
      )`);
    await query(`
      CREATE TABLE privacy_deliveries (
        id uuid PRIMARY KEY,
        request_id uuid NOT NULL REFERENCES privacy_requests (id) ON DELETE CASCADE,
        token_digest bytea NOT NULL UNIQUE,
        code_digest bytea NOT NULL,
        made_by uuid NOT NULL REFERENCES users (id),
        made_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        wrong_codes integer NOT NULL DEFAULT 0,
        begun_at timestamptz,
        delivered_at timestamptz
      )`);
    await query('CREATE INDEX privacy_deliveries_request ON privacy_deliveries (request_id)');
  },
  async down({ query }) {
    for (const table of ['deliveries', 'notifications', 'rectifications', 'letter_templates', 'letters'])
      await query(`DROP TABLE privacy_${table}`);
  },
};
