import { effect, signal, type Signal } from '@preact/signals';

/**
 * The two legs of a call, each to be muted or heard alone:
 * element → splitter → a gain per leg → both ears, since one voice per ear tires.
 */
export class Legs {
  readonly muted: readonly Signal<boolean>[];
  /** The leg that is heard alone. */
  readonly solo = signal<number | undefined>(undefined);
  private context: AudioContext | undefined;
  private gains: GainNode[] = [];
  private readonly stop: () => void;

  constructor(
    private readonly audio: HTMLAudioElement,
    readonly count: number,
  ) {
    this.muted = Array.from({ length: count }, () => signal(false));
    this.stop = effect(() => {
      for (let leg = 0; leg < count; leg++) {
        const level = this.heard(leg) ? 1 : 0;
        const gain = this.gains[leg]?.gain;
        // A short ramp: a hard step clicks.
        if (gain && this.context) gain.setTargetAtTime(level, this.context.currentTime, 0.008);
      }
    });
  }

  /** Whether a leg can be heard now. */
  heard(leg: number): boolean {
    const alone = this.solo.value;
    const muted = this.muted[leg]?.value ?? false;
    return alone === undefined ? !muted : alone === leg;
  }

  toggleMute(leg: number): void {
    const muted = this.muted[leg];
    if (!muted) return;
    this.solo.value = undefined;
    muted.value = !muted.value;
  }

  toggleSolo(leg: number): void {
    if (leg < this.count) this.solo.value = this.solo.value === leg ? undefined : leg;
  }

  /** Makes the sound's way on the first play: a browser keeps sound back until the person acts. */
  async wake(): Promise<void> {
    if (this.count > 1 && !this.context) {
      this.context = new AudioContext();
      const splitter = this.context.createChannelSplitter(this.count);
      this.context.createMediaElementSource(this.audio).connect(splitter);
      for (let leg = 0; leg < this.count; leg++) {
        const gain = this.context.createGain();
        gain.gain.value = this.heard(leg) ? 1 : 0;
        splitter.connect(gain, leg);
        gain.connect(this.context.destination);
        this.gains.push(gain);
      }
    }
    if (this.context?.state === 'suspended') await this.context.resume();
  }

  close(): void {
    this.stop();
    void this.context?.close();
  }
}
