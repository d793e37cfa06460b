import type { Migration } from '../src/platform/migrate.js';

/**
 * What keeps a thing past its period. A hold is in force from the moment its row is there until `ends_at`: null while
 * nobody released it, a day after the release, or an end that was set when it was placed.
 */
export const migration: Migration = {
  name: '20261122-30-create-holds',
  async up({ query }) {
    await query(`
      CREATE TABLE holds (
        id uuid PRIMARY KEY,
        category text NOT NULL CHECK (category IN ('recording', 'ticket', 'package')),
        item_id uuid NOT NULL,
        ground text NOT NULL CHECK (ground IN ('legal_claim', 'restriction', 'open_request', 'authority_order')),
        reason text NOT NULL CHECK (reason <> ''),
        owner_id uuid NOT NULL REFERENCES users (id),
        request_id uuid,
        placed_by uuid NOT NULL REFERENCES users (id),
        placed_at timestamptz NOT NULL,
        confirm_by timestamptz NOT NULL,
        review_at timestamptz NOT NULL,
        confirmed_by uuid REFERENCES users (id),
        confirmed_at timestamptz,
        confirm_reason text,
        released_by uuid REFERENCES users (id),
        released_at timestamptz,
        release_reason text,
        ends_at timestamptz,
        CHECK (review_at > placed_at),
        CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)),
        CHECK ((released_by IS NULL) = (released_at IS NULL) AND (released_at IS NULL) = (release_reason IS NULL)),
        CHECK (released_at IS NULL OR ends_at IS NOT NULL)
      )`);
    await query('CREATE INDEX holds_item ON holds (category, item_id, ends_at)');
    await query('CREATE INDEX holds_listed ON holds (placed_at DESC, id DESC)');
    await query('CREATE INDEX holds_open ON holds (review_at) WHERE released_at IS NULL');
    await query('CREATE INDEX holds_of_request ON holds (request_id) WHERE request_id IS NOT NULL');
  },
  async down({ query }) {
    await query('DROP TABLE holds');
  },
};
