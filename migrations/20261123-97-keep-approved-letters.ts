import type { Migration } from '../src/platform/migrate.js';

/**
 * The text of a letter as it was approved. Composed anew after an erasure it could not name what was erased any more, and
 * after a later decision it would tell what nobody has approved yet.
 */
export const migration: Migration = {
  name: '20261123-97-keep-approved-letters',
  async up({ query }) {
    await query(`
      CREATE TABLE privacy_approved_letters (
        request_id uuid PRIMARY KEY REFERENCES privacy_requests (id) ON DELETE CASCADE,
        text text NOT NULL,
        approved_at timestamptz NOT NULL
      )`);
  },
  async down({ query }) {
    await query('DROP TABLE privacy_approved_letters');
  },
};
