import type { Migration } from '../src/platform/migrate.js';

/**
 * What an earlier recipient was given and when stays in the notification: the record of the disclosure goes with the
 * recording, and the letter (art. 19 GDPR) may be written after that.
 */
export const migration: Migration = {
  name: '20261123-62-name-what-recipients-hold',
  async up({ query }) {
    await query('ALTER TABLE privacy_notifications ADD COLUMN reference text');
    await query('ALTER TABLE privacy_notifications ADD COLUMN disclosed_at timestamptz');
    await query(`
      UPDATE privacy_notifications n SET reference = d.reference, disclosed_at = d.disclosed_at
      FROM (SELECT DISTINCT ON (package_id) package_id, reference, disclosed_at FROM disclosures ORDER BY package_id, disclosed_at) d
      WHERE d.package_id = n.package_id`);
  },
  async down({ query }) {
    await query('ALTER TABLE privacy_notifications DROP COLUMN disclosed_at');
    await query('ALTER TABLE privacy_notifications DROP COLUMN reference');
  },
};
