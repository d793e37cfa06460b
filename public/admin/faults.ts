import type { ApiProblem } from '../api/client.js';
import type { Faults } from '../parts/field.js';
import { problemText } from '../parts/state.js';

/** What the service found wrong, by field. What fits no field of the form stands under the first of them. */
export function faultsOf(problem: ApiProblem, fields: string[]): Faults {
  const faults: Faults = {};
  for (const { path, message } of problem.faults) {
    const field = path.split('.')[0] ?? '';
    if (fields.includes(field)) faults[field] ??= `${field}: ${message}`;
  }
  const first = fields[0];
  if (Object.keys(faults).length === 0 && first !== undefined) faults[first] = problemText(problem);
  return faults;
}
