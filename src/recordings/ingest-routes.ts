import { statfs } from 'node:fs/promises';
import { z } from 'zod';
import type { Caller } from '../access/caller.js';
import { organisationOf } from '../access/organisation.js';
import { operation, type Operation } from '../platform/http.js';
import type { Platform } from '../platform/platform.js';
import { standingAlarms } from './alarms.js';
import { expectedSince, ingestDays, isSilent, missingRecordings, rhythms, withoutCallData } from './completeness.js';
import type { IngestCounts } from './ingest-counts.js';

const dayMs = 86_400_000;

const daySchema = z.object({
  date: z.iso.date().meta({ description: 'In the time zone of the source' }),
  received: z.int(),
  duplicates: z.int(),
  rejected: z.record(z.string(), z.int()).meta({ description: 'By error code' }),
});

const sourceSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    timezone: z.string(),
    lastReceivedAt: z.iso.datetime().nullable(),
    received: z.int(),
    duplicates: z.int(),
    rejected: z.array(z.object({ code: z.string(), count: z.int(), lastAt: z.iso.datetime() })),
    days: z.array(daySchema),
    silent: z.boolean().meta({ description: 'Nothing came although, by the rhythm of earlier weeks, it should have' }),
    expectedSince: z.number().nullable().meta({ description: 'How many recordings usually come in such a stretch of the week' }),
    missingRecordings: z.int().meta({ description: 'Answered calls of the last seven days without a recording' }),
    missing: z
      .array(z.object({ callId: z.string(), startedAt: z.iso.datetime(), endedAt: z.iso.datetime(), billedMs: z.int().nullable() }))
      .meta({ description: 'The newest 100 of them' }),
    withoutCallData: z.int().meta({ description: 'Recordings of the last seven days whose call data did not come' }),
  })
  .meta({ id: 'IngestSource' });

const ingestSchema = z.object({
  sources: z.array(sourceSchema),
  queue: z.object({
    waiting: z.int().meta({ description: 'Recordings whose playback copy is not made yet' }),
    oldestAt: z.iso.datetime().nullable(),
    failed: z.int(),
  }),
  disk: z.object({ freeBytes: z.int(), totalBytes: z.int() }),
  alarms: z.array(
    z.object({ id: z.uuid(), sourceId: z.uuid(), kind: z.enum(['silent', 'recordings_missing', 'refused']), count: z.int(), raisedAt: z.iso.datetime() }),
  ),
});

/** How the taking in of recordings goes, for administrators. */
export function ingestOperations(
  platform: Pick<Platform, 'clock' | 'database'>,
  counts: IngestCounts,
  incoming: string,
): Operation<Caller>[] {
  const { clock, database } = platform;
  return [
    operation({
      method: 'get',
      path: '/ingest',
      id: 'readIngest',
      tag: 'recordings',
      summary: 'What came in and what did not, by source',
      action: 'ingest.read',
      query: z.object({ days: z.coerce.number().int().min(1).max(92).default(14) }),
      replies: { 200: { description: 'No number and no name is in it', schema: ingestSchema } },
      async handle({ query }) {
        await counts.flush();
        const now = clock.now();
        const { ownNumbers } = await organisationOf(database);
        const [sources, days, heard, missing, dataless, alarms, queue, disk] = await Promise.all([
          database.query<{ id: string; name: string; timezone: string }>(
            `SELECT id, name, time_zone AS timezone FROM sources WHERE kind = 'pbx' ORDER BY name`,
          ),
          ingestDays(database, new Date(now.getTime() - query.days * dayMs)),
          rhythms(database, now),
          missingRecordings(database, now, ownNumbers),
          withoutCallData(database, now),
          standingAlarms(database),
          queueOf(platform),
          statfs(incoming),
        ]);
        return {
          status: 200,
          body: {
            sources: sources.map((source) => {
              const own = days.filter((day) => day.sourceId === source.id);
              const rhythm = heard.find((each) => each.sourceId === source.id);
              const gone = missing.filter((call) => call.sourceId === source.id);
              return {
                ...source,
                lastReceivedAt: rhythm?.lastReceivedAt.toISOString() ?? null,
                ...summed(own),
                days: byDay(own),
                silent: rhythm !== undefined && isSilent(rhythm),
                expectedSince: (rhythm === undefined ? undefined : expectedSince(rhythm)) ?? null,
                missingRecordings: gone.length,
                missing: gone.slice(0, 100).map(({ callId, startedAt, endedAt, billedMs }) => ({
                  callId, startedAt: startedAt.toISOString(), endedAt: endedAt.toISOString(), billedMs,
                })),
                withoutCallData: dataless.get(source.id) ?? 0,
              };
            }),
            queue,
            disk: { freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize },
            alarms: alarms.map((alarm) => ({ ...alarm, raisedAt: alarm.raisedAt.toISOString() })),
          },
        };
      },
    }),
  ];
}

interface Counted {
  date: string;
  outcome: string;
  count: number;
  lastAt: Date;
}

const isKept = (outcome: string) => outcome === 'received' || outcome === 'duplicate';
const total = (rows: readonly Counted[], outcome: string) =>
  rows.filter((row) => row.outcome === outcome).reduce((sum, row) => sum + row.count, 0);

function summed(rows: readonly Counted[]) {
  const codes = [...new Set(rows.map((row) => row.outcome).filter((outcome) => !isKept(outcome)))];
  return {
    received: total(rows, 'received'),
    duplicates: total(rows, 'duplicate'),
    rejected: codes.map((code) => ({
      code,
      count: total(rows, code),
      lastAt: new Date(Math.max(...rows.filter((row) => row.outcome === code).map((row) => row.lastAt.getTime()))).toISOString(),
    })),
  };
}

function byDay(rows: readonly Counted[]) {
  return [...new Set(rows.map((row) => row.date))].map((date) => {
    const own = rows.filter((row) => row.date === date);
    const rejected = Object.fromEntries(own.filter((row) => !isKept(row.outcome)).map((row) => [row.outcome, row.count]));
    return { date, received: total(own, 'received'), duplicates: total(own, 'duplicate'), rejected };
  });
}

/** How far the making of playback copies lags behind. */
export async function queueOf({ database }: Pick<Platform, 'database'>): Promise<{ waiting: number; oldestAt: string | null; failed: number }> {
  const [row] = await database.query<{ waiting: number; oldest: Date | null; failed: number }>(
    `SELECT count(*) FILTER (WHERE v.state = 'received') AS waiting, min(v.received_at) FILTER (WHERE v.state = 'received') AS oldest,
       count(*) FILTER (WHERE v.state = 'failed') AS failed
     FROM recording_versions v JOIN recordings r ON r.id = v.recording_id AND r.version = v.number
     WHERE v.state IN ('received', 'failed') AND r.purge_intent IS NULL`,
  );
  return { waiting: row?.waiting ?? 0, oldestAt: row?.oldest?.toISOString() ?? null, failed: row?.failed ?? 0 };
}
