import type { Migration } from '../src/platform/migrate.js';

/**
 * What was supplied, piece by piece: each message and each attachment has a date of its own from which it is not kept.
 * What was delivered for a piece are its versions, each an object in storage; `current_version_id` is the one shown, null
 * while none has been committed: such a piece is invisible. A piece that was ever delivered without a category
 * (`category_untold`) follows its ticket when that turns out to be a contact form.
 */
export const migration: Migration = {
  name: '20261122-41-create-ticket-pieces',
  async up({ query }) {
    await query(`
      CREATE TABLE ticket_pieces (
        id uuid PRIMARY KEY,
        ticket_id uuid NOT NULL REFERENCES tickets (id),
        kind text NOT NULL CHECK (kind IN ('message', 'attachment')),
        external_id text NOT NULL,
        message_external_id text,
        root text NOT NULL CHECK (root IN ('tickets/', 'contact-forms/')),
        policy text NOT NULL CHECK (policy IN ('support', 'contact_form')),
        category_untold boolean NOT NULL,
        supplied_at timestamptz NOT NULL,
        stored_at timestamptz NOT NULL,
        retain_until timestamptz NOT NULL,
        purge_intent jsonb,
        current_version_id uuid,
        UNIQUE (ticket_id, kind, external_id),
        CHECK (kind = 'attachment' OR message_external_id IS NULL)
      )`);
    await query('CREATE INDEX ticket_pieces_due ON ticket_pieces (retain_until, id)');
    await query('CREATE INDEX ticket_pieces_root ON ticket_pieces (root, id)');
    await query(`
      CREATE TABLE ticket_piece_versions (
        id uuid PRIMARY KEY,
        piece_id uuid NOT NULL REFERENCES ticket_pieces (id) ON DELETE CASCADE,
        state text NOT NULL CHECK (state IN ('receiving', 'kept')),
        object_key text NOT NULL UNIQUE,
        bytes bigint NOT NULL,
        sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        md5 text NOT NULL CHECK (md5 ~ '^[0-9a-f]{32}$'),
        content_type text NOT NULL,
        told_at timestamptz NOT NULL,
        told_exactly boolean NOT NULL,
        received_at timestamptz NOT NULL,
        last_received_at timestamptz NOT NULL,
        said_at timestamptz,
        sender text CHECK (sender IN ('customer', 'agent')),
        internal boolean,
        body text,
        body_text text,
        file_name text,
        scan text CHECK (scan IN ('none', 'pending', 'clean', 'infected')),
        scan_attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        UNIQUE (piece_id, sha256),
        CHECK (num_nulls(said_at, sender, internal, body, body_text) IN (0, 5)),
        CHECK ((body IS NULL) = (scan IS NOT NULL)),
        CHECK ((body IS NULL) = (file_name IS NOT NULL))
      )`);
    await query(
      `CREATE INDEX ticket_piece_versions_work ON ticket_piece_versions (next_attempt_at)
       WHERE state = 'receiving' OR scan = 'pending'`,
    );
  },
  async down({ query }) {
    await query('DROP TABLE ticket_piece_versions');
    await query('DROP TABLE ticket_pieces');
  },
};
