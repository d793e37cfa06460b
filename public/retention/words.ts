import { plural, textOf } from '../i18n.js';

/** What a category is called; a new one by the service's own name for it. */
export const stuff = (category: string) => textOf(`stuff.${category}`) ?? category;

/** "Opname …4f21c0" */
export function itemName(kind: string, id: string): string {
  return `${textOf(`stuffOne.${kind}`) ?? kind} …${id.slice(-6)}`;
}

/** A period in words: "90 dagen". */
export function periodWords(amount: number, unit: 'days' | 'calendar_years'): string {
  return plural(unit === 'days' ? 'policy.days' : 'policy.years', amount);
}
