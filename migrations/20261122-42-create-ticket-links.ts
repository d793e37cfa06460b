import type { Migration } from '../src/platform/migrate.js';

/**
 * What people said of a ticket and a recording: that they belong together, or that they do not. The ticket number on
 * either side needs no row: `ticket_recordings` shows both kinds of link, less what somebody took apart.
 */
export const migration: Migration = {
  name: '20261122-42-create-ticket-links',
  async up({ query }) {
    await query(`
      CREATE TABLE ticket_links (
        ticket_id uuid NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
        recording_id uuid NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        linked boolean NOT NULL,
        basis text[] NOT NULL,
        reason text,
        decided_by uuid NOT NULL REFERENCES users (id),
        decided_at timestamptz NOT NULL,
        PRIMARY KEY (ticket_id, recording_id)
      )`);
    await query('CREATE INDEX ticket_links_recording ON ticket_links (recording_id)');
    // A PBX may write the number as the screen shows it, with a hash sign in front.
    await query(`
      CREATE VIEW ticket_recordings AS
        SELECT t.id AS ticket_id, r.id AS recording_id, ARRAY['ticket_number'] AS basis, NULL::text AS reason,
               NULL::uuid AS decided_by, NULL::timestamptz AS decided_at
        FROM tickets t JOIN recordings r ON r.ticket_number = ANY (ARRAY[t.number, '#' || t.number])
        WHERE r.version > 0
          AND NOT EXISTS (SELECT FROM ticket_links l WHERE l.ticket_id = t.id AND l.recording_id = r.id)
        UNION ALL
        SELECT l.ticket_id, l.recording_id, l.basis, l.reason, l.decided_by, l.decided_at
        FROM ticket_links l JOIN recordings r ON r.id = l.recording_id
        WHERE l.linked AND r.version > 0`);
  },
  async down({ query }) {
    await query('DROP VIEW ticket_recordings');
    await query('DROP TABLE ticket_links');
  },
};
