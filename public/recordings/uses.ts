import { useEffect, useState } from 'preact/hooks';
import { ApiProblem, ask } from '../api/client.js';
import type { Role } from '../api/types.js';

let known: ReadonlySet<string> | undefined;

/** Which uses beyond listening are on, for what the list offers; nothing until it is known, and to who has none. */
export function useFurtherUses(role: Role): ReadonlySet<string> {
  const [uses, setUses] = useState<ReadonlySet<string>>(() => known ?? new Set());
  const asks = role === 'trainer' || role === 'privacy_officer';
  useEffect(() => {
    if (!asks) return;
    ask<{ items: { use: string; on: boolean }[] }>('/further-uses').then(
      ({ items }) => {
        // Evaluating is the trainers'.
        const on = items.filter(({ use, on: isOn }) => isOn && (use !== 'evaluation' || role === 'trainer'));
        known = new Set(on.map(({ use }) => use));
        setUses(known);
      },
      (error: unknown) => {
        // Without an answer the list offers less, and works.
        if (!(error instanceof ApiProblem)) throw error;
      },
    );
  }, [role]);
  return asks ? uses : new Set();
}
