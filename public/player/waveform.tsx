import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import WaveSurfer from 'wavesurfer.js';
import type { Waveform as Peaks } from '../api/types.js';
import { colours } from '../shell/theme.js';
import type { LegName } from './lanes.js';
import { pairsToJoin, thinned } from './peaks.js';
import type { Playback } from './playback.js';

const overviewFromMs = 10 * 60_000;
/** In a long call the lanes show this much at a time. */
const windowMs = 4 * 60_000;
const laneHeight = 80;

/** The nonce that lets wavesurfer's own style element through the content security policy. */
function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
}

/** A token's colour in the present theme: a canvas cannot read `light-dark()`. */
function paint(token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** What is to come: the colour mixed into the ground; opaque, for wavesurfer keeps a wave's alpha in what was played. */
function faded(colour: string): string {
  const parts = (text: string) => (text.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
  const ground = parts(paint('surface'));
  return `rgb(${parts(colour)
    .map((value, index) => Math.round(value * 0.42 + (ground[index] ?? 0) * 0.58))
    .join(' ')})`;
}

function laneColours(names: readonly LegName[]) {
  return names.map((name) => {
    const colour = paint(name === 'both' ? 'accent' : name);
    return { waveColor: faded(colour), progressColor: colour };
  });
}

/**
 * The lanes as a picture: a hand on the mouse may use it, everyone else has the slider. It draws; the playback plays.
 * Over ten minutes the lanes show a stretch, and an overview below shows the whole.
 */
export function Waveform({ peaks, names, playback }: { peaks: Peaks; names: LegName[]; playback: Playback }) {
  const lanes = useRef<HTMLDivElement>(null);
  const whole = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const long = peaks.durationMs > overviewFromMs;

  useEffect(() => {
    if (!lanes.current) return;
    const width = lanes.current.clientWidth || 800;
    /** As many peaks as a picture of so many pixels shows. */
    const drawn = (pixels: number) => peaks.channels.map((leg) => thinned(leg, pairsToJoin(leg, pixels)));
    const shared = {
      duration: peaks.durationMs / 1000,
      maxPeak: peaks.maxPeak > 0 ? peaks.maxPeak : 1,
      normalize: true,
      cursorColor: paint('text'),
      cspNonce: nonce(),
    };
    const view = WaveSurfer.create({
      ...shared,
      peaks: drawn(long ? (width * peaks.durationMs) / windowMs : width),
      container: lanes.current,
      height: laneHeight,
      splitChannels: laneColours(names),
      ...laneColours(names)[0],
      minPxPerSec: long ? (width / windowMs) * 1000 : 0,
      hideScrollbar: false,
      dragToSeek: { debounceTime: 60 },
      cursorWidth: 2,
    });
    let overview: WaveSurfer | undefined;
    let later: ReturnType<typeof setTimeout> | undefined;
    /** After the lanes, which are what the person waits for. */
    const drawOverview = () => {
      if (!long || !whole.current) return;
      const made = WaveSurfer.create({
        ...shared,
        peaks: drawn(width),
        container: whole.current,
        height: 32,
        waveColor: faded(paint('muted')),
        progressColor: paint('muted'),
        cursorWidth: 1,
      });
      made.on('ready', () => made.setTime(playback.positionMs.peek() / 1000));
      made.on('interaction', (seconds) => playback.seek(seconds * 1000));
      overview = made;
    };
    const stops = [
      view.on('interaction', (seconds) => playback.seek(seconds * 1000)),
      view.on('scroll', (from, to) => {
        const mark = frame.current;
        if (!mark) return;
        const length = peaks.durationMs / 1000;
        mark.style.left = `${(from / length) * 100}%`;
        mark.style.width = `${Math.min(100, ((to - from) / length) * 100)}%`;
      }),
      view.on('ready', () => {
        // A place set before this is lost: a link with a time, or where the person left off.
        view.setTime(playback.positionMs.peek() / 1000);
        // A second tab stop hidden inside: the slider is the control.
        const scroller = view.getWrapper().parentElement;
        if (scroller) scroller.tabIndex = -1;
        // What the bench measures: the lanes are painted.
        requestAnimationFrame(() => performance.mark('player-ready'));
        later = setTimeout(drawOverview);
      }),
      effect(() => {
        const seconds = playback.positionMs.value / 1000;
        view.setTime(seconds);
        overview?.setTime(seconds);
      }),
      effect(() => {
        if (colours.value === 0) return;
        view.setOptions({ splitChannels: laneColours(names), cursorColor: paint('text') });
        overview?.setOptions({
          waveColor: faded(paint('muted')),
          progressColor: paint('muted'),
          cursorColor: paint('text'),
        });
      }),
      drawAgreements(view.getWrapper(), playback, peaks.durationMs),
      drawRegion(view.getWrapper(), playback, peaks.durationMs),
    ];
    return () => {
      clearTimeout(later);
      for (const stop of stops) stop();
      view.destroy();
      overview?.destroy();
    };
  }, [peaks, playback]);

  return (
    <div class="waveform" aria-hidden="true">
      <div ref={lanes} class="waveform-lanes" />
      {long && (
        <div class="overview">
          <div ref={whole} />
          <div ref={frame} class="overview-window" />
        </div>
      )}
    </div>
  );
}

/** Keeps the passages with agreements drawn over the lanes. */
function drawAgreements(wrapper: HTMLElement, playback: Playback, durationMs: number): () => void {
  const layer = document.createElement('div');
  Object.assign(layer.style, { position: 'absolute', inset: '0', zIndex: '3', pointerEvents: 'none' });
  wrapper.append(layer);
  return effect(() => {
    layer.replaceChildren(
      ...playback.agreed.value.map(({ startMs, endMs }) => {
        const mark = document.createElement('div');
        mark.part.add('agreement');
        Object.assign(mark.style, {
          position: 'absolute', top: '0', bottom: '0',
          left: `${(startMs / durationMs) * 100}%`, width: `${((endMs - startMs) / durationMs) * 100}%`,
        });
        return mark;
      }),
    );
  });
}

/** Keeps the marked stretch drawn over the lanes. */
function drawRegion(wrapper: HTMLElement, playback: Playback, durationMs: number): () => void {
  const mark = document.createElement('div');
  mark.part.add('region');
  Object.assign(mark.style, { position: 'absolute', top: '0', bottom: '0', zIndex: '4', pointerEvents: 'none' });
  wrapper.append(mark);
  return effect(() => {
    const region = playback.region.value;
    mark.hidden = region === undefined;
    if (!region) return;
    const endMs = region.endMs ?? Math.max(region.startMs, playback.positionMs.value);
    mark.style.left = `${(region.startMs / durationMs) * 100}%`;
    mark.style.width = `${((endMs - region.startMs) / durationMs) * 100}%`;
  });
}
