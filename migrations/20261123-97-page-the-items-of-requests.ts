import type { Migration } from '../src/platform/migrate.js';

/**
 * When what was found began stands with the item, so that a list of thousands is read page by page along an index, and in the
 * same order after what it names is gone.
 */
export const migration: Migration = {
  name: '20261123-97-page-the-items-of-requests',
  async up({ query }) {
    await query('ALTER TABLE privacy_items ADD COLUMN item_at timestamptz');
    await query(`
      UPDATE privacy_items i SET item_at = coalesce(
        (SELECT r.started_at FROM recordings r WHERE i.kind = 'recording' AND r.id = i.item_id),
        (SELECT t.opened_at FROM tickets t WHERE i.kind = 'ticket' AND t.id = i.item_id), i.found_at)`);
    await query('ALTER TABLE privacy_items ALTER COLUMN item_at SET NOT NULL');
    await query('CREATE INDEX privacy_items_page ON privacy_items (request_id, item_at DESC, id DESC)');
    await query('CREATE INDEX privacy_items_page_of_kind ON privacy_items (request_id, kind, item_at DESC, id DESC)');
  },
  async down({ query }) {
    await query('DROP INDEX privacy_items_page_of_kind');
    await query('DROP INDEX privacy_items_page');
    await query('ALTER TABLE privacy_items DROP COLUMN item_at');
  },
};
