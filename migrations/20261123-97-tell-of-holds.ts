import type { Migration } from '../src/platform/migrate.js';

const held = 'h.id, h.ground, h.request_id, h.released_at, h.ends_at, h.category';
/** A branch a direction, each by an index: see `20261123-31-reach-the-sides-of-a-call`. */
const reach = (columns: { before: string; after: string }) => {
  const select = (item: string) => `SELECT ${columns.before}, ${item}${columns.after}`;
  return `
    ${select('h.item_id')} FROM holds h
    UNION ALL
    ${select('side.id')} FROM holds h JOIN recordings side ON side.leg_of = h.item_id WHERE h.category = 'recording'
    UNION ALL
    ${select('side.leg_of')} FROM holds h JOIN recordings side ON side.id = h.item_id
      WHERE h.category = 'recording' AND side.leg_of IS NOT NULL
    UNION ALL
    ${select('other.id')} FROM holds h JOIN recordings side ON side.id = h.item_id
      JOIN recordings other ON other.leg_of = side.leg_of AND other.id <> side.id WHERE h.category = 'recording'`;
};

/**
 * What is reached tells whether it may be told, and to whom: a thing that only a secret hold keeps does not show as held.
 * Holds that one act placed are known by it, and reminders of holds are noted, each once.
 */
export const migration: Migration = {
  name: '20261123-97-tell-of-holds',
  async up({ query }) {
    await query('ALTER TABLE holds ADD COLUMN act_id uuid');
    await query('CREATE INDEX holds_of_act ON holds (act_id) WHERE act_id IS NOT NULL');
    await query('CREATE INDEX holds_unconfirmed ON holds (confirm_by) WHERE confirmed_at IS NULL AND released_at IS NULL');
    await query(`CREATE OR REPLACE VIEW holds_in_reach AS ${reach({ before: held, after: ', h.secret, h.owner_id' })}`);
    await query(`
      CREATE TABLE hold_reminders (
        hold_id uuid NOT NULL REFERENCES holds (id) ON DELETE CASCADE,
        step text NOT NULL CHECK (step IN ('confirm', 'confirm_late', 'review_soon', 'review')),
        due_at timestamptz NOT NULL,
        reminded_at timestamptz NOT NULL,
        PRIMARY KEY (hold_id, step, due_at)
      )`);
    await query(`
      CREATE TABLE hold_notices (
        id uuid PRIMARY KEY,
        way text NOT NULL CHECK (way IN ('webhook', 'mail')),
        officer_id uuid REFERENCES users (id) ON DELETE CASCADE,
        counts jsonb NOT NULL,
        made_at timestamptz NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        told_at timestamptz,
        CHECK ((way = 'mail') = (officer_id IS NOT NULL))
      )`);
    await query('CREATE INDEX hold_notices_waiting ON hold_notices (next_attempt_at) WHERE told_at IS NULL');
  },
  async down({ query }) {
    await query('DROP TABLE hold_notices');
    await query('DROP TABLE hold_reminders');
    await query('DROP VIEW holds_in_reach');
    await query(`CREATE VIEW holds_in_reach AS ${reach({ before: held, after: '' })}`);
    await query('DROP INDEX holds_unconfirmed');
    await query('DROP INDEX holds_of_act');
    await query('ALTER TABLE holds DROP COLUMN act_id');
  },
};
