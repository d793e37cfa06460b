import type { Migration } from '../src/platform/migrate.js';
import { migration as createAgendaJobs } from './20261122-01-create-agenda-jobs.js';

/** Every change of the schema, oldest first. A change is added at the end and never altered once released. */
export const migrations: readonly Migration[] = [createAgendaJobs];
