const clockOf = (seconds: number) =>
  `${Math.floor(seconds / 3600)}:${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

/** The rate is that of the last while: a run over what was settled before says nothing about what is to come. */
const windowMs = 60_000;

/** What became of the files so far, and how fast. */
export class Progress {
  readonly #outcomes = new Map<string, number>();
  #recent: { atMs: number; asked: number; bytes: number }[] = [{ atMs: performance.now(), asked: 0, bytes: 0 }];
  #bytes = 0;
  #asked = 0;
  /** Grows while the archive is still being looked through. */
  total = 0;
  settled = 0;

  /** @param bytes of a file that was sent; undefined for one that the service was not asked about */
  count(outcome: string, bytes?: number): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.settled += 1;
    if (bytes === undefined) return;
    this.#asked += 1;
    this.#bytes += bytes;
  }

  countWhere(applies: (outcome: string) => boolean): number {
    return [...this.#outcomes].reduce((sum, [outcome, count]) => sum + (applies(outcome) ? count : 0), 0);
  }

  /** To be asked for now and then: each time it looks back over the last minute. */
  line(): string {
    const nowMs = performance.now();
    const first = this.#recent[0] ?? { atMs: nowMs, asked: 0, bytes: 0 };
    const seconds = Math.max((nowMs - first.atMs) / 1000, 0.001);
    const rate = (this.#asked - first.asked) / seconds;
    const left = rate > 0 ? clockOf((this.total - this.settled) / rate) : '?';
    this.#recent.push({ atMs: nowMs, asked: this.#asked, bytes: this.#bytes });
    while (this.#recent.length > 2 && nowMs - (this.#recent[1]?.atMs ?? nowMs) > windowMs) this.#recent.shift();
    const megabytes = (this.#bytes - first.bytes) / 1e6 / seconds;
    return `${this.settled} of ${this.total}, ${rate.toFixed(1)} a second, ${megabytes.toFixed(1)} MB/s, ${left} left · ${this.report()}`;
  }

  report(): string {
    return [...this.#outcomes].map(([outcome, count]) => `${outcome} ${count}`).join(', ');
  }
}
