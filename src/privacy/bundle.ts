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
import type { ShownPiece } from '../tickets/read-ticket.js';
import { answersFolder, clearAnswers } from './answers-folder.js';
import { disclosed, isAnswered, isForCompany, isOrder, listensTo, type Answer, type Disclosed } from './answer.js';
import { indexPage, recordingRow, ticketRow, withheldRow, type IndexedRecording, type IndexedTicket } from './index-page.js';
import { letterHtml } from './letter.js';
import { isTakenOut, withoutMasked } from './passages.js';
import { ticketPage, transcriptPage, workPage } from './pages.js';
import type { DecisionRow, ItemRow } from './items.js';
import { writePortability } from './portability.js';
import { referenceOf, type PrivacyContext } from './request.js';
import { createSpool, type Spool } from './spool.js';
import { threads, type Thread } from './threads.js';

/**
 * The package of an answer: a signed bag with a page to begin with, audio without hold music and with others made
 * inaudible, tickets, the part to take elsewhere, and the letter. It is made anew each time from what is there and not
 * kept: an answer leaves no second copy of what it answers about. Things are read some hundred at a time and rows go to disk:
 * memory does not grow with what goes in, but for its names and digests (`npm run bench -- privacy`).
 */

export interface Bundle {
  file: string;
  bytes: number;
  /** Removes the file. */
  discard(): Promise<void>;
}

/** Makes the package in a temporary file. @throws Problem `storage-unavailable` */
export async function makeBundle(context: PrivacyContext, answer: Answer, letterText: string, signal: AbortSignal): Promise<Bundle> {
  const { platform, settings, signingKey } = context;
  await clearAnswers(settings.dataDir);
  const folder = path.join(answersFolder(settings.dataDir), randomUUID());
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const discard = () => rm(folder, { recursive: true, force: true });
  const file = path.join(folder, 'answer.zip');
  // Ends with the work, so that nothing of it stays open when it fails half-way.
  const over = new AbortController();
  const work: SealWork = { at: platform.clock.now(), signal: AbortSignal.any([signal, over.signal]), folder };
  try {
    const archive = await createArchive(file, work.at, signal);
    try {
      const reference = referenceOf(answer.request);
      const bag = createBag(archive, reference);
      const spool = (name: string) => createSpool(path.join(folder, `${name}.part`), work.signal);
      const contents = { recordings: spool('recordings'), tickets: spool('tickets'), withheld: spool('withheld') };
      await addRecordings(context, answer, bag, work, contents.recordings);
      await addTickets(context, answer, bag, signal, contents.tickets);
      const portable = await writePortability(context, answer, bag, work);
      await addWithheld(answer, contents.withheld, settings.timeZone);
      for (const rows of Object.values(contents)) await rows.end();
      await bag.addText('data/letter.html', letterHtml(answer, letterText, settings.timeZone));
      if (!isOrder(answer)) {
        await bag.addJson('data/register.json', { rows: register });
        await addListens(context, answer, bag, work);
      }
      const hasWork = answer.work !== null && answer.processes.some((process) => process.right === 'access' && isAnswered(process));
      if (hasWork) {
        await bag.addJson('data/work.json', JSON.parse(JSON.stringify(answer.work)));
        await bag.addText('data/work.html', workPage(answer, settings.timeZone));
      }
      const index = spool('index');
      for await (const piece of indexPage(answer, { ...contents, portable, work: hasWork }, settings.timeZone)) await index.write(piece);
      await index.end();
      const { controller } = answer.organisation;
      await bag.seal({
        info: [
          ['External-Identifier', reference],
          ...(controller === '' ? [] : [['Source-Organization', controller] as const]),
          ['External-Description', 'Answer to a request of a data subject'],
        ],
        files: [
          { name: 'index.html', file: index.file },
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
    over.abort();
    await discard();
    throw error;
  }
}

/** Names of files are made of digits and letters alone: everything else of a thing stands on the page. */
const numbered = (index: number) => String(index + 1).padStart(4, '0');

async function addRecordings(context: PrivacyContext, answer: Answer, bag: Bag, work: SealWork, rows: Spool): Promise<void> {
  const { timeZone } = context.settings;
  const derivations = createSpool(path.join(work.folder, 'derivations.part'), work.signal);
  let index = 0;
  for await (const batch of disclosed(answer, 'access', 'recording')) {
    const listens = await listensTo(context, answer, batch.map(({ item }) => item.item_id));
    for (const each of batch) {
      const { item, decision } = each;
      work.signal.throwIfAborted();
      const made = await addRecording(context, answer, bag, work, { ...each, index });
      index += 1;
      if (made === undefined) continue;
      const { derivation, ...shown } = made;
      if (derivation !== undefined)
        await derivations.write(`${derivations.count === 0 ? '{\n  "format": "opname-derivation/1",\n  "derivations": [' : ','}\n    ${JSON.stringify(derivation)}`);
      const heard = listens.filter(({ recordingId }) => recordingId === item.item_id);
      const statements = await statementsOn(context, item.item_id);
      await rows.write(`${recordingRow({ item, decision, listens: heard, statements, ...shown }, answer, timeZone)}\n`);
    }
  }
  const isNone = derivations.count === 0;
  if (!isNone) await derivations.write('\n  ]\n}\n');
  await derivations.end();
  if (!isNone) await derivations.addTo(bag, 'data/audio/derivation.json');
}

/** The copy of one call and what was said in it; undefined when it is gone. */
async function addRecording(
  context: PrivacyContext,
  answer: Answer,
  bag: Bag,
  work: SealWork,
  { item, decision, index }: Disclosed & { index: number },
): Promise<(Pick<IndexedRecording, 'transcript' | 'audio' | 'durationMs'> & { derivation: Derivation | undefined }) | undefined> {
  const { platform } = context;
  const stored = await findRecording(platform.database, item.item_id);
  if (stored === undefined) return undefined;
  const original = await fetchOriginal(platform, stored.version, work);
  const day = stored.recording.started_at.toISOString().slice(0, 10);
  const name = `${numbered(index)}-${day}.wav`;
  const derivation =
    original === undefined
      ? undefined
      : await addCopy(bag, { ffmpeg: await context.ffmpeg(), original, version: stored.version }, 'data/audio/', {
          kind: 'masked_copy', file: name, agreementId: null, passage: undefined, cuts: stored.recording.holds, masks: decision.mask,
        }, work);
  if (original !== undefined) await rm(original, { force: true });
  const transcript = await addTranscript(context, answer, bag, { index, item, decision, found: stored });
  return { derivation, transcript, audio: derivation === undefined ? null : `data/audio/${name}`, durationMs: derivation?.durationMs ?? null };
}

/** Rows of what was not granted, or not wholly, right by right. */
async function addWithheld(answer: Answer, rows: Spool, timeZone: string): Promise<void> {
  // A company learns of nobody whether anything is held.
  if (isForCompany(answer)) return;
  for (const { right } of answer.processes.filter(isAnswered))
    for (const kind of ['recording', 'ticket'] as const)
      for await (const batch of answer.batches(kind))
        for (const each of batch) {
          const row = withheldRow(each, right, answer, timeZone);
          if (row !== undefined) await rows.write(`${row}\n`);
        }
}

/** Who listened to what is theirs: when and why. */
async function addListens(context: PrivacyContext, answer: Answer, bag: Bag, { folder, signal }: SealWork): Promise<void> {
  const listens = createSpool(path.join(folder, 'listens.part'), signal);
  await listens.write('{"listens":[');
  for await (const batch of answer.batches('recording'))
    for (const { recordingId, at, purpose } of await listensTo(context, answer, batch.map(({ item }) => item.item_id)))
      await listens.write(`${listens.count === 1 ? '' : ','}\n${JSON.stringify({ recordingId, at: at.toISOString(), purpose })}`);
  await listens.write('\n]}\n');
  await listens.end();
  await listens.addTo(bag, 'data/listens.json');
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

async function addTickets(context: PrivacyContext, answer: Answer, bag: Bag, signal: AbortSignal, rows: Spool): Promise<void> {
  let index = 0;
  for await (const some of threads(context, disclosed(answer, 'access', 'ticket'), signal))
    for (const each of some) {
      signal.throwIfAborted();
      const shown = await addTicket(context, answer, bag, signal, { ...each, index });
      await rows.write(`${ticketRow({ ...each, ...shown }, answer, context.settings.timeZone)}\n`);
      index += 1;
    }
}

async function addTicket(
  { platform, settings }: PrivacyContext,
  answer: Answer,
  bag: Bag,
  signal: AbortSignal,
  { item, decision, pieces, index }: Thread & { index: number },
): Promise<Pick<IndexedTicket, 'path' | 'messages'>> {
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
  return { path: file, messages: messages.length };
}
