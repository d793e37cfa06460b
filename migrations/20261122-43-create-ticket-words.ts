import type { Migration } from '../src/platform/migrate.js';

/**
 * The words (stems) that occur in tickets, so that a misspelt one can be looked up by its trigrams. A bare list: it says
 * nothing about where a word stands, and is made anew every day from what is still kept.
 */
export const migration: Migration = {
  name: '20261122-43-create-ticket-words',
  async up({ query }) {
    const [extension] = await query<{ name: string }>(`SELECT name FROM pg_available_extensions WHERE name = 'pg_trgm'`);
    if (extension === undefined)
      throw new Error('This PostgreSQL server lacks the extension pg_trgm: install its contrib package (postgresql-contrib)');
    await query('CREATE EXTENSION IF NOT EXISTS pg_trgm');
    await query('CREATE TABLE ticket_words (word text PRIMARY KEY)');
    await query('CREATE INDEX ticket_words_trigrams ON ticket_words USING gin (word gin_trgm_ops)');
    // Accents are dropped on both sides of a search: who types "reunie" finds "reünie".
    await query(`
      CREATE FUNCTION ticket_search_vector(told text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
      RETURN to_tsvector('dutch'::regconfig, regexp_replace(normalize(told, NFKD), '[\\u0300-\\u036f]', '', 'g'))`);
  },
  async down({ query }) {
    await query('DROP FUNCTION ticket_search_vector(text)');
    await query('DROP TABLE ticket_words');
    await query('DROP EXTENSION IF EXISTS pg_trgm');
  },
};
