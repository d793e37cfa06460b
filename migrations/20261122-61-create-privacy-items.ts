import type { Migration } from '../src/platform/migrate.js';

/**
 * What a search found, and what was decided about it. An item names a recording or a ticket without a foreign key: the
 * file outlives what was erased. Decisions are never overwritten; the newest of an item and a right counts.
 */
export const migration: Migration = {
  name: '20261122-61-create-privacy-items',
  async up({ query }) {
    const rights = `('access', 'rectification', 'erasure', 'restriction', 'portability', 'objection')`;
    await query(`
      CREATE TABLE privacy_searches (
        id uuid PRIMARY KEY,
        request_id uuid NOT NULL REFERENCES privacy_requests (id) ON DELETE CASCADE,
        searched_at timestamptz NOT NULL,
        searched_by uuid NOT NULL REFERENCES users (id),
        criteria jsonb NOT NULL,
        recordings integer NOT NULL,
        tickets integer NOT NULL
      )`);
    await query('CREATE INDEX privacy_searches_request ON privacy_searches (request_id, searched_at)');
    await query(`
      CREATE TABLE privacy_items (
        id uuid PRIMARY KEY,
        request_id uuid NOT NULL REFERENCES privacy_requests (id) ON DELETE CASCADE,
        kind text NOT NULL CHECK (kind IN ('recording', 'ticket')),
        item_id uuid NOT NULL,
        basis text[] NOT NULL,
        shared_number boolean NOT NULL,
        found_at timestamptz NOT NULL,
        hold_id uuid,
        confirmed boolean,
        confirmed_by uuid REFERENCES users (id),
        confirmed_at timestamptz,
        UNIQUE (request_id, kind, item_id),
        CHECK ((confirmed IS NULL) = (confirmed_at IS NULL))
      )`);
    await query('CREATE INDEX privacy_items_item ON privacy_items (item_id)');
    await query(`
      CREATE TABLE privacy_decisions (
        id uuid PRIMARY KEY,
        item_id uuid NOT NULL REFERENCES privacy_items (id) ON DELETE CASCADE,
        "right" text NOT NULL CHECK ("right" IN ${rights}),
        decision text NOT NULL CHECK (decision IN ('grant', 'partly', 'refuse')),
        usual text CHECK (usual IN ('grant', 'partly', 'refuse')),
        article text NOT NULL,
        ground text,
        reason text,
        review_at timestamptz,
        mask jsonb NOT NULL DEFAULT '[]',
        decided_by uuid REFERENCES users (id),
        decided_at timestamptz NOT NULL,
        replaced_at timestamptz,
        carried_out_at timestamptz,
        CHECK (decision = 'grant' OR reason <> '')
      )`);
    await query('CREATE UNIQUE INDEX privacy_decisions_current ON privacy_decisions (item_id, "right") WHERE replaced_at IS NULL');
    await query(
      `CREATE INDEX privacy_decisions_work ON privacy_decisions (decided_at) WHERE replaced_at IS NULL AND carried_out_at IS NULL`,
    );
    // People are looked for by name: without these every recording and ticket would be read for it.
    await query(
      `CREATE INDEX recordings_caller_name ON recordings (lower(caller_name)) WHERE version > 0 AND caller_name IS NOT NULL`,
    );
    await query(
      `CREATE INDEX recordings_callee_name ON recordings (lower(callee_name)) WHERE version > 0 AND callee_name IS NOT NULL`,
    );
    await query(`CREATE INDEX tickets_requester_name ON tickets (lower(requester_name)) WHERE requester_name IS NOT NULL`);
  },
  async down({ query }) {
    await query('DROP INDEX tickets_requester_name');
    await query('DROP INDEX recordings_callee_name');
    await query('DROP INDEX recordings_caller_name');
    for (const table of ['decisions', 'items', 'searches']) await query(`DROP TABLE privacy_${table}`);
  },
};
