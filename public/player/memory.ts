/**
 * What the player remembers on this device, per person: how they listen, and where they were in each recording.
 * Only ids and positions; entries leave after the longest time a recording is kept.
 */

export interface Habits {
  speed: number;
  skipSilence: boolean;
  shortcuts: boolean;
}

interface Spot {
  ms: number;
  at: number;
}

export const speeds = [0.75, 1, 1.25, 1.5, 1.75, 2] as const;

const keptMs = 90 * 86_400_000;

function read(key: string): Record<string, unknown> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    return typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function readHabits(userId: string): Habits {
  const { speed, skipSilence, shortcuts } = read(`opname.habits.${userId}`);
  return {
    speed: speeds.find((known) => known === speed) ?? 1,
    skipSilence: skipSilence === true,
    shortcuts: shortcuts !== false,
  };
}

export function keepHabits(userId: string, habits: Habits): void {
  localStorage.setItem(`opname.habits.${userId}`, JSON.stringify(habits));
}

/** Where this person left off in a recording, in milliseconds; undefined when they did not begin or finished. */
export function readSpot(userId: string, recordingId: string): number | undefined {
  const spot = read(`opname.spots.${userId}`)[recordingId] as Spot | undefined;
  return typeof spot?.ms === 'number' ? spot.ms : undefined;
}

/** Remembers where this person is; undefined forgets it. */
export function keepSpot(userId: string, recordingId: string, ms: number | undefined, now: number = Date.now()): void {
  const spots = read(`opname.spots.${userId}`) as Record<string, Spot>;
  const kept = Object.entries(spots).filter(([id, spot]) => id !== recordingId && now - spot.at < keptMs);
  if (ms !== undefined) kept.push([recordingId, { ms: Math.round(ms), at: now }]);
  localStorage.setItem(`opname.spots.${userId}`, JSON.stringify(Object.fromEntries(kept)));
}
