import { z } from 'zod';
import type { Role } from '../access/caller.js';
import { maskNumber } from '../recordings/present.js';
import type { Interval } from '../recordings/recording.js';

/** What training's lists show of a recording beside their own rows: masked, read in the same query. */

/** SQL over `r` (recordings) and `v` (its newest version), as one JSON value. */
export const recordingFacts = `json_build_object('id', r.id, 'startedAt', r.started_at, 'direction', r.direction,
  'caller', r.caller_number, 'callee', r.callee_number, 'agent', r.agent,
  'agentName', (SELECT string_agg(p.name, ', ' ORDER BY p.name) FROM users p
    WHERE p.role = 'agent' AND p.disabled_at IS NULL AND r.agent = ANY (p.extensions)), 'queue', r.queue, 'state', v.state,
  'durationMs', v.duration_ms, 'sampleRateHz', v.sample_rate_hz, 'retainUntil', r.retain_until, 'holds', r.holds)`;

/** Joins the newest version to recordings `r`. */
export const newestVersion = 'JOIN recording_versions v ON v.recording_id = r.id AND v.number = r.version';

/** As `recordingFacts` gives them; instants as text, since they come out of JSON. */
export interface RecordingFacts {
  id: string;
  startedAt: string;
  direction: 'inbound' | 'outbound' | 'internal';
  caller: string | null;
  callee: string | null;
  agent: string | null;
  /** Of who answers on that extension now; several where it is shared. */
  agentName: string | null;
  queue: string | null;
  state: 'received' | 'ready' | 'failed';
  durationMs: number;
  sampleRateHz: number;
  retainUntil: string;
  holds: Interval[];
}

export const recordingFactsSchema = z
  .object({
    id: z.uuid(),
    startedAt: z.iso.datetime(),
    direction: z.enum(['inbound', 'outbound', 'internal']),
    caller: z.string().nullable(),
    callee: z.string().nullable(),
    agent: z.string().nullable().meta({ description: 'The extension' }),
    agentName: z.string().nullable().meta({ description: 'Who answers on it now' }),
    queue: z.string().nullable(),
    state: z.enum(['received', 'ready', 'failed']),
    durationMs: z.int(),
    retainUntil: z.iso.datetime(),
    expiresInDays: z.int().meta({ description: 'Whole days until it is deleted, 0 on the last one' }),
  })
  .meta({ id: 'RecordingFacts' });

const dayMs = 86_400_000;

/** As this role sees them. */
export function presentFacts(
  facts: RecordingFacts,
  role: Role,
  ownNumbers: readonly string[],
  now: Date,
): z.input<typeof recordingFactsSchema> {
  const retainUntil = new Date(facts.retainUntil);
  return {
    id: facts.id,
    startedAt: new Date(facts.startedAt).toISOString(),
    direction: facts.direction,
    caller: maskNumber(facts.caller, role, ownNumbers),
    callee: maskNumber(facts.callee, role, ownNumbers),
    agent: facts.agent,
    agentName: facts.agentName,
    queue: facts.queue,
    state: facts.state,
    durationMs: facts.durationMs,
    retainUntil: retainUntil.toISOString(),
    expiresInDays: Math.max(0, Math.floor((retainUntil.getTime() - now.getTime()) / dayMs)),
  };
}

/** The recording and its version as the timeline wants them. */
export const heardOf = (facts: RecordingFacts) => ({
  recording: { holds: facts.holds },
  version: { sample_rate_hz: facts.sampleRateHz, duration_ms: facts.durationMs },
});
