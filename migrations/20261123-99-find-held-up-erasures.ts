import type { Migration } from '../src/platform/migrate.js';

/** See `20261123-81-close-the-sides-of-a-mixed-call`. */
const restrictions = (more: string) => `
  SELECT x.category, x.item_id, x.purpose${more} FROM restrictions x WHERE x.lifted_at IS NULL
  UNION ALL
  SELECT x.category, side.leg_of, x.purpose${more} FROM restrictions x JOIN recordings side ON side.id = x.item_id
    WHERE x.category = 'recording' AND x.lifted_at IS NULL AND side.leg_of IS NOT NULL
  UNION ALL
  SELECT x.category, side.id, x.purpose${more} FROM restrictions x JOIN recordings mixed ON mixed.id = x.item_id
    JOIN recordings side ON side.leg_of = mixed.id
    WHERE x.category = 'recording' AND x.lifted_at IS NULL AND mixed.leg IS NULL`;

/**
 * Which requests have an erasure that was held up: the queue asks it of all of them, and few have. And of a restriction whether
 * it may be told: one of an order that may not be closes all the same, and shows nowhere.
 */
export const migration: Migration = {
  name: '20261123-99-find-held-up-erasures',
  async up({ query }) {
    await query(`CREATE INDEX privacy_events_held_up ON privacy_events (request_id) WHERE kind = 'erasure_held_up'`);
    const secret = 'EXISTS (SELECT FROM privacy_requests q WHERE q.id = x.request_id AND q.secret)';
    await query(`CREATE OR REPLACE VIEW restrictions_in_reach AS ${restrictions(`, ${secret} AS secret`)}`);
  },
  async down({ query }) {
    await query('DROP VIEW restrictions_in_reach');
    await query(`CREATE VIEW restrictions_in_reach AS ${restrictions('')}`);
    await query('DROP INDEX privacy_events_held_up');
  },
};
