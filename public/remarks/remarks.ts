import { signal } from '@preact/signals';
import { type ApiProblem, ask } from '../api/client.js';
import { asProblem } from '../parts/state.js';
import type { Comment } from './types.js';

interface Place {
  startMs: number;
  endMs: number | undefined;
}

/** The comments on one call, shared by the panel beside it, the markers under the lanes and the keys. */
export class Remarks {
  readonly list = signal<Comment[] | undefined>(undefined);
  readonly problem = signal<ApiProblem | undefined>(undefined);
  /** Where a comment is being written. */
  readonly writing = signal<Place | undefined>(undefined);
  private readonly ending = new AbortController();

  constructor(private readonly recordingId: string) {}

  async load(): Promise<void> {
    this.problem.value = undefined;
    try {
      const { items } = await ask<{ items: Comment[] }>(`/recordings/${this.recordingId}/comments`, {
        signal: this.ending.signal,
      });
      this.list.value = items;
    } catch (error) {
      if (!this.ending.signal.aborted) this.problem.value = asProblem(error);
    }
  }

  /** The marker before or after a place; the one that is just being heard does not count as the one before. */
  marker(fromMs: number, step: 1 | -1, others: readonly number[]): number | undefined {
    const places = [...(this.list.peek() ?? []).map(({ startMs }) => startMs), ...others].sort((a, b) => a - b);
    return step > 0 ? places.find((ms) => ms > fromMs + 200) : places.findLast((ms) => ms < fromMs - 1500);
  }

  close(): void {
    this.ending.abort();
  }
}
