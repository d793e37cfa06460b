import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import type { Database } from '../platform/database.js';
import { Problem } from '../platform/problem.js';
import { isOrder, readAnswer, type Answer } from './answer.js';
import { composeLetter, type Template } from './compose.js';
import { lockOpenRequest, record, type PrivacyContext, type RequestRow } from './request.js';
import { remediesIn } from './words.js';

/** The wording of letters: composed, edited by an officer before approval, opened and closed as the organisation does. */

export interface Draft {
  locale: 'nl' | 'en';
  text: string;
  edited: boolean;
  /** What stands in every letter below the text, whatever was written. */
  fixed: string;
}

/** The organisation's opening and closing in a language; empty until somebody wrote them. */
export async function templateOf(
  database: Database,
  locale: 'nl' | 'en',
  tx?: Transaction,
): Promise<Template & { revision: number }> {
  const [row] = await database.query<Template & { revision: number }>(
    'SELECT opening, closing, revision FROM privacy_letter_templates WHERE locale = $1 ORDER BY revision DESC LIMIT 1',
    [locale],
    tx,
  );
  return row ?? { opening: '', closing: '', revision: 0 };
}

/** What an officer has seen of an answer, in one word: it changes with the request and with the template of its letter. */
export async function revisionOf(
  database: Database,
  { revision, locale }: Pick<RequestRow, 'revision' | 'locale'>,
  tx?: Transaction,
): Promise<string> {
  return `${revision}-${(await templateOf(database, locale, tx)).revision}`;
}

/** Writes a template anew; earlier ones stay on record. */
export async function writeTemplate({ platform: { clock, database } }: PrivacyContext, person: Person, locale: 'nl' | 'en', told: Template): Promise<void> {
  await database.inTransaction(async (tx) => {
    await database.advisoryLock(tx, 'privacy.templates', 'exclusive');
    await database.query(
      `INSERT INTO privacy_letter_templates (locale, revision, opening, closing, written_by, written_at)
       SELECT $1, coalesce(max(revision), 0) + 1, $2, $3, $4, $5 FROM privacy_letter_templates WHERE locale = $1`,
      [locale, told.opening, told.closing, person.userId, clock.now()],
      tx,
    );
  });
}

/** The text of the letter: the officer's, or the composed one. */
export async function letterText(context: PrivacyContext, answer: Answer): Promise<{ text: string; edited: boolean }> {
  const { database } = context.platform;
  const [written] = await database.query<{ text: string }>('SELECT text FROM privacy_letters WHERE request_id = $1', [answer.request.id]);
  if (written !== undefined) return { text: written.text, edited: true };
  const template = await templateOf(database, answer.request.locale);
  return { text: composeLetter(answer, context.settings.timeZone, template), edited: false };
}

/** The letter as it would be now. @throws Problem `not-found` */
export async function draftLetter(context: PrivacyContext, id: string): Promise<Draft> {
  const answer = await readAnswer(context, id);
  const { locale } = answer.request;
  return { locale, ...(await letterText(context, answer)), fixed: isOrder(answer) ? '' : remediesIn(answer, locale) };
}

/**
 * Writes the officer's wording, or goes back to the composed one with null.
 * @throws Problem `not-found`, `conflict` once it is approved: another officer has read what stands there
 */
export async function writeLetter(context: PrivacyContext, person: Person, id: string, text: string | null): Promise<void> {
  const { platform } = context;
  const { clock, database } = platform;
  await database.inTransaction(async (tx) => {
    const request = await lockOpenRequest(database, tx, id);
    if (request.approved_at !== null) throw new Problem('conflict', { detail: 'The answer is approved already.' });
    if (text === null) await database.query('DELETE FROM privacy_letters WHERE request_id = $1', [id], tx);
    else
      await database.query(
        `INSERT INTO privacy_letters (request_id, text, written_by, written_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (request_id) DO UPDATE SET text = excluded.text, written_by = excluded.written_by, written_at = excluded.written_at`,
        [id, text, person.userId, clock.now()],
        tx,
      );
    await record(platform, tx, person, request, 'letter_written', { composed: text === null });
  });
}
