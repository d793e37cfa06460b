import type { Migration } from '../src/platform/migrate.js';

/**
 * Tickets by the last three digits of a number, newest first: more end alike than can be sorted at every search. And the
 * words that are most like a misspelt one, asked in one call that brings its own measure of likeness.
 */
export const migration: Migration = {
  name: '20261123-43-speed-up-ticket-search',
  async up({ query }) {
    await query(
      `CREATE INDEX tickets_requester_phone_last_three ON tickets (right(requester_phone, 3), opened_at DESC, id DESC)
       WHERE requester_phone IS NOT NULL`,
    );
    // The extension's settings are known once something of it was used.
    await query(`SELECT similarity('a', 'b')`);
    await query(`
      CREATE FUNCTION ticket_words_like(told text) RETURNS SETOF text LANGUAGE sql STABLE
      SET pg_trgm.similarity_threshold = 0.4
      BEGIN ATOMIC
        SELECT word FROM ticket_words WHERE word % told ORDER BY similarity(word, told) DESC, word LIMIT 5;
      END`);
  },
  async down({ query }) {
    await query('DROP FUNCTION ticket_words_like(text)');
    await query('DROP INDEX tickets_requester_phone_last_three');
  },
};
