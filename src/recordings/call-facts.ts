import type { CallRecord } from './call-record.js';
import { isExtension } from './numbers.js';
import type { Disposition, Interval, Transfer } from './recording.js';

/** What the records of a call say of one of its recordings. Pure: records in, facts out. */
export interface CallFacts {
  disposition: Disposition;
  answeredAt: Date | null;
  endedAt: Date;
  billedMs: number | null;
  callerNumber: string | null;
  callerName: string | null;
  /** Said by a record of the caller's own: what a push told of them is forgotten then. */
  callerWithheld: boolean;
  calleeNumber: string | null;
  agent: string | null;
  queue: string | null;
  transfers: Transfer[];
}

type Told = Pick<
  CallRecord,
  | 'uniqueId' | 'startedAt' | 'answeredAt' | 'endedAt' | 'billedMs' | 'disposition' | 'callerNumber' | 'callerName'
  | 'callerWithheld' | 'calleeNumber' | 'channel' | 'peerChannel' | 'agent' | 'queue' | 'callKey'
>;

/** The second half of a Local channel tells again what its first half told. */
const isEcho = ({ channel }: Pick<Told, 'channel'>) => channel !== null && /^Local\/.*;2$/.test(channel);

/** `PJSIP/101-0000001e` → `101`; `Local/101@from-queue-00000001;1` → `101`; null where there is no device. */
export function deviceOf(channel: string | null): string | null {
  if (channel === null) return null;
  return /^(?:Local\/([^@/]+)@.*|[A-Za-z0-9]+\/(.+)-[0-9a-f]{6,})$/.exec(channel)?.slice(1).find((part) => part !== undefined) ?? null;
}

/** Who was at the other end: through a Local channel, the device that its second half reached. */
function reached(record: Told, records: readonly Told[]): string | null {
  const local = record.peerChannel === null ? null : /^(Local\/.*);1$/.exec(record.peerChannel)?.[1];
  const further = local === null || local === undefined ? undefined : records.find((other) => other.channel === `${local};2`);
  return deviceOf(further?.peerChannel ?? null) ?? deviceOf(record.peerChannel);
}

/**
 * Those records of a call whose caller is the caller: of the recording's channel, and of the first, which gave the call its
 * name. In others an agent may call on, hiding the organisation's number.
 */
export function recordsOfCaller<Of extends Pick<Told, 'uniqueId' | 'callKey' | 'startedAt'>>(callId: string, records: readonly Of[]): Of[] {
  const [first] = [...records].sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
  return records.filter((record) => record === first || record.uniqueId === callId || record.uniqueId === record.callKey);
}

/**
 * @param callId the recording's own; records of its channel go before others of the call
 * @param records of the whole call, in any order; at least one
 */
export function factsOf(callId: string, records: readonly Told[]): CallFacts | undefined {
  const inOrder = [...records].sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
  const ofChannel = inOrder.filter((record) => record.uniqueId === callId);
  const own = (ofChannel.length > 0 ? ofChannel : inOrder).filter((record) => !isEcho(record));
  const main = own.length > 0 ? own : inOrder;
  const [first] = main;
  if (first === undefined) return undefined;
  const answered = main.filter((record) => record.disposition === 'answered');
  const talks = answered.filter((record) => record.peerChannel !== null && record.peerChannel !== '');
  const devices = talks.map((record) => reached(record, inOrder));
  const answers = answered.flatMap((record) => (record.answeredAt === null ? [] : [record.answeredAt.getTime()]));
  const billed = main.flatMap((record) => (record.billedMs === null ? [] : [record.billedMs]));
  const told = <Value>(of: (record: Told) => Value | null) => inOrder.map(of).find((value) => value !== null) ?? null;
  // To tell a number, nobody may say that it was withheld; to take one away, a record of the caller must.
  const isHidden = inOrder.some((record) => record.callerWithheld);
  return {
    disposition: answered.length > 0 ? 'answered' : (main.at(-1)?.disposition ?? 'unknown'),
    answeredAt: answers.length === 0 ? null : new Date(Math.min(...answers)),
    endedAt: new Date(Math.max(...main.map((record) => record.endedAt.getTime()))),
    billedMs: billed.length === 0 ? null : billed.reduce((sum, ms) => sum + ms, 0),
    callerNumber: isHidden ? null : first.callerNumber,
    callerName: isHidden ? null : first.callerName,
    callerWithheld: recordsOfCaller(callId, inOrder).some((record) => record.callerWithheld),
    calleeNumber: first.calleeNumber,
    agent: told((record) => record.agent) ?? devices.find((device) => isExtension(device)) ?? null,
    queue: told((record) => record.queue),
    transfers: talks.slice(1).map((record, index) => ({
      at: record.startedAt.toISOString(),
      to: devices[index + 1] ?? record.calleeNumber ?? '',
    })),
  };
}

/**
 * Everyone who took part in a call, as its records tell them: numbers, extensions, queues. A phone that rang and was not
 * answered took no part; what the caller dialled did.
 */
export function partiesOf(records: readonly (Told & Pick<CallRecord, 'callKey'>)[]): string[] {
  const parties = records.flatMap((record) => {
    const { callerNumber, calleeNumber, queue, agent, channel, peerChannel, uniqueId, callKey } = record;
    const always = [callerNumber, deviceOf(channel), uniqueId === callKey ? calleeNumber : null];
    return record.disposition === 'answered' ? [...always, calleeNumber, queue, agent, deviceOf(peerChannel)] : always;
  });
  return [...new Set(parties.filter((party) => party !== null))];
}

/** Hold intervals of the records as intervals of a recording that began at `startedAt`. */
export function holdsOf(records: readonly Pick<CallRecord, 'holds'>[], startedAt: Date): Interval[] {
  const intervals = records
    .flatMap((record) => record.holds)
    .map(({ from, to }) => ({
      startMs: Math.max(0, Date.parse(from) - startedAt.getTime()),
      endMs: Date.parse(to) - startedAt.getTime(),
    }))
    .filter(({ startMs, endMs }) => endMs > startMs && endMs <= 86_400_000)
    .sort((a, b) => a.startMs - b.startMs);
  const merged: Interval[] = [];
  for (const interval of intervals) {
    const last = merged.at(-1);
    if (last !== undefined && interval.startMs <= last.endMs) last.endMs = Math.max(last.endMs, interval.endMs);
    else merged.push({ ...interval });
  }
  return merged;
}
