import type { Migration } from '../src/platform/migrate.js';

/** Holds of orders that may not be told: known to their owner and the auditor alone. */
export const migration: Migration = {
  name: '20261123-30-add-secret-to-holds',
  async up({ query }) {
    await query('ALTER TABLE holds ADD COLUMN secret boolean NOT NULL DEFAULT false');
  },
  async down({ query }) {
    await query('ALTER TABLE holds DROP COLUMN secret');
  },
};
