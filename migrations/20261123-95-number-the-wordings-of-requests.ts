import type { Migration } from '../src/platform/migrate.js';

/** Counts what changed in a request's answer, so that an officer approves what they have seen and nothing else. */
export const migration: Migration = {
  name: '20261123-95-number-the-wordings-of-requests',
  async up({ query }) {
    await query('ALTER TABLE privacy_requests ADD COLUMN revision integer NOT NULL DEFAULT 0');
  },
  async down({ query }) {
    await query('ALTER TABLE privacy_requests DROP COLUMN revision');
  },
};
