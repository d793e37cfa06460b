import type { Migration } from '../src/platform/migrate.js';

/**
 * A ticket is a shell around its pieces: number, subject, requester, state. `told` says of each field when it was last
 * told, so that deliveries may come in any order; a shell without pieces is kept by the earliest instant and the shortest
 * period it was ever told with (`earliest_at`, `ever_contact_form`). What is searched is derived from the shell and its messages
 * (`document`), and goes with them.
 */
export const migration: Migration = {
  name: '20261122-40-create-tickets',
  async up({ query }) {
    await query(`
      CREATE TABLE tickets (
        id uuid PRIMARY KEY,
        source_id uuid NOT NULL REFERENCES sources (id),
        external_id text NOT NULL,
        number text NOT NULL,
        subject text NOT NULL,
        category text NOT NULL CHECK (category IN ('support', 'contact_form')),
        status text NOT NULL,
        requester_name text,
        requester_email text CHECK (requester_email = lower(requester_email)),
        requester_phone text,
        organisation text,
        requester_relation text CHECK (requester_relation IN ('contracting_party', 'contact_person')),
        agent text,
        opened_at timestamptz NOT NULL,
        closed_at timestamptz,
        told jsonb NOT NULL,
        received_at timestamptz NOT NULL,
        earliest_at timestamptz NOT NULL,
        ever_contact_form boolean NOT NULL DEFAULT false,
        retain_until timestamptz NOT NULL,
        purge_intent jsonb,
        document tsvector NOT NULL,
        UNIQUE (source_id, external_id)
      )`);
    // Every list is newest first, whole or by one of these; the id settles equal instants.
    await query('CREATE INDEX tickets_opened ON tickets (opened_at DESC, id DESC)');
    await query('CREATE INDEX tickets_number ON tickets (number, opened_at DESC, id DESC)');
    for (const column of ['requester_email', 'requester_phone'])
      await query(
        `CREATE INDEX tickets_${column} ON tickets (${column}, opened_at DESC, id DESC) WHERE ${column} IS NOT NULL`,
      );
    await query(
      `CREATE INDEX tickets_requester_phone_ending ON tickets (reverse(requester_phone) text_pattern_ops)
       WHERE requester_phone IS NOT NULL`,
    );
    await query('CREATE INDEX tickets_organisation ON tickets (lower(organisation)) WHERE organisation IS NOT NULL');
    await query('CREATE INDEX tickets_due ON tickets (retain_until, id)');
    // The pending list of fastupdate would have to be read whole by every search.
    await query('CREATE INDEX tickets_document ON tickets USING gin (document) WITH (fastupdate = off)');
  },
  async down({ query }) {
    await query('DROP TABLE tickets');
  },
};
