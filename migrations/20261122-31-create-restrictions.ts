import type { Migration } from '../src/platform/migrate.js';

/**
 * Uses that are closed: by a restriction (art. 18 GDPR) or an objection (art. 21). A restriction keeps nothing longer; a
 * hold does.
 */
export const migration: Migration = {
  name: '20261122-31-create-restrictions',
  async up({ query }) {
    await query(`
      CREATE TABLE restrictions (
        id uuid PRIMARY KEY,
        category text NOT NULL CHECK (category IN ('recording', 'ticket', 'package')),
        item_id uuid NOT NULL,
        purpose text NOT NULL CHECK (purpose IN ('training', 'evidence', 'all')),
        ground text NOT NULL CHECK (ground IN ('restriction', 'objection')),
        request_id uuid,
        placed_by uuid NOT NULL REFERENCES users (id),
        placed_at timestamptz NOT NULL,
        lifted_by uuid REFERENCES users (id),
        lifted_at timestamptz,
        CHECK ((lifted_by IS NULL) = (lifted_at IS NULL))
      )`);
    await query('CREATE INDEX restrictions_item ON restrictions (category, item_id, purpose) WHERE lifted_at IS NULL');
    await query('CREATE INDEX restrictions_of_request ON restrictions (request_id) WHERE request_id IS NOT NULL');
  },
  async down({ query }) {
    await query('DROP TABLE restrictions');
  },
};
