import type { Migration } from '../src/platform/migrate.js';

/**
 * Requests come in by a public form, too: nobody who is known here took them in, and what an objection among them closes was
 * closed by nobody who is known here.
 */
export const migration: Migration = {
  name: '20261123-60-take-portal-requests',
  async up({ query }) {
    await query('ALTER TABLE privacy_requests ALTER COLUMN created_by DROP NOT NULL');
    await query(`ALTER TABLE privacy_requests ADD CONSTRAINT privacy_requests_taken_in CHECK (created_by IS NOT NULL OR channel = 'portal')`);
    await query('ALTER TABLE restrictions ALTER COLUMN placed_by DROP NOT NULL');
    await query(`ALTER TABLE restrictions ADD CONSTRAINT restrictions_placed_for CHECK (placed_by IS NOT NULL OR request_id IS NOT NULL)`);
  },
  async down({ query }) {
    await query('ALTER TABLE restrictions DROP CONSTRAINT restrictions_placed_for');
    await query('ALTER TABLE restrictions ALTER COLUMN placed_by SET NOT NULL');
    await query('ALTER TABLE privacy_requests DROP CONSTRAINT privacy_requests_taken_in');
    await query('ALTER TABLE privacy_requests ALTER COLUMN created_by SET NOT NULL');
  },
};
