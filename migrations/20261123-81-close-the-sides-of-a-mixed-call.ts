import type { Migration } from '../src/platform/migrate.js';

const sidesToLeading = `
  SELECT x.category, x.item_id, x.purpose FROM restrictions x WHERE x.lifted_at IS NULL
  UNION ALL
  SELECT x.category, side.leg_of, x.purpose FROM restrictions x JOIN recordings side ON side.id = x.item_id
    WHERE x.category = 'recording' AND x.lifted_at IS NULL AND side.leg_of IS NOT NULL`;

/**
 * A file in which both sides are mixed holds what its sides hold: where it is restricted, so are they. A side that leads
 * closes nothing of the other one, of which it holds nothing.
 */
export const migration: Migration = {
  name: '20261123-81-close-the-sides-of-a-mixed-call',
  async up({ query }) {
    await query(`
      CREATE OR REPLACE VIEW restrictions_in_reach AS ${sidesToLeading}
        UNION ALL
        SELECT x.category, side.id, x.purpose FROM restrictions x JOIN recordings mixed ON mixed.id = x.item_id
          JOIN recordings side ON side.leg_of = mixed.id
          WHERE x.category = 'recording' AND x.lifted_at IS NULL AND mixed.leg IS NULL`);
  },
  async down({ query }) {
    await query(`CREATE OR REPLACE VIEW restrictions_in_reach AS ${sidesToLeading}`);
  },
};
