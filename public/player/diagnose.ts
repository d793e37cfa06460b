import { ApiProblem, ask } from '../api/client.js';
import type { Verdict } from './playback.js';

/** Why audio did not come: passing trouble, or a refusal, which `refused` is told. An audio element itself does not say. */
export async function diagnose(src: string, refused: (problem: ApiProblem) => void): Promise<Verdict> {
  try {
    await ask(src.replace(/^\/api\/v1/, ''), { method: 'HEAD' });
    return 'try-again';
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status === 0 || error.status >= 500 || error.status === 429) return 'try-again';
    refused(error);
    return 'never';
  }
}
