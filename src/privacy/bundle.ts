import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { createBag, type Bag } from '../packages/bag.js';
import { addCopy, fetchOriginal } from '../packages/originals.js';
import type { SealWork } from '../packages/seal.js';
import type { Derivation } from '../packages/verifier/layout.js';
import { verifyScript } from '../packages/verify-script.js';
import { createArchive } from '../platform/archive.js';
import { findRecording } from '../recordings/recording.js';
import { heardSegments, transcriptOf } from '../recordings/transcript.js';
import { register } from '../retention/register.js';
import { piecesOf, type ShownPiece } from '../tickets/read-ticket.js';
import { disclosed, isAnswered, isOrder, type Answer } from './answer.js';
import { indexPage, type IndexedRecording, type IndexedTicket } from './index-page.js';
import { letterHtml } from './letter.js';
import { isTakenOut, withoutMasked } from './passages.js';
import { ticketPage, transcriptPage, workPage } from './pages.js';
import type { DecisionRow, ItemRow } from './items.js';
import { writePortability } from './portability.js';
import { referenceOf, type PrivacyContext } from './request.js';

/**
 * The package of an answer: a signed bag with a page to begin with, audio without hold music and with others made
 * inaudible, tickets, the part to take elsewhere, and the letter. It is made anew each time from what is there and not
 * kept: an answer leaves no second copy of what it answers about. Memory does not grow with what is in it.
 */

export const answersFolder = (dataDir: string) => path.join(dataDir, 'answers');

export interface Bundle {
  file: string;
  bytes: number;
  /** Removes the file. */
  discard(): Promise<void>;
}

/** Makes the package in a temporary file. @throws Problem `storage-unavailable` */
export async function makeBundle(context: PrivacyContext, answer: Answer, letterText: string, signal: AbortSignal): Promise<Bundle> {
  const { platform, settings, signingKey } = context;
  const folder = path.join(answersFolder(settings.dataDir), randomUUID());
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const discard = () => rm(folder, { recursive: true, force: true });
  const file = path.join(folder, 'answer.zip');
  const work: SealWork = { at: platform.clock.now(), signal, folder };
  try {
    const archive = await createArchive(file, work.at, signal);
    try {
      const reference = referenceOf(answer.request);
      const bag = createBag(archive, reference);
      const recordings = await addRecordings(context, answer, bag, work);
      const tickets = await addTickets(context, answer, bag, signal);
      const portable = await writePortability(context, answer, bag, work);
      await bag.addText('data/letter.html', letterHtml(answer, letterText, settings.timeZone));
      if (!isOrder(answer)) {
        await bag.addJson('data/register.json', { rows: register });
        await bag.addJson('data/listens.json', {
          listens: answer.listens.map(({ recordingId, at, purpose }) => ({ recordingId, at: at.toISOString(), purpose })),
        });
      }
      const hasWork = answer.work !== null && answer.processes.some((process) => process.right === 'access' && isAnswered(process));
      if (hasWork) {
        await bag.addJson('data/work.json', JSON.parse(JSON.stringify(answer.work)));
        await bag.addText('data/work.html', workPage(answer, settings.timeZone));
      }
      const { controller } = answer.organisation;
      await bag.seal({
        info: [
          ['External-Identifier', reference],
          ...(controller === '' ? [] : [['Source-Organization', controller] as const]),
          ['External-Description', 'Answer to a request of a data subject'],
        ],
        files: [
          { name: 'index.html', text: indexPage(answer, { recordings, tickets, portable, work: hasWork }, settings.timeZone) },
          { name: 'verify.sh', text: verifyScript, mode: 0o755 },
        ],
        key: signingKey, timeStamper: undefined, at: work.at, signal,
      });
      const bytes = await archive.finish();
      return { file, bytes, discard };
    } finally {
      await archive.discard();
    }
  } catch (error) {
    await discard();
    throw error;
  }
}

/** Names of files are made of digits and letters alone: everything else of a thing stands on the page. */
const numbered = (index: number) => String(index + 1).padStart(4, '0');

async function addRecordings(context: PrivacyContext, answer: Answer, bag: Bag, work: SealWork): Promise<IndexedRecording[]> {
  const { platform } = context;
  const found = disclosed(answer, 'access').filter(({ item }) => item.kind === 'recording');
  const indexed: IndexedRecording[] = [];
  const derivations: Derivation[] = [];
  for (const [index, { item, decision }] of found.entries()) {
    work.signal.throwIfAborted();
    const stored = await findRecording(platform.database, item.item_id);
    const listens = answer.listens.filter(({ recordingId }) => recordingId === item.item_id);
    const statements = await statementsOn(context, item.item_id);
    if (stored === undefined) continue;
    const original = await fetchOriginal(platform, stored.version, work);
    const day = stored.recording.started_at.toISOString().slice(0, 10);
    const name = `${numbered(index)}-${day}.wav`;
    const made =
      original === undefined
        ? undefined
        : await addCopy(bag, { ffmpeg: await context.ffmpeg(), original, version: stored.version }, 'data/audio/', {
            kind: 'masked_copy', file: name, agreementId: null, passage: undefined, cuts: stored.recording.holds, masks: decision.mask,
          }, work);
    if (original !== undefined) await rm(original, { force: true });
    if (made !== undefined) derivations.push(made);
    const transcript = await addTranscript(context, answer, bag, { index, item, decision, found: stored });
    indexed.push({
      item, decision, listens, statements, transcript, audio: made === undefined ? null : `data/audio/${name}`, durationMs: made?.durationMs ?? null,
    });
  }
  if (derivations.length > 0) await bag.addJson('data/audio/derivation.json', { format: 'opname-derivation/1', derivations });
  return indexed;
}

/** What was said, on the timeline of the copy, without what is masked. @returns where it stands; null where there is none */
async function addTranscript(
  { platform: { database }, settings }: PrivacyContext,
  answer: Answer,
  bag: Bag,
  { index, item, decision, found }: {
    index: number; item: ItemRow; decision: DecisionRow; found: NonNullable<Awaited<ReturnType<typeof findRecording>>>;
  },
): Promise<string | null> {
  const written = await transcriptOf(database, item.item_id, 'access_request');
  if (written === undefined) return null;
  const open = withoutMasked(written.segments, decision.mask, found.recording.channel_map);
  const file = `data/transcripts/${numbered(index)}.html`;
  const isShortened = open.length < written.segments.length;
  await bag.addText(file, transcriptPage(answer, item, { ...written, segments: heardSegments(open, found), isShortened }, settings.timeZone));
  return file;
}

/** What the person stated about a recording: it goes wherever the recording goes (art. 16). */
async function statementsOn({ platform: { database } }: PrivacyContext, recordingId: string): Promise<string[]> {
  const rows = await database.query<{ statement: string }>(
    `SELECT statement FROM privacy_rectifications WHERE recording_id = $1 AND statement IS NOT NULL ORDER BY rectified_at`,
    [recordingId],
  );
  return rows.map((row) => row.statement);
}

/** Granted in part without saying which passages: internal notes are what was weighed and left out. */
export const messagesIn = (pieces: readonly ShownPiece[], { decision, passages }: DecisionRow): ShownPiece[] =>
  pieces.filter((piece) => piece.kind === 'message' && (decision === 'grant' || passages.length > 0 || piece.internal !== true));

async function addTickets(context: PrivacyContext, answer: Answer, bag: Bag, signal: AbortSignal): Promise<IndexedTicket[]> {
  const { platform, settings } = context;
  const found = disclosed(answer, 'access').filter(({ item }) => item.kind === 'ticket');
  const indexed: IndexedTicket[] = [];
  for (const [index, { item, decision }] of found.entries()) {
    signal.throwIfAborted();
    const pieces = await piecesOf(platform.database, item.item_id, platform.clock.now(), item.held);
    const messages = messagesIn(pieces, decision);
    const attachments: { name: string; path: string | null }[] = [];
    for (const [place, piece] of pieces.filter(({ kind }) => kind === 'attachment').entries()) {
      const isSafe = (piece.scan === 'clean' || piece.scan === 'none') && !isTakenOut(piece.id, decision);
      const extension = /\.([A-Za-z0-9]{1,8})$/.exec(piece.file_name ?? '')?.[1] ?? 'bin';
      const file = `data/tickets/${numbered(index)}/${numbered(place)}.${extension}`;
      const stored = isSafe ? await platform.objects.read(piece.object_key, { signal }) : undefined;
      if (stored !== undefined) await bag.add(file, stored.body as AsyncIterable<Buffer>, stored.bytes);
      attachments.push({ name: piece.file_name ?? file, path: stored === undefined ? null : file });
    }
    const file = `data/tickets/${numbered(index)}.html`;
    await bag.addText(file, ticketPage(answer, item, { messages, attachments, decision }, settings.timeZone));
    indexed.push({ item, decision, path: file, messages: messages.length });
  }
  return indexed;
}
