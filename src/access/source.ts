import type { Transaction } from 'sequelize';
import { z } from 'zod';
import { append, type Actor } from '../audit/log.js';
import { sqlState, type Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import { decodeCursor, toPage } from '../platform/paging.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import type { ChannelMap, MachineRole } from './caller.js';

/** Sources: the PBXs and helpdesks that push. What they pushed hangs on them, so they outlive their keys. */

type Base = Pick<Platform, 'clock' | 'database'>;

export interface Source {
  id: string;
  name: string;
  kind: MachineRole;
  /** IANA name. */
  timezone: string;
  channels: ChannelMap;
  /** E.164. */
  ownNumbers: string[];
  createdAt: Date;
}

const columns = `id, name, kind, time_zone AS timezone, channel_map AS channels, own_numbers AS "ownNumbers",
  created_at AS "createdAt"`;

export const nameSchema = z.string().trim().min(1).max(100);

/** A zone of the IANA database. Bare offsets are refused: they know no summer time. */
export const timeZoneSchema = z
  .string()
  .max(64)
  .refine((zone) => {
    try {
      return (
        /^[A-Za-z]/.test(zone) && new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
      );
    } catch {
      return false;
    }
  }, 'must be a time zone such as Europe/Amsterdam')
  .meta({ description: 'IANA time zone, in which instants without an offset are read', example: 'Europe/Amsterdam' });

export const channelsSchema = z
  .array(z.enum(['caller', 'agent']))
  .min(1)
  .max(2)
  .refine((channels) => new Set(channels).size === channels.length, 'must name each leg once')
  .meta({ description: 'Who stands on each channel, left first', example: ['caller', 'agent'] });

export interface SourceSettings {
  timezone?: string | undefined;
  channels?: ChannelMap | undefined;
}

/** The stereo order most PBXs have. */
const usualChannels: ChannelMap = ['caller', 'agent'];

/** Makes a source inside `tx`. If there is one of that name, the new one is told apart by a number: `Office (2)`. */
export async function makeSource(
  { clock, database }: Base,
  tx: Transaction,
  actor: Actor,
  wanted: { name: string; kind: MachineRole; timezone: string; channels?: ChannelMap | undefined },
): Promise<Source> {
  await database.advisoryLock(tx, 'access.sources', 'exclusive');
  let name = wanted.name;
  for (let n = 2; (await sourceNamed(database, tx, name)) !== undefined; n += 1) name = `${wanted.name} (${n})`;
  const [source] = await database.query<Source>(
    `INSERT INTO sources (id, name, kind, time_zone, channel_map, created_at)
     VALUES ($1, $2, $3, $4, $5::text[], $6) RETURNING ${columns}`,
    [newId(clock), name, wanted.kind, wanted.timezone, wanted.channels ?? usualChannels, clock.now()],
    tx,
  );
  if (source === undefined) throw new Error('the source was not written');
  await append(database, clock, tx, {
    actor,
    action: 'source.created',
    object: { type: 'source', id: source.id },
    details: { kind: source.kind },
  });
  return source;
}

async function sourceNamed(database: Database, tx: Transaction, name: string): Promise<Source | undefined> {
  const [row] = await database.query<Source>(
    `SELECT ${columns} FROM sources WHERE lower(name) = lower($1)`,
    [name],
    tx,
  );
  return row;
}

/**
 * The source that `reference` means: an id, or a name; a name that is not known yet is a new source.
 * @throws Problem `invalid-input` for an unknown id or another kind of source, `conflict` for settings unlike its own.
 */
export async function findOrMakeSource(
  base: Base,
  tx: Transaction,
  actor: Actor,
  reference: string,
  kind: MachineRole,
  settings: SourceSettings,
  defaultTimeZone: string,
): Promise<Source> {
  const isId = z.uuid().safeParse(reference).success;
  // Taken before looking, so that two first keys for one name meet in one source.
  await base.database.advisoryLock(tx, 'access.sources', 'exclusive');
  const source = isId
    ? await sourceWithId(base.database, tx, reference)
    : await sourceNamed(base.database, tx, reference);
  if (source === undefined) {
    if (isId) throw new Problem('invalid-input', { errors: [{ path: 'source', message: 'is not a source' }] });
    return makeSource(base, tx, actor, {
      name: reference,
      kind,
      timezone: settings.timezone ?? defaultTimeZone,
      channels: settings.channels,
    });
  }
  if (source.kind !== kind)
    throw new Problem('invalid-input', {
      errors: [{ path: 'source', message: `is a source of the kind ${source.kind}` }],
    });
  const differs =
    (settings.timezone !== undefined && settings.timezone !== source.timezone) ||
    (settings.channels !== undefined && settings.channels.join() !== source.channels.join());
  if (differs)
    throw new Problem('conflict', { detail: 'The source has other settings. Change them with PATCH /sources/{id}.' });
  return source;
}

async function sourceWithId(database: Database, tx: Transaction, id: string): Promise<Source | undefined> {
  const [row] = await database.query<Source>(`SELECT ${columns} FROM sources WHERE id = $1 FOR UPDATE`, [id], tx);
  return row;
}

/** Newest first. */
export async function listSources(database: Database, page: { limit: number; cursor?: string | undefined }) {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
  const rows = await database.query<Source>(
    `SELECT ${columns} FROM sources WHERE $1::timestamptz IS NULL OR (created_at, id) < ($1, $2::uuid)
     ORDER BY created_at DESC, id DESC LIMIT $3`,
    [after?.at ?? null, after?.id ?? null, page.limit + 1],
  );
  return toPage(
    rows,
    page.limit,
    (source) => source,
    (source) => ({ at: source.createdAt, id: source.id }),
  );
}

export interface SourceChange extends SourceSettings {
  name?: string | undefined;
  ownNumbers?: readonly string[] | undefined;
}

/**
 * Changes how a source is read from now on; what it pushed before stays as it was read.
 * @throws Problem `not-found`, `conflict` when another source has that name.
 */
export async function changeSource(
  { clock, database }: Base,
  actor: Actor,
  id: string,
  change: SourceChange,
): Promise<Source> {
  return database.inTransaction(async (tx) => {
    const before = await sourceWithId(database, tx, id);
    if (before === undefined) throw new Problem('not-found');
    const after = await writeSource(database, tx, { ...before, ...withoutUndefined(change) });
    const fields = (['name', 'timezone', 'channels', 'ownNumbers'] as const).filter(
      (field) => String(before[field]) !== String(after[field]),
    );
    if (fields.length > 0)
      await append(database, clock, tx, {
        actor,
        action: 'source.changed',
        object: { type: 'source', id },
        details: { fields },
      });
    return after;
  });
}

async function writeSource(database: Database, tx: Transaction, source: Source): Promise<Source> {
  try {
    const [row] = await database.query<Source>(
      `UPDATE sources SET name = $2, time_zone = $3, channel_map = $4::text[], own_numbers = $5::text[]
       WHERE id = $1 RETURNING ${columns}`,
      [source.id, source.name, source.timezone, source.channels, source.ownNumbers],
      tx,
    );
    if (row === undefined) throw new Problem('not-found');
    return row;
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new Problem('conflict', {
      detail: 'Another source has this name.',
      errors: [{ path: 'name', message: 'is in use already' }],
    });
  }
}

type Told<Shape> = { [Name in keyof Shape]?: Exclude<Shape[Name], undefined> };

function withoutUndefined(
  change: SourceChange,
): Told<{ name: string; timezone: string; channels: ChannelMap; ownNumbers: string[] }> {
  return {
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(change.timezone === undefined ? {} : { timezone: change.timezone }),
    ...(change.channels === undefined ? {} : { channels: change.channels }),
    ...(change.ownNumbers === undefined ? {} : { ownNumbers: [...change.ownNumbers] }),
  };
}
