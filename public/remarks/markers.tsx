import type { Agreement } from '../api/types.js';
import type { Playback } from '../player/playback.js';
import type { Remarks } from './remarks.js';

const width = 1000;

/**
 * Comments and agreements where they are in the call, in line with the slider. A picture for who sees it: the same
 * stand as a list beside the call, and the keys go from one to the next.
 */
export function Markers({ remarks, agreements, playback }: { remarks: Remarks; agreements: Agreement[]; playback: Playback }) {
  const comments = remarks.list.value ?? [];
  if (comments.length === 0 && agreements.length === 0) return null;
  const durationMs = Math.max(1, playback.durationMs.value);
  const x = (ms: number) => (Math.min(ms, durationMs) / durationMs) * width;
  const bar = (startMs: number, endMs: number | null) => Math.max(5, x(endMs ?? startMs) - x(startMs));
  return (
    <div class="slider markers" aria-hidden="true">
      <span class="slider-time" />
      <svg viewBox={`0 0 ${width} 14`} preserveAspectRatio="none">
        {agreements.map(({ id, startMs, endMs }) => (
          <rect
            key={id}
            class="marker-agreement"
            x={x(startMs)}
            width={bar(startMs, endMs)}
            y="8"
            height="6"
            onClick={() => playback.seek(startMs)}
          />
        ))}
        {comments.map(({ id, startMs, endMs }) => (
          <rect
            key={id}
            class="marker-comment"
            x={x(startMs)}
            width={bar(startMs, endMs)}
            y="0"
            height="7"
            onClick={() => playback.seek(startMs)}
          />
        ))}
      </svg>
      <span class="slider-time" />
    </div>
  );
}
