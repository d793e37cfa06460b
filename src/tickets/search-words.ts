import type { Database } from '../platform/database.js';
import { isWord } from './piece.js';

/**
 * Turns what somebody typed into a full-text query: Dutch stems, `"…"` for words in a row, `-` for what must not be there,
 * `or`. A word that occurs nowhere is taken for a slip of the pen: the words most like it stand in for it.
 */

interface TypedWord {
  lexeme: string;
  known: boolean;
}

/** The query as PostgreSQL writes it (`'stem' & 'ander'`), or undefined when nothing is left to search by. */
export async function readSearch(database: Database, typed: string): Promise<string | undefined> {
  const [parsed] = await database.query<{ query: string; words: TypedWord[] | null }>(
    `SELECT q.query::text AS query,
       (SELECT json_agg(json_build_object('lexeme', word, 'known',
          EXISTS (SELECT FROM ticket_words w WHERE w.word = typed.word)))
        FROM (SELECT DISTINCT lexeme AS word FROM unnest(ticket_search_vector($1)) WHERE ${isWord('lexeme')}) typed) AS words
     FROM (SELECT websearch_to_tsquery('dutch', regexp_replace(normalize($1, NFKD), '[\\u0300-\\u036f]', '', 'g')) AS query) q`,
    [typed],
  );
  if (parsed === undefined || parsed.query === '') return undefined;
  let query = parsed.query;
  const unknown = (parsed.words ?? []).filter(({ known }) => !known).map(({ lexeme }) => lexeme);
  for (const { lexeme, like } of await wordsLike(database, unknown)) {
    // The word itself stays: one that came in this very moment may not be in the list yet.
    const any = [lexeme, ...like].map((word) => `'${word}'`).join(' | ');
    if (like.length > 0) query = query.replaceAll(`'${lexeme}'`, `( ${any} )`);
  }
  return query;
}

/** Of words that do not occur: those that are most like each, by their trigrams. */
async function wordsLike(database: Database, lexemes: readonly string[]): Promise<{ lexeme: string; like: string[] }[]> {
  if (lexemes.length === 0) return [];
  return await database.query<{ lexeme: string; like: string[] }>(
    'SELECT lexeme, ARRAY(SELECT ticket_words_like(lexeme)) AS "like" FROM unnest($1::text[]) lexeme',
    [lexemes],
  );
}

/**
 * Makes the list of words anew from the tickets that are still there, so that a word goes at latest a day after the last
 * ticket in which it stood.
 */
export async function renewWords(database: Database): Promise<void> {
  await database.inTransaction(async (tx) => {
    // It reads every ticket's words, which takes longer than any query of a request may.
    await database.query('SET LOCAL statement_timeout = 0', [], tx);
    await database.query('SET LOCAL idle_in_transaction_session_timeout = 0', [], tx);
    // ts_stat would do the same, but its tree grows lopsided on numbers that only rise, and then takes hours.
    await database.query(
      `CREATE TEMPORARY TABLE counted_words ON COMMIT DROP AS
       SELECT DISTINCT lexeme AS word FROM tickets t, unnest(t.document) WHERE ${isWord('lexeme')}`,
      [],
      tx,
    );
    await database.query('DELETE FROM ticket_words w WHERE NOT EXISTS (SELECT FROM counted_words c WHERE c.word = w.word)', [], tx);
    await database.query('INSERT INTO ticket_words SELECT word FROM counted_words ORDER BY word ON CONFLICT DO NOTHING', [], tx);
  });
}
