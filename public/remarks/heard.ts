import { effect } from '@preact/signals';
import { address, ApiProblem, ask } from '../api/client.js';
import type { Playback } from '../player/playback.js';

interface Stretch {
  startMs: number;
  endMs: number;
}

const everyMs = 10_000;
/** A larger step of the position than this between two looks is a jump, not listening. */
const jumpMs = 2500;

/**
 * Tells the service what was heard, to complete the record that asking for the audio opened: each ten seconds, at a pause,
 * and when the page goes. `purposeOf` is what the audio was asked for with. @returns what ends it
 */
export function reportHeard(recordingId: string, playback: Playback, purposeOf: () => string | undefined): () => void {
  let waiting: Stretch[] = [];
  let current: Stretch | undefined;
  let ended = false;
  const cut = () => {
    if (current && current.endMs - current.startMs >= 50) waiting.push(current);
    current = undefined;
  };
  const take = () => {
    const going = current && playback.playing.peek() ? current.endMs : undefined;
    cut();
    if (going !== undefined) current = { startMs: going, endMs: going };
    const intervals = waiting.map(({ startMs, endMs }) => ({ startMs: Math.floor(startMs), endMs: Math.ceil(endMs) }));
    waiting = [];
    return intervals.slice(0, 500);
  };
  const body = (intervals: Stretch[]) => ({ intervals, purpose: purposeOf() });
  const path = `/recordings/${recordingId}/heard`;
  async function send() {
    const intervals = take();
    if (intervals.length === 0) return;
    try {
      await ask(path, { method: 'POST', body: body(intervals) });
    } catch (error) {
      // What a lost network kept back is told with the next; what was refused is not told again.
      const later = error instanceof ApiProblem && (error.status === 0 || error.status >= 500);
      if (later && !ended) waiting = [...intervals, ...waiting];
    }
  }
  const leave = () => {
    const intervals = take();
    if (intervals.length === 0) return;
    navigator.sendBeacon(address(path), new Blob([JSON.stringify(body(intervals))], { type: 'application/json' }));
  };
  const stops = [
    effect(() => {
      const ms = playback.positionMs.value;
      if (!playback.playing.value || playback.trouble.value !== 'none') return cut();
      if (!current || ms < current.endMs || ms - current.endMs > jumpMs) {
        cut();
        current = { startMs: ms, endMs: ms };
      } else current.endMs = ms;
    }),
    effect(() => {
      if (!playback.playing.value) void send();
    }),
  ];
  const timer = setInterval(() => void send(), everyMs);
  addEventListener('pagehide', leave);
  return () => {
    for (const stop of stops) stop();
    clearInterval(timer);
    removeEventListener('pagehide', leave);
    void send();
    ended = true;
  };
}
