import { useEffect, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Page, Role } from '../api/types.js';
import { t } from '../i18n.js';

export interface Colleague {
  id: string;
  name: string;
  role: Role;
}

let asked: Promise<Map<string, Colleague>> | undefined;

async function load(): Promise<Map<string, Colleague>> {
  const people = new Map<string, Colleague>();
  let cursor: string | undefined;
  do {
    const page: Page<Colleague> = await ask('/people', { query: { limit: 200, cursor } });
    for (const person of page.items) people.set(person.id, person);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return people;
}

/** Colleagues by id; none while they are loaded. */
export function useColleagues(): Map<string, Colleague> {
  const [people, setPeople] = useState<Map<string, Colleague>>(new Map());
  useEffect(() => {
    asked ??= load();
    asked.then(setPeople, () => (asked = undefined));
  }, []);
  return people;
}

/** Names of colleagues by id. While they are loaded, and of who is not among them: the end of the id. */
export function useNames(): (id: string | null) => string {
  const people = useColleagues();
  return (id) => (id === null ? t('value.unknown') : (people.get(id)?.name ?? `…${id.slice(-6)}`));
}
