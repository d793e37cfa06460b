import { piecesOfEach, type ShownPiece } from '../tickets/read-ticket.js';
import type { Disclosed } from './answer.js';
import type { PrivacyContext } from './request.js';

/** A ticket of which something leaves, with all of its pieces that are still there. */
export interface Thread extends Disclosed {
  pieces: ShownPiece[];
}

/** So many tickets are read at once: few enough to hold in memory all that was written in them. */
const atOnce = 20;

/** Tickets of which something leaves, some at a time, as `disclosed` tells of them. */
export async function* threads(
  { platform: { clock, database } }: PrivacyContext,
  disclosed: AsyncIterable<Disclosed[]>,
  signal: AbortSignal,
): AsyncGenerator<Thread[]> {
  for await (const batch of disclosed)
    for (let from = 0; from < batch.length; from += atOnce) {
      signal.throwIfAborted();
      const some = batch.slice(from, from + atOnce);
      const held = some.filter(({ item }) => item.held).map(({ item }) => item.item_id);
      const pieces = await piecesOfEach(database, some.map(({ item }) => item.item_id), clock.now(), held);
      yield some.map((each) => ({ ...each, pieces: pieces.get(each.item.item_id) ?? [] }));
    }
}
