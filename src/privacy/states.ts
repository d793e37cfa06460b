import type { Transaction } from 'sequelize';
import { outcomeOf } from './decide.js';
import { decisionsOf, itemsOf, undecided, usualFor, type DecisionRow, type ItemRow } from './items.js';
import { findRequest, processesOf, type PrivacyContext, type ProcessRow, type RequestState } from './request.js';

/**
 * Where a request stands follows from what was done: who they are, what was found, what was decided and approved. Written
 * after every act, in its transaction.
 */
export interface Standing {
  processes: ProcessRow[];
  items: ItemRow[];
  decisions: Map<string, DecisionRow[]>;
  state: RequestState;
}

/** An undecided objection does not hold up the rest of the answer. */
const waitsForNobody = (process: ProcessRow) => process.right === 'objection';

/** Counts anew where the request and its processes stand, and writes it. */
export async function settleState({ platform: { clock, database } }: PrivacyContext, tx: Transaction, id: string): Promise<Standing> {
  const request = await findRequest(database, id, tx);
  const items = await itemsOf(database, id, clock.now(), tx);
  const decisions = await decisionsOf(database, id, tx);
  const before = await processesOf(database, id, tx);
  const open = undecided(before, items, decisions);
  for (const process of before.filter(({ state }) => state === 'open' || state === 'decided')) {
    const isDecided = request.searched_at !== null && !open.some(({ right }) => right === process.right);
    const verdicts = items
      .filter((item) => usualFor(item, process.right).decides)
      .flatMap((item) => (decisions.get(item.id) ?? []).filter(({ right }) => right === process.right))
      .map(({ decision }) => decision);
    const nothingButRefused = items.some((item) => item.confirmed !== false && !usualFor(item, process.right).decides);
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
  return { processes, items, decisions, state };
}
