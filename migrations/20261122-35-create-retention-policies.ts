import type { Migration } from '../src/platform/migrate.js';

/**
 * How long each category is kept, as it was decided and when. A change is a new row; what is frozen on items stays,
 * unless the change was to shorten those too, which a worker then walks through (`walked_to`, `walked_at`).
 */
export const migration: Migration = {
  name: '20261122-35-create-retention-policies',
  async up({ query }) {
    await query(`
      CREATE TABLE retention_policies (
        id uuid PRIMARY KEY,
        category text NOT NULL,
        amount integer NOT NULL CHECK (amount > 0),
        unit text NOT NULL CHECK (unit IN ('days', 'calendar_years')),
        in_force_from timestamptz NOT NULL,
        replaced_at timestamptz,
        set_by uuid REFERENCES users (id),
        reason text NOT NULL,
        applies_to_existing boolean NOT NULL,
        walk_category text,
        walked_to uuid,
        walked_at timestamptz,
        shortened integer NOT NULL DEFAULT 0
      )`);
    await query('CREATE UNIQUE INDEX retention_policies_in_force ON retention_policies (category) WHERE replaced_at IS NULL');
    await query('CREATE INDEX retention_policies_history ON retention_policies (category, in_force_from)');
    await query(`
      INSERT INTO retention_policies (id, category, amount, unit, in_force_from, reason, applies_to_existing, walked_at)
      SELECT gen_random_uuid(), category, amount, unit, timestamptz '1970-01-01Z', 'privacy statement', false,
             timestamptz '1970-01-01Z'
      FROM (VALUES
        ('recording', 90, 'days'),
        ('support', 3, 'calendar_years'),
        ('contact_form', 1, 'calendar_years'),
        ('call_data', 7, 'days'),
        ('evaluation', 1, 'calendar_years'),
        ('package', 30, 'days'),
        ('privacy_request', 2, 'calendar_years'),
        ('audit', 3, 'calendar_years'),
        ('tombstone', 5, 'calendar_years')) AS told (category, amount, unit)`);
  },
  async down({ query }) {
    await query('DROP TABLE retention_policies');
  },
};
