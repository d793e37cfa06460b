import type { Migration } from '../src/platform/migrate.js';

/** What evaluations are made by. A change is a new version; an evaluation keeps the version that it was begun with. */
export const migration: Migration = {
  name: '20261122-75-create-scorecards',
  async up({ query }) {
    await query(`
      CREATE TABLE scorecards (
        id uuid PRIMARY KEY,
        version integer NOT NULL CHECK (version > 0),
        created_by uuid NOT NULL REFERENCES users (id),
        created_at timestamptz NOT NULL,
        archived_at timestamptz
      )`);
    await query(`
      CREATE TABLE scorecard_versions (
        scorecard_id uuid NOT NULL REFERENCES scorecards (id),
        version integer NOT NULL,
        name text NOT NULL CHECK (name <> ''),
        content jsonb NOT NULL,
        changed_by uuid NOT NULL REFERENCES users (id),
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (scorecard_id, version)
      )`);
  },
  async down({ query }) {
    await query('DROP TABLE scorecard_versions');
    await query('DROP TABLE scorecards');
  },
};
