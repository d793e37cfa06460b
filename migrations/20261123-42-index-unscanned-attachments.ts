import type { Migration } from '../src/platform/migrate.js';

/** Attachments that nobody looked at for malware, so that they are found at once when a scanner is configured. */
export const migration: Migration = {
  name: '20261123-42-index-unscanned-attachments',
  async up({ query }) {
    await query(`CREATE INDEX ticket_piece_versions_unscanned ON ticket_piece_versions (id) WHERE scan = 'none'`);
  },
  async down({ query }) {
    await query('DROP INDEX ticket_piece_versions_unscanned');
  },
};
