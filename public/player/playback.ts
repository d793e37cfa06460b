import { computed, signal } from '@preact/signals';
import { afterSilence, type Gap, savedMs } from './gaps.js';
import { Legs } from './legs.js';

export type Trouble = 'none' | 'loading' | 'recovering';

/** What the service says about the audio when it does not come: it may go on later, or never. */
export type Verdict = 'try-again' | 'never';

interface Options {
  durationMs: number;
  legs: number;
  /** Asks the service why there is no sound. */
  diagnose: (src: string) => Promise<Verdict>;
}

const retryMs = [500, 1000, 2000, 4000, 8000, 15_000];
const stalledMs = 8000;

/**
 * Plays one recording. It holds the position itself, so that an audio error, a lost network or a missing source
 * loses nothing: the element is a means, and is loaded anew where it failed. Times are milliseconds.
 */
export class Playback {
  readonly positionMs = signal(0);
  readonly durationMs = signal(0);
  /** What the person wants; it may be waiting for the network. */
  readonly playing = signal(false);
  readonly trouble = signal<Trouble>('none');
  readonly speed = signal(1);
  readonly skipSilence = signal(false);
  readonly gaps = signal<readonly Gap[]>([]);
  /** Passages in which something was agreed. */
  readonly agreed = signal<readonly { startMs: number; endMs: number }[]>([]);
  readonly region = signal<{ startMs: number; endMs: number | undefined } | undefined>(undefined);
  readonly savedMs = computed(() => savedMs(this.gaps.value));
  readonly legs: Legs;
  /** Whether something was heard since it was opened. */
  started = false;

  private readonly audio = new Audio();
  private src: string | undefined;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private frame = 0;
  private readonly ending = new AbortController();

  constructor(private readonly options: Options) {
    this.durationMs.value = options.durationMs;
    this.audio.preload = 'auto';
    this.audio.preservesPitch = true;
    this.legs = new Legs(this.audio, options.legs);
    const on = (event: string, act: () => void, target: EventTarget = this.audio) =>
      target.addEventListener(event, act, { signal: this.ending.signal });
    on('loadedmetadata', () => this.settle());
    on('playing', () => this.recovered());
    on('canplay', () => this.recovered());
    on('waiting', () => this.watch());
    on('stalled', () => this.watch());
    on('error', () => this.recover());
    on('timeupdate', () => this.tick());
    on('ended', () => this.finish());
    // A headset's button was pressed: the browser plays on by itself, and the rest follows.
    on('play', () => {
      if (this.playing.value || this.trouble.value !== 'none') return;
      this.playing.value = true;
      this.run();
    });
    // Another application took the sound, or the button was pressed again.
    on('pause', () => {
      if (this.trouble.value === 'none' && !this.audio.ended && !this.audio.error) this.playing.value = false;
    });
    on('online', () => this.trouble.value !== 'none' && this.reload(), window);
  }

  get hasSource(): boolean {
    return this.src !== undefined;
  }

  /** Names the sound. Nothing is fetched before play: the service counts the first byte as listening. */
  setSource(src: string): void {
    if (this.src === src) return;
    this.src = src;
    if (this.started) this.reload();
  }

  async play(): Promise<void> {
    if (this.src === undefined) return;
    if (this.positionMs.value >= this.durationMs.value - 50) this.seek(0);
    this.playing.value = true;
    if (!this.started) {
      this.started = true;
      this.trouble.value = 'loading';
      this.audio.src = this.src;
    }
    this.watch();
    try {
      await this.legs.wake();
      await this.audio.play();
      this.run();
    } catch (error) {
      const name = error instanceof DOMException ? error.name : '';
      // Refused without a gesture: the person presses play. Everything else the element reports as its own event.
      if (name === 'NotAllowedError') {
        this.playing.value = false;
        this.trouble.value = 'none';
        clearTimeout(this.timer);
      }
    }
  }

  pause(): void {
    this.playing.value = false;
    if (this.trouble.value === 'loading') this.trouble.value = 'none';
    this.audio.pause();
    cancelAnimationFrame(this.frame);
  }

  toggle(): void {
    if (this.playing.value) this.pause();
    else void this.play();
  }

  /** Goes to a place; before there is sound it is remembered. */
  seek(ms: number): void {
    const wanted = Math.min(Math.max(0, ms), this.durationMs.value);
    this.positionMs.value = wanted;
    if (this.audio.readyState >= HTMLMediaElement.HAVE_METADATA) this.audio.currentTime = wanted / 1000;
  }

  setSpeed(speed: number): void {
    this.speed.value = speed;
    this.audio.defaultPlaybackRate = speed;
    this.audio.playbackRate = speed;
  }

  close(): void {
    this.ending.abort();
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.audio.pause();
    this.audio.removeAttribute('src');
    this.audio.load();
    this.legs.close();
  }

  /** The element knows its length: put it where the person is. */
  private settle(): void {
    const length = this.audio.duration * 1000;
    if (Number.isFinite(length) && length > 0) this.durationMs.value = length;
    this.audio.playbackRate = this.speed.value;
    const wanted = this.positionMs.value / 1000;
    if (Math.abs(this.audio.currentTime - wanted) > 0.02) this.audio.currentTime = wanted;
  }

  private recovered(): void {
    clearTimeout(this.timer);
    this.attempt = 0;
    this.trouble.value = 'none';
    if (this.playing.value) this.run();
  }

  /** Waiting for data: when it takes too long, load anew rather than hope. */
  private watch(): void {
    if (!this.playing.value || this.trouble.value === 'recovering') return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.playing.value && this.audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) this.recover();
    }, stalledMs);
  }

  private recover(): void {
    if (this.src === undefined || !this.started) return;
    this.trouble.value = 'recovering';
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    const wait = retryMs[Math.min(this.attempt, retryMs.length - 1)] ?? 1000;
    this.attempt += 1;
    this.timer = setTimeout(() => void this.retry(), wait);
  }

  private async retry(): Promise<void> {
    if (this.src === undefined) return;
    const verdict = await this.options.diagnose(this.src);
    if (this.ending.signal.aborted) return;
    if (verdict === 'never') {
      this.playing.value = false;
      this.trouble.value = 'none';
    } else this.reload();
  }

  private reload(): void {
    if (this.src === undefined) return;
    this.trouble.value = 'recovering';
    this.audio.src = this.src;
    this.audio.load();
    if (this.playing.value) {
      this.audio.play().catch(() => {
        // A failure comes as the element's `error` event too, which recovers.
      });
    }
  }

  private run(): void {
    cancelAnimationFrame(this.frame);
    const step = () => {
      this.tick();
      this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
  }

  /** Follows the element, leaves silences out, goes round in a region. In a hidden tab too, four times a second. */
  private tick(): void {
    if (
      this.trouble.value === 'recovering' ||
      this.audio.seeking ||
      this.audio.readyState < HTMLMediaElement.HAVE_METADATA
    ) {
      return;
    }
    const now = this.audio.currentTime * 1000;
    if (this.playing.value) {
      const region = this.region.value;
      if (region?.endMs !== undefined && now >= region.endMs && now < region.endMs + 1500) {
        this.seek(region.startMs);
        return;
      }
      const onward = this.skipSilence.value ? afterSilence(this.gaps.value, now) : undefined;
      if (onward !== undefined) {
        this.seek(onward);
        return;
      }
    }
    this.positionMs.value = now;
  }

  private finish(): void {
    cancelAnimationFrame(this.frame);
    const region = this.region.value;
    if (region?.endMs !== undefined && this.playing.value) {
      this.seek(region.startMs);
      void this.play();
      return;
    }
    this.playing.value = false;
    this.positionMs.value = this.durationMs.value;
  }
}
