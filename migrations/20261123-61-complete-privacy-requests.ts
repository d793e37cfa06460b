import type { Migration } from '../src/platform/migrate.js';

/**
 * An employee's request names their account, and who may not handle it; an authority's order its authority and legal basis.
 * A decision on a ticket says which passages are made unreadable. Officers are reminded by mail once a step.
 */
export const migration: Migration = {
  name: '20261123-61-complete-privacy-requests',
  async up({ query }) {
    await query('ALTER TABLE privacy_requests ADD COLUMN employee_id uuid REFERENCES users (id)');
    await query(`ALTER TABLE privacy_requests ADD COLUMN kept_from uuid[] NOT NULL DEFAULT '{}'`);
    await query('ALTER TABLE privacy_requests ADD COLUMN authority_name text');
    await query('ALTER TABLE privacy_requests ADD COLUMN authority_basis text');
    await query(`ALTER TABLE privacy_requests ADD CONSTRAINT privacy_requests_employee
      CHECK (employee_id IS NULL OR requester_kind = 'employee')`);
    await query(`ALTER TABLE privacy_decisions ADD COLUMN passages jsonb NOT NULL DEFAULT '[]'`);
    await query(`
      CREATE TABLE privacy_reminders (
        request_id uuid NOT NULL REFERENCES privacy_requests (id) ON DELETE CASCADE,
        step integer NOT NULL,
        officer_id uuid NOT NULL REFERENCES users (id),
        due_at timestamptz NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        sent_at timestamptz,
        PRIMARY KEY (request_id, step, officer_id)
      )`);
    await query('CREATE INDEX privacy_reminders_work ON privacy_reminders (next_attempt_at) WHERE sent_at IS NULL');
  },
  async down({ query }) {
    await query('DROP TABLE privacy_reminders');
    await query('ALTER TABLE privacy_decisions DROP COLUMN passages');
    await query('ALTER TABLE privacy_requests DROP COLUMN authority_basis');
    await query('ALTER TABLE privacy_requests DROP COLUMN authority_name');
    await query('ALTER TABLE privacy_requests DROP COLUMN kept_from');
    await query('ALTER TABLE privacy_requests DROP COLUMN employee_id');
  },
};
