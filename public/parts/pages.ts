import { useEffect, useState } from 'preact/hooks';
import { ask, type Query } from '../api/client.js';
import type { Page } from '../api/types.js';
import { say } from '../shell/toast.js';
import { asProblem, type Loaded, problemText, useLoaded } from './state.js';

export interface Pages<Item> {
  /** The first page: whether it is loading, failed or there. */
  first: Loaded<Page<Item>>;
  /** Of all pages so far. */
  items: Item[];
  hasMore: boolean;
  more: () => Promise<void>;
  /** From the beginning, after something changed. */
  again: () => void;
}

/** A list of the service, page after page; begun anew whenever what is asked changes. */
export function usePages<Item>(path: string, query: Query): Pages<Item> {
  const key = path + JSON.stringify(query);
  const first = useLoaded(key, (signal) => ask<Page<Item>>(path, { query: { ...query, limit: 50 }, signal }));
  const [further, setFurther] = useState<{ items: Item[]; next: string | null } | undefined>();
  useEffect(() => setFurther(undefined), [key]);
  const loaded = first.state === 'ready' ? first.value : undefined;
  const cursor = further ? further.next : (loaded?.nextCursor ?? null);
  const items = loaded ? [...loaded.items, ...(further?.items ?? [])] : [];
  return {
    first,
    items,
    hasMore: cursor !== null,
    async more() {
      try {
        const page = await ask<Page<Item>>(path, { query: { ...query, limit: 50, cursor: cursor ?? undefined } });
        setFurther({ items: [...(further?.items ?? []), ...page.items], next: page.nextCursor });
      } catch (error) {
        say(problemText(asProblem(error)));
      }
    },
    again() {
      setFurther(undefined);
      first.again();
    },
  };
}
