import type { Migration } from '../src/platform/migrate.js';

/** The columns of what belongs together by the number of the ticket alone, unless somebody took it apart. */
const byNumber = (join: string) => `
  SELECT t.id AS ticket_id, r.id AS recording_id, ARRAY['ticket_number'] AS basis, NULL::text AS reason,
         NULL::uuid AS decided_by, NULL::timestamptz AS decided_at
  FROM tickets t JOIN recordings r ON ${join}
  WHERE r.version > 0
    AND NOT EXISTS (SELECT FROM ticket_links l WHERE l.ticket_id = t.id AND l.recording_id = r.id)`;

const byHand = `
  SELECT l.ticket_id, l.recording_id, l.basis, l.reason, l.decided_by, l.decided_at
  FROM ticket_links l JOIN recordings r ON r.id = l.recording_id
  WHERE l.linked AND r.version > 0`;

/**
 * From a recording to its tickets and back by index, whichever is given. Both spellings in one list were an index's work
 * from the ticket's side alone: every push and every recording that was opened read all tickets there are. The second
 * join says the same twice, once for each side.
 */
export const migration: Migration = {
  name: '20261123-97-find-tickets-of-a-recording-by-index',
  async up({ query }) {
    const written = `r.ticket_number = '#' || t.number AND t.number = substr(r.ticket_number, 2)`;
    await query(
      `CREATE OR REPLACE VIEW ticket_recordings AS
       ${byNumber('r.ticket_number = t.number')} UNION ALL ${byNumber(written)} UNION ALL ${byHand}`,
    );
  },
  async down({ query }) {
    await query(
      `CREATE OR REPLACE VIEW ticket_recordings AS
       ${byNumber(`r.ticket_number = ANY (ARRAY[t.number, '#' || t.number])`)} UNION ALL ${byHand}`,
    );
  },
};
