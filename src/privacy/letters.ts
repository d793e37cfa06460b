import type { Transaction } from 'sequelize';
import type { Person } from '../access/caller.js';
import type { Database } from '../platform/database.js';
import { Problem } from '../platform/problem.js';
import { isAwaited, isOrder, readAnswer, readWhole, type Answer } from './answer.js';
import { composeLetter, type Template } from './compose.js';
import { lockOpenRequest, processesOf, record, type PrivacyContext, type RequestRow } from './request.js';
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

/**
 * The text of the letter as it would be approved now: the officer's, or the composed one. What an officer wrote for an answer
 * that is out says nothing of what was decided since: then it is composed anew.
 */
async function textNow(context: PrivacyContext, answer: Answer, tx?: Transaction): Promise<{ text: string; edited: boolean }> {
  const { database } = context.platform;
  const { approved_at: approvedAt, id, locale } = answer.request;
  const [written] = await database.query<{ text: string; at: Date }>('SELECT text, written_at AS at FROM privacy_letters WHERE request_id = $1', [id], tx);
  const isOfEarlier = approvedAt !== null && written !== undefined && written.at <= approvedAt;
  if (written !== undefined && !(isOfEarlier && answer.processes.some(isAwaited))) return { text: written.text, edited: true };
  return { text: composeLetter(await readWhole(context, answer, tx), context.settings.timeZone, await templateOf(database, locale, tx)), edited: false };
}

/**
 * Keeps the text as it is approved, inside `tx`: what an erasure carries out takes the dates and numbers with it that the
 * letter names. Before the decisions are marked approved, after all of them are written.
 */
export async function keepLetter(context: PrivacyContext, tx: Transaction, id: string): Promise<void> {
  const { clock, database } = context.platform;
  const { text } = await textNow(context, await readAnswer(context, id, tx), tx);
  await database.query(
    `INSERT INTO privacy_approved_letters (request_id, text, approved_at) VALUES ($1, $2, $3)
     ON CONFLICT (request_id) DO UPDATE SET text = excluded.text, approved_at = excluded.approved_at`,
    [id, text, clock.now()],
    tx,
  );
}

/** The text of the letter that goes out: as it was approved. */
export async function letterText(context: PrivacyContext, answer: Answer): Promise<string> {
  const [kept] = await context.platform.database.query<{ text: string }>(
    'SELECT text FROM privacy_approved_letters WHERE request_id = $1',
    [answer.request.id],
  );
  // Of an answer approved before texts were kept the letter is composed still.
  return kept?.text ?? (await textNow(context, answer)).text;
}

/** The letter as it would be now, or as it was approved. @throws Problem `not-found` */
export async function draftLetter(context: PrivacyContext, id: string): Promise<Draft> {
  const answer = await readAnswer(context, id);
  const { locale, approved_at: approvedAt } = answer.request;
  const now = await textNow(context, answer);
  const isOut = approvedAt !== null && !answer.processes.some(isAwaited);
  const text = isOut ? await letterText(context, answer) : now.text;
  return { locale, text, edited: now.edited, fixed: isOrder(answer) ? '' : remediesIn(answer, locale) };
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
    // An objection that was decided after the rest was answered has a letter of its own.
    if (request.approved_at !== null && !(await processesOf(database, id, tx)).some(isAwaited))
      throw new Problem('conflict', { detail: 'The answer is approved already.' });
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
