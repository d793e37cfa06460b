import { createHash, randomBytes } from 'node:crypto';
import type { Transaction } from 'sequelize';
import { actorOf, type Person } from '../access/caller.js';
import { append } from '../audit/log.js';
import type { Database } from '../platform/database.js';
import { newId } from '../platform/identifier.js';
import type { Platform } from '../platform/platform.js';
import { Problem } from '../platform/problem.js';
import { openForTraining } from '../recordings/share.js';
import { periodInForce } from '../retention/policies.js';
import { endOfPeriod } from '../retention/policy.js';
import { newestVersion, recordingFacts, type RecordingFacts } from './recording-facts.js';

/**
 * Random samples of an agent's calls in a period. The service chooses the seed, so that nobody draws until they like it,
 * and every draw stays on record; from the seed and the same calls anyone draws the same sample.
 *
 * The rule: order the calls by the hexadecimal SHA-256 of `<seed>:<recording id>` and take the first ones.
 */

export interface SampleRow {
  id: string;
  agent: { id: string; name: string };
  /** On which the agent answered when it was drawn. */
  extensions: string[];
  from: Date;
  until: Date;
  size: number;
  seed: string;
  /** How many calls could be drawn, and the SHA-256 of their ids, sorted, a line each. */
  population: number;
  populationSha256: string;
  drawnBy: { id: string; name: string };
  drawnAt: Date;
}

const select = `SELECT s.id, json_build_object('id', a.id, 'name', a.name) AS agent, s.extensions,
  s.period_from AS "from", s.period_until AS until, s.size, s.seed, s.population, s.population_sha256 AS "populationSha256",
  json_build_object('id', b.id, 'name', b.name) AS "drawnBy", s.drawn_at AS "drawnAt"
  FROM samples s JOIN users a ON a.id = s.agent_id JOIN users b ON b.id = s.drawn_by`;

/** The digest by which a population is known. */
export const populationDigest = (ids: readonly string[]): string =>
  createHash('sha256')
    .update([...ids].sort().join('\n'))
    .digest('hex');

/** The place of a recording in the draw: lower ones are taken first. */
export const drawKey = (seed: string, recordingId: string): string =>
  createHash('sha256').update(`${seed}:${recordingId}`).digest('hex');

/** The first `size` of a population, as its seed orders it. */
function drawnFrom(population: readonly string[], seed: string, size: number): string[] {
  return population
    .map((id) => ({ id, key: drawKey(seed, id) }))
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .slice(0, size)
    .map(({ id }) => id);
}

/**
 * The calls that can be drawn at `now`: played back, open to training, taken on these extensions in this period. A call in
 * one file a side is one call: the one that plays both.
 */
async function populationOf(
  database: Database,
  of: { extensions: readonly string[]; from: Date; until: Date },
  now: Date,
  tx?: Transaction,
): Promise<string[]> {
  const calls = await database.query<{ id: string }>(
    `SELECT r.id FROM recordings r ${newestVersion}
     WHERE r.agent = ANY ($2::text[]) AND r.started_at >= $3 AND r.started_at < $4 AND v.state = 'ready'
       AND r.leg_of IS NULL AND ${openForTraining('$1')}`,
    [now, of.extensions, of.from, of.until],
    tx,
  );
  return calls.map(({ id }) => id);
}

/**
 * Draws and records a sample.
 * @throws Problem `not-found` when there is no such agent, `conflict` when the agent has no extension
 */
export async function drawSample(
  { clock, database }: Pick<Platform, 'clock' | 'database'>,
  person: Person,
  told: { agentId: string; from: Date; until: Date; size: number },
  timeZone: string,
): Promise<string> {
  return await database.inTransaction(async (tx) => {
    const now = clock.now();
    const [agent] = await database.query<{ extensions: string[] }>(
      `SELECT extensions FROM users WHERE id = $1 AND role = 'agent'`,
      [told.agentId],
      tx,
    );
    if (agent === undefined) throw new Problem('not-found');
    if (agent.extensions.length === 0)
      throw new Problem('conflict', { detail: 'It is not known on which extension this agent answers.' });
    const population = await populationOf(database, { ...told, extensions: agent.extensions }, now, tx);
    const seed = randomBytes(16).toString('hex');
    const id = newId(clock);
    const digest = populationDigest(population);
    await database.query(
      `INSERT INTO samples (id, agent_id, extensions, period_from, period_until, size, seed, population, population_sha256,
         drawn_by, drawn_at, retain_until)
       VALUES ($1, $2, $3::text[], $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [
        id,
        told.agentId,
        agent.extensions,
        told.from,
        told.until,
        told.size,
        seed,
        population.length,
        digest,
        person.userId,
        now,
        endOfPeriod(now, await periodInForce(database, 'evaluation', tx), timeZone),
      ],
      tx,
    );
    // One that was deleted since it was read is left out: its purge cannot wait for us, nor we for it.
    await database.query(
      `INSERT INTO sample_picks (sample_id, recording_id, place)
       SELECT $1, r.id, told.place FROM unnest($2::uuid[]) WITH ORDINALITY told (id, place)
         JOIN recordings r ON r.id = told.id AND r.purge_intent IS NULL FOR KEY SHARE OF r`,
      [id, drawnFrom(population, seed, told.size)],
      tx,
    );
    await append(database, clock, tx, {
      actor: actorOf(person),
      action: 'sample.drawn',
      object: { type: 'sample', id },
      details: { agentId: told.agentId, seed, size: told.size, population: population.length, populationSha256: digest },
    });
    return id;
  });
}

/** Newest first, one more than `limit` if there is a next page. */
export async function listSamples(
  database: Database,
  agentId: string | undefined,
  page: { limit: number; after: { at: Date; id: string } | undefined },
  now: Date,
): Promise<SampleRow[]> {
  return await database.query<SampleRow>(
    `${select} WHERE s.retain_until > $1 AND ($2::uuid IS NULL OR s.agent_id = $2)
       AND ($3::timestamptz IS NULL OR (s.drawn_at, s.id) < ($3, $4::uuid)) ORDER BY s.drawn_at DESC, s.id DESC LIMIT $5`,
    [now, agentId ?? null, page.after?.at ?? null, page.after?.id ?? null, page.limit + 1],
  );
}

/** A call of a sample, and how far its evaluation is. */
export interface SampledCall {
  place: number;
  recording: RecordingFacts;
  /** Submitted, by anyone. */
  evaluated: boolean;
  /** Begun by the reader. */
  begun: boolean;
}

/** What drawing again gives today: `other_calls` when calls came or went, so that there is nothing to compare with. */
export interface Redrawn {
  outcome: 'same' | 'different' | 'other_calls';
  population: number;
}

/** A sample with those of its calls that can be heard now, in the order of the draw. @throws Problem `not-found` */
export async function sampleOf(
  database: Database,
  id: string,
  reader: Person,
  now: Date,
): Promise<{ sample: SampleRow; calls: SampledCall[]; redrawn: Redrawn }> {
  const [sample] = await database.query<SampleRow>(`${select} WHERE s.retain_until > $1 AND s.id = $2`, [now, id]);
  if (sample === undefined) throw new Problem('not-found');
  const calls = await database.query<SampledCall>(
    `SELECT p.place, ${recordingFacts} AS recording,
       EXISTS (SELECT FROM evaluations e WHERE e.recording_id = r.id AND e.agent_id = $3 AND e.version > 0) AS evaluated,
       EXISTS (SELECT FROM evaluations e WHERE e.recording_id = r.id AND e.agent_id = $3 AND e.evaluator_id = $4
         AND e.draft IS NOT NULL) AS begun
     FROM sample_picks p JOIN recordings r ON r.id = p.recording_id ${newestVersion}
     WHERE p.sample_id = $2 AND ${openForTraining('$1')} ORDER BY p.place`,
    [now, id, sample.agent.id, reader.userId],
  );
  return { sample, calls, redrawn: await redraw(database, sample, now) };
}

async function redraw(database: Database, sample: SampleRow, now: Date): Promise<Redrawn> {
  const population = await populationOf(database, sample, now);
  if (populationDigest(population) !== sample.populationSha256)
    return { outcome: 'other_calls', population: population.length };
  const picks = await database.query<{ id: string }>(
    'SELECT recording_id AS id FROM sample_picks WHERE sample_id = $1 ORDER BY place',
    [sample.id],
  );
  const again = drawnFrom(population, sample.seed, sample.size);
  const same = again.length === picks.length && picks.every(({ id }, place) => id === again[place]);
  return { outcome: same ? 'same' : 'different', population: population.length };
}
