/** What time it is, asked in one place so that tests can stand on both sides of an expiry. */
export interface Clock {
  now(): Date;
}

/** The machine's own clock. */
export const systemClock: Clock = { now: () => new Date() };

/** A clock that runs on from wherever it is set. For tests, and for nothing else. */
export class MovableClock implements Clock {
  #offsetMs = 0;

  now(): Date {
    return new Date(Date.now() + this.#offsetMs);
  }

  /** Makes it `instant` now; time goes on from there. */
  set(instant: Date | string): void {
    this.#offsetMs = new Date(instant).getTime() - Date.now();
  }

  /** Moves it `ms` milliseconds ahead, or back when negative. */
  advance(ms: number): void {
    this.#offsetMs += ms;
  }

  /** Back to the machine's time. */
  reset(): void {
    this.#offsetMs = 0;
  }
}
