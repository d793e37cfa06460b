import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiProblem } from '../api/client.js';
import { asProblem } from '../parts/state.js';

/**
 * Does something at once and then again and again while the screen is there and seen, never two at a time. Answers what
 * went wrong the last time, so that a screen that stands still says so.
 */
export function useEvery(ms: number, act: (signal: AbortSignal) => Promise<void>): ApiProblem | undefined {
  const latest = useRef(act);
  latest.current = act;
  const [problem, setProblem] = useState<ApiProblem | undefined>();
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = async () => {
      if (!document.hidden) {
        try {
          await latest.current(abort.signal);
          if (!abort.signal.aborted) setProblem(undefined);
        } catch (error) {
          if (!abort.signal.aborted) setProblem(asProblem(error));
        }
      }
      if (!abort.signal.aborted) timer = setTimeout(() => void turn(), ms);
    };
    void turn();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [ms]);
  return problem;
}
