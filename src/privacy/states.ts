import type { Transaction } from 'sequelize';
import { outcomeOf } from './decide.js';
import { decidesOn, isAvailable, type ItemRow } from './items.js';
import { findRequest, processesOf, type PrivacyContext, type ProcessRow, type RequestRow, type RequestState } from './request.js';
import type { Right, Verdict } from './rights.js';

/**
 * Where a request stands follows from what was done: who they are, what was found, what was decided and approved. Written
 * after every act, in its transaction. The database counts: an act on one of thousands of items costs little more than one on
 * a handful.
 */
export interface Standing {
  processes: ProcessRow[];
  state: RequestState;
}

/** So many items have this in common for a right that was asked for. */
export interface Cell {
  right: Right;
  kind: ItemRow['kind'];
  confirmed: boolean | null;
  available: boolean;
  decision: Verdict | null;
  count: number;
}

/** How many items there are of each sort, for each right. */
export async function cellsOf({ platform: { clock, database } }: PrivacyContext, id: string, tx?: Transaction): Promise<Cell[]> {
  return await database.query<Cell>(
    `WITH found AS MATERIALIZED (SELECT i.id, i.kind, i.confirmed, ${isAvailable} AS available FROM privacy_items i
       JOIN privacy_requests q ON q.id = i.request_id
       LEFT JOIN recordings r ON i.kind = 'recording' AND r.id = i.item_id
       LEFT JOIN tickets t ON i.kind = 'ticket' AND t.id = i.item_id WHERE i.request_id = $2)
     SELECT p."right", f.kind, f.confirmed, f.available, d.decision, count(*) AS count
     FROM found f CROSS JOIN privacy_processes p
     LEFT JOIN privacy_decisions d ON d.item_id = f.id AND d."right" = p."right" AND d.replaced_at IS NULL
     WHERE p.request_id = $2 GROUP BY 1, 2, 3, 4, 5`,
    [clock.now(), id],
    tx,
  );
}

/** Of these cells, how many somebody still has to decide: of items that are theirs or may be, and are still there. */
export const openAmong = (cells: readonly Cell[], { requester_kind }: Pick<RequestRow, 'requester_kind'>): Cell[] =>
  cells.filter((cell) => cell.confirmed !== false && cell.available && cell.decision === null && decidesOn(cell.right, { ...cell, requester_kind }));

/** An undecided objection does not hold up the rest of the answer. */
const waitsForNobody = (process: ProcessRow) => process.right === 'objection';

/** Counts anew where the request and its processes stand, and writes it. */
export async function settleState(context: PrivacyContext, tx: Transaction, id: string): Promise<Standing> {
  const { database } = context.platform;
  const request = await findRequest(database, id, tx);
  const cells = await cellsOf(context, id, tx);
  const open = openAmong(cells, request);
  for (const process of await processesOf(database, id, tx)) {
    if (process.state !== 'open' && process.state !== 'decided') continue;
    const isDecided = request.searched_at !== null && !open.some(({ right }) => right === process.right);
    const own = cells.filter(({ right }) => right === process.right);
    const decides = (cell: Cell) => decidesOn(cell.right, { ...cell, requester_kind: request.requester_kind });
    const verdicts = own.filter(decides).flatMap(({ decision }) => decision ?? []);
    const nothingButRefused = own.some((cell) => cell.confirmed !== false && !decides(cell));
    const outcome = verdicts.length === 0 && nothingButRefused ? 'refused' : outcomeOf(verdicts);
    await database.query(
      'UPDATE privacy_processes SET state = $2, outcome = $3 WHERE id = $1',
      [process.id, isDecided ? 'decided' : 'open', isDecided ? outcome : null],
      tx,
    );
  }
  const processes = await processesOf(database, id, tx);
  const pressing = processes.filter((process) => process.outcome !== 'withdrawn' && !waitsForNobody(process));
  const counted = pressing.length > 0 ? pressing : processes;
  const all = (...states: ProcessRow['state'][]) => counted.every(({ state }) => states.includes(state));
  let state: RequestState;
  if (request.state === 'draft' || request.state === 'closed') state = request.state;
  else if (all('approved', 'done')) state = 'answer';
  else if (request.identified_at === null) state = 'identity';
  else if (request.searched_at === null) state = 'search';
  else state = all('decided', 'approved', 'done') ? 'approval' : 'decide';
  await database.query('UPDATE privacy_requests SET state = $2 WHERE id = $1', [id, state], tx);
  return { processes, state };
}
