import type { Migration } from '../src/platform/migrate.js';

/**
 * What a hold or a restriction reaches beyond the thing it names. A call recorded in one file a side is heard as one: who
 * holds any of its files holds them all, and where one of them is restricted, so is the one that plays it with the others.
 */
export const migration: Migration = {
  name: '20261123-31-reach-the-sides-of-a-call',
  async up({ query }) {
    const held = 'h.id, h.ground, h.request_id, h.released_at, h.ends_at, h.category';
    // A branch a direction, each by an index: the thing itself, a side by the one that leads, that one by a side, and a side
    // by another.
    await query(`
      CREATE VIEW holds_in_reach AS
        SELECT ${held}, h.item_id FROM holds h
        UNION ALL
        SELECT ${held}, side.id FROM holds h JOIN recordings side ON side.leg_of = h.item_id WHERE h.category = 'recording'
        UNION ALL
        SELECT ${held}, side.leg_of FROM holds h JOIN recordings side ON side.id = h.item_id
          WHERE h.category = 'recording' AND side.leg_of IS NOT NULL
        UNION ALL
        SELECT ${held}, other.id FROM holds h JOIN recordings side ON side.id = h.item_id
          JOIN recordings other ON other.leg_of = side.leg_of AND other.id <> side.id WHERE h.category = 'recording'`);
    await query(`
      CREATE VIEW restrictions_in_reach AS
        SELECT x.category, x.item_id, x.purpose FROM restrictions x WHERE x.lifted_at IS NULL
        UNION ALL
        SELECT x.category, side.leg_of, x.purpose FROM restrictions x JOIN recordings side ON side.id = x.item_id
          WHERE x.category = 'recording' AND x.lifted_at IS NULL AND side.leg_of IS NOT NULL`);
  },
  async down({ query }) {
    await query('DROP VIEW restrictions_in_reach');
    await query('DROP VIEW holds_in_reach');
  },
};
