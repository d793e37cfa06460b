/** What time it is, asked in one place so that tests can stand on both sides of an expiry. */
export interface Clock {
  now(): Date;
}

/** The machine's own clock. */
export const systemClock: Clock = { now: () => new Date() };

/** A clock that runs on from wherever it is set. For tests, and for nothing else. */
export class MovableClock implements Clock {
  #offsetMs = 0;
  #frozenMs: number | undefined;

  now(): Date {
    return new Date(this.#frozenMs ?? Date.now() + this.#offsetMs);
  }

  /** Makes it `instant`, and leaves it there: the last second before an expiry lasts as long as a test needs. */
  freeze(instant: Date | string): void {
    this.#frozenMs = new Date(instant).getTime();
  }

  /** Makes it `instant` now; time goes on from there. */
  set(instant: Date | string): void {
    this.#frozenMs = undefined;
    this.#offsetMs = new Date(instant).getTime() - Date.now();
  }

  /** Moves it `ms` milliseconds ahead, or back when negative. */
  advance(ms: number): void {
    if (this.#frozenMs === undefined) this.#offsetMs += ms;
    else this.#frozenMs += ms;
  }

  /** Back to the machine's time. */
  reset(): void {
    this.#frozenMs = undefined;
    this.#offsetMs = 0;
  }
}
