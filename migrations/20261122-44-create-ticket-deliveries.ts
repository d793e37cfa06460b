import type { Migration } from '../src/platform/migrate.js';

/**
 * Deliveries that were taken in: by their content for each ticket, so that a late repetition changes nothing, and by the
 * id that a webhook's sender gave them. Attachments that a delivery only names wait here to be fetched.
 */
export const migration: Migration = {
  name: '20261122-44-create-ticket-deliveries',
  async up({ query }) {
    await query(`
      CREATE TABLE ticket_deliveries (
        ticket_id uuid NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
        digest bytea NOT NULL,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (ticket_id, digest)
      )`);
    await query(`
      CREATE TABLE webhook_deliveries (
        source_id uuid NOT NULL REFERENCES sources (id),
        delivery_id text NOT NULL,
        digest bytea NOT NULL,
        ticket_id uuid REFERENCES tickets (id) ON DELETE CASCADE,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (source_id, delivery_id, digest)
      )`);
    await query('CREATE INDEX webhook_deliveries_ticket ON webhook_deliveries (ticket_id)');
    await query('CREATE INDEX webhook_deliveries_received ON webhook_deliveries (received_at)');
    await query(`
      CREATE TABLE attachment_fetches (
        id uuid PRIMARY KEY,
        ticket_id uuid NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
        external_id text NOT NULL,
        message_external_id text,
        file_name text NOT NULL,
        content_type text NOT NULL,
        supplied_at timestamptz NOT NULL,
        url text NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        failure_code text,
        UNIQUE (ticket_id, external_id)
      )`);
    await query(
      `CREATE INDEX attachment_fetches_work ON attachment_fetches (next_attempt_at) WHERE failure_code IS NULL`,
    );
    await query(`
      CREATE TABLE webhook_secrets (
        source_id uuid PRIMARY KEY REFERENCES sources (id) ON DELETE CASCADE,
        secret text NOT NULL CHECK (secret <> ''),
        set_at timestamptz NOT NULL
      )`);
  },
  async down({ query }) {
    await query('DROP TABLE webhook_secrets');
    await query('DROP TABLE attachment_fetches');
    await query('DROP TABLE webhook_deliveries');
    await query('DROP TABLE ticket_deliveries');
  },
};
