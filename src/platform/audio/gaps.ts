/** Shorter pauses belong to talking. */
const minSilenceMs = 1500;

/** Left standing on both sides, so that skipping a gap never clips a word's soft beginning or end. */
const marginMs = 250;

/** −60 dB: below it nobody speaks, whatever the rest of the call is like. Covers the idle noise of G.711. */
const surelySilent = 0.001;

/** −35 dB: above it there is something to hear, however loud the rest is. */
const surelySound = 0.018;

/**
 * Stretches in which every channel is silent for 1.5 s or more, less 0.25 s at each side.
 *
 * What counts as silent follows the call: 30 dB below the loudest channel's speech (the level that a twentieth of its
 * points exceed), or 6 dB above a channel's own background noise (the level that a tenth of its points stay under)
 * where that is more, but never within 15 dB of the speech, never below −60 dB and never above −35 dB. Digital
 * silence, as a mute leaves it, is always silent and does not count when levels are learnt.
 *
 * @param power per channel, the mean square of each point, full scale being 1
 */
export function findGaps(power: readonly Float32Array[], pointMs: number, durationMs: number): [number, number][] {
  const heard = power.map((points) => points.filter((value) => value > 1e-9).sort());
  const speech = Math.max(0, ...heard.map((points) => levelAt(points, 0.95)));
  const thresholds = heard.map((points) => {
    const adaptive = Math.min(Math.max(speech * 0.0316, levelAt(points, 0.1) * 2), speech * 0.178);
    return Math.min(Math.max(adaptive, surelySilent), surelySound) ** 2;
  });
  const gaps: [number, number][] = [];
  const points = power[0]?.length ?? 0;
  let silentFrom = 0;
  for (let point = 0; point <= points; point += 1) {
    const isSilent = point < points && power.every((values, i) => (values[point] ?? 0) < (thresholds[i] ?? 0));
    if (isSilent) continue;
    const startMs = silentFrom * pointMs;
    const endMs = Math.min(point * pointMs, durationMs);
    if (endMs - startMs >= minSilenceMs) gaps.push([startMs + marginMs, endMs - marginMs]);
    silentFrom = point + 1;
  }
  return gaps;
}

function levelAt(sorted: Float32Array, part: number): number {
  return Math.sqrt(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);
}
