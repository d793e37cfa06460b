import type { Migration } from '../src/platform/migrate.js';

/** Where in a call a request was heard: milliseconds of the recording's own timeline. */
export const migration: Migration = {
  name: '20261123-10-add-origin-at-to-privacy-requests',
  async up({ query }) {
    await query('ALTER TABLE privacy_requests ADD COLUMN origin_at_ms integer CHECK (origin_at_ms >= 0)');
    await query('CREATE INDEX privacy_requests_origin ON privacy_requests (origin_id) WHERE origin_id IS NOT NULL');
  },
  async down({ query }) {
    await query('DROP INDEX privacy_requests_origin');
    await query('ALTER TABLE privacy_requests DROP COLUMN origin_at_ms');
  },
};
