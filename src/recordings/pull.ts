import { systemActor } from '../audit/log.js';
import type { Machine } from '../access/caller.js';
import { findOrMakeSource } from '../access/source.js';
import { organisationOf } from '../access/organisation.js';
import type { Platform } from '../platform/platform.js';
import type { Door } from './doors/door.js';
import { pullFromThreecx, type PullSettings } from './doors/threecx.js';

/** PBXs that push nothing are asked, one after the other. What goes wrong with one does not keep the others waiting. */
export async function pullAll(
  platform: Pick<Platform, 'clock' | 'database' | 'log'>,
  door: Door,
  pulls: readonly PullSettings[],
  defaultTimeZone: string,
  signal: AbortSignal,
): Promise<void> {
  for (const settings of pulls) {
    if (signal.aborted) return;
    const machine = await machineOfSource(platform, settings.source, defaultTimeZone);
    try {
      await pullFromThreecx(door, machine, settings, signal);
      await noteFault(platform, machine.sourceId, null);
    } catch (error) {
      if (signal.aborted) return;
      // Its message may quote an address with credentials; the name tells enough, our own faults tell more.
      const fault = error instanceof Error && error.constructor.name === 'PullFault' ? error.message : 'not reached';
      platform.log.warn({ sourceId: machine.sourceId, fault }, 'a PBX could not be asked');
      await noteFault(platform, machine.sourceId, fault);
    }
  }
}

async function noteFault({ database }: Pick<Platform, 'database'>, sourceId: string, fault: string | null): Promise<void> {
  await database.query(
    `INSERT INTO pulls (source_id, last_fault) VALUES ($1, $2) ON CONFLICT (source_id) DO UPDATE SET last_fault = excluded.last_fault`,
    [sourceId, fault],
  );
}

/** What a key would make of the source: the same machine, without a key. */
async function machineOfSource(
  platform: Pick<Platform, 'clock' | 'database' | 'log'>,
  name: string,
  defaultTimeZone: string,
): Promise<Machine> {
  const source = await platform.database.inTransaction((tx) =>
    findOrMakeSource(platform, tx, systemActor('pull'), name, 'pbx', {}, defaultTimeZone),
  );
  const { ownNumbers } = await organisationOf(platform.database);
  return {
    kind: 'machine',
    role: 'pbx',
    keyId: 'pull',
    sourceId: source.id,
    sourceName: source.name,
    timeZone: source.timezone,
    channelMap: source.channels,
    ownNumbers: [...new Set([...source.ownNumbers, ...ownNumbers])],
  };
}
