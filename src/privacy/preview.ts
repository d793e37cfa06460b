import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Bag } from '../packages/bag.js';
import { addCopy, fetchOriginal } from '../packages/originals.js';
import type { SealWork } from '../packages/seal.js';
import { Problem } from '../platform/problem.js';
import { findRecording } from '../recordings/recording.js';
import { piecesOf } from '../tickets/read-ticket.js';
import { decidedOn, type Answer } from './answer.js';
import { answersFolder } from './answers-folder.js';
import { messagesIn, type Bundle } from './bundle.js';
import { decisionsOn, findItem, type DecisionRow, type ItemRow } from './items.js';
import { ticketPage } from './pages.js';
import { isTakenOut } from './passages.js';
import type { PrivacyContext } from './request.js';

/** What would leave with the decisions of now, one thing at a time: to be listened to, or read, before anybody approves. */

/** An item and what was decided about access to it. @throws Problem `not-found` before that, `retention-ended` */
export async function previewed(
  { platform: { clock, database } }: PrivacyContext,
  answer: Answer,
  itemId: string,
): Promise<{ item: ItemRow; decision: DecisionRow }> {
  const item = await findItem(database, answer.request.id, itemId, clock.now());
  const decision = decidedOn((await decisionsOn(database, [itemId])).get(itemId) ?? [], 'access');
  if (item === undefined || item.confirmed !== true || decision === undefined) throw new Problem('not-found');
  if (!item.available) throw new Problem('retention-ended');
  return { item, decision };
}

/** A ticket as it would leave, as a page; its attachments are named. */
export async function previewTicket(
  { platform: { clock, database }, settings }: PrivacyContext,
  answer: Answer,
  { item, decision }: { item: ItemRow; decision: DecisionRow },
): Promise<string> {
  const pieces = await piecesOf(database, item.item_id, clock.now(), item.held);
  const attachments = pieces
    .filter((piece) => piece.kind === 'attachment' && !isTakenOut(piece.id, decision))
    .map((piece) => ({ name: piece.file_name ?? '', path: null }));
  return ticketPage(answer, item, { messages: messagesIn(pieces, decision), attachments, decision }, settings.timeZone);
}

/** A recording as it would leave. @throws Problem `retention-ended`, `storage-unavailable`, `not-audio` */
export async function previewCopy(
  context: PrivacyContext,
  { item, decision }: { item: ItemRow; decision: DecisionRow },
  signal: AbortSignal,
): Promise<Bundle> {
  const stored = await findRecording(context.platform.database, item.item_id);
  if (stored === undefined) throw new Problem('retention-ended');
  const folder = path.join(answersFolder(context.settings.dataDir), randomUUID());
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const discard = () => rm(folder, { recursive: true, force: true });
  const work: SealWork = { at: context.platform.clock.now(), signal, folder };
  try {
    const original = await fetchOriginal(context.platform, stored.version, work);
    if (original === undefined) throw new Problem('storage-unavailable', { detail: 'The original is missing in storage.' });
    const file = path.join(folder, 'preview');
    let bytes = 0;
    // The same function that fills the package makes it, so that what was heard is what leaves.
    const sink: Bag = {
      contents: new Map(),
      async add(_place, source, size) {
        bytes = size;
        await pipeline(source instanceof Uint8Array ? Readable.from([source]) : Readable.from(source), createWriteStream(file, { mode: 0o600 }));
        return { bytes: size, sha256: '', sha512: '' };
      },
      addText: () => Promise.reject(new Error('a preview has no text')),
      addJson: () => Promise.reject(new Error('a preview has no data')),
    };
    const made = await addCopy(sink, { ffmpeg: await context.ffmpeg(), original, version: stored.version }, '', {
      kind: 'masked_copy', file: 'preview.wav', agreementId: null, passage: undefined, cuts: stored.recording.holds, masks: decision.mask,
    }, work);
    if (made === undefined) throw new Problem('not-audio');
    return { file, bytes, discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

