import type { Migration } from '../src/platform/migrate.js';

/** The oldest recording that is still there is asked for at every scrape of the metrics. */
export const migration: Migration = {
  name: '20261122-37-index-recordings-created',
  async up({ query }) {
    await query('CREATE INDEX recordings_created ON recordings (created_at)');
  },
  async down({ query }) {
    await query('DROP INDEX recordings_created');
  },
};
