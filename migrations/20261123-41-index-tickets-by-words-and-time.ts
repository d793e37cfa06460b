import type { Migration } from '../src/platform/migrate.js';

/**
 * One index over the words of a ticket and the stretches of time in which it was opened, so that a search for words reads
 * the newest stretch first and stops once a page is full, however many tickets hold those words. A ticket lies in one
 * stretch of each length: 1, 8, 64, 512 and 4096 days, counted from 1970 in UTC. `src/tickets/stretch.ts` counts alike.
 */
export const migration: Migration = {
  name: '20261123-41-index-tickets-by-words-and-time',
  async up({ query }) {
    // Three bits of every number say which length it counts.
    await query(`
      CREATE FUNCTION ticket_stretches(opened timestamptz) RETURNS integer[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
      RETURN ARRAY[
        floor(extract(epoch FROM opened AT TIME ZONE 'UTC') / 86400)::integer * 8,
        floor(extract(epoch FROM opened AT TIME ZONE 'UTC') / (86400 * 8))::integer * 8 + 1,
        floor(extract(epoch FROM opened AT TIME ZONE 'UTC') / (86400 * 64))::integer * 8 + 2,
        floor(extract(epoch FROM opened AT TIME ZONE 'UTC') / (86400 * 512))::integer * 8 + 3,
        floor(extract(epoch FROM opened AT TIME ZONE 'UTC') / (86400 * 4096))::integer * 8 + 4]`);
    await query(
      `CREATE INDEX tickets_words_and_time ON tickets USING gin (document, ticket_stretches(opened_at)) WITH (fastupdate = off)`,
    );
    await query('DROP INDEX tickets_document');
  },
  async down({ query }) {
    await query('CREATE INDEX tickets_document ON tickets USING gin (document) WITH (fastupdate = off)');
    await query('DROP INDEX tickets_words_and_time');
    await query('DROP FUNCTION ticket_stretches(timestamptz)');
  },
};
