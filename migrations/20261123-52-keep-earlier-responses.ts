import type { Migration } from '../src/platform/migrate.js';

/** An agent may change a response; what was said before stays beside it, as long as the version itself. */
export const migration: Migration = {
  name: '20261123-52-keep-earlier-responses',
  async up({ query }) {
    await query(`ALTER TABLE evaluation_versions ADD COLUMN earlier_responses jsonb NOT NULL DEFAULT '[]'`);
  },
  async down({ query }) {
    await query('ALTER TABLE evaluation_versions DROP COLUMN earlier_responses');
  },
};
