import type { Migration } from '../src/platform/migrate.js';

/**
 * Entries past their period leave in whole batches, behind a signed checkpoint: DELETE is let through for what a
 * checkpoint covers, and a checkpoint is let in only where it repeats the batch it stands for, is more than a year
 * younger than it (a floor under whatever period is configured), and leaves the newest batch in place.
 */
export const migration: Migration = {
  name: '20261122-13-create-audit-checkpoints',

  async up({ query }) {
    await query(`
      CREATE TABLE audit_checkpoints (
        batch bigint PRIMARY KEY,
        last_id bigint NOT NULL,
        count bigint NOT NULL,
        head text NOT NULL,
        frontier jsonb NOT NULL,
        before timestamptz(3) NOT NULL,
        signed_at timestamptz(3) NOT NULL,
        key_id text NOT NULL,
        signature bytea NOT NULL
      )`);
    await query(`
      CREATE FUNCTION audit_check_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.before <= NEW.signed_at - interval '1 year'
          AND EXISTS (
            SELECT 1 FROM audit_batches b
            WHERE b.number = NEW.batch AND b.last_id = NEW.last_id AND b.count = NEW.count AND b.head = NEW.head
              AND b.signed_at <= NEW.before)
          AND EXISTS (SELECT 1 FROM audit_batches b WHERE b.number > NEW.batch)
        THEN RETURN NEW;
        END IF;
        RAISE EXCEPTION 'This checkpoint is refused: its batch is not old enough, or not the one it names'
          USING ERRCODE = '42501';
      END $$`);
    await query(`
      CREATE TRIGGER audit_checkpoints_checked BEFORE INSERT ON audit_checkpoints
      FOR EACH ROW EXECUTE FUNCTION audit_check_checkpoint()`);
    await query(`
      CREATE TRIGGER audit_checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
      FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`);
    await query('ALTER TABLE audit_checkpoints ENABLE ALWAYS TRIGGER audit_checkpoints_checked');
    await query('ALTER TABLE audit_checkpoints ENABLE ALWAYS TRIGGER audit_checkpoints_append_only');

    for (const [table, covered] of [
      ['audit_entries', 'c.last_id >= OLD.id'],
      ['audit_batches', 'c.batch >= OLD.number'],
    ] as const) {
      await query(`
        CREATE FUNCTION ${table}_guard_delete() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (SELECT 1 FROM audit_checkpoints c WHERE ${covered}) THEN RETURN OLD; END IF;
          RAISE EXCEPTION 'DELETE of ${table} is refused: no checkpoint covers it' USING ERRCODE = '42501';
        END $$`);
      await query(`DROP TRIGGER ${table}_append_only ON ${table}`);
      await query(`
        CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR TRUNCATE ON ${table}
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`);
      await query(`
        CREATE TRIGGER ${table}_guard_delete BEFORE DELETE ON ${table}
        FOR EACH ROW EXECUTE FUNCTION ${table}_guard_delete()`);
      await query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${table}_append_only`);
      await query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${table}_guard_delete`);
    }
  },

  async down({ query }) {
    for (const table of ['audit_entries', 'audit_batches']) {
      await query(`DROP TRIGGER ${table}_guard_delete ON ${table}`);
      await query(`DROP FUNCTION ${table}_guard_delete`);
      await query(`DROP TRIGGER ${table}_append_only ON ${table}`);
      await query(`
        CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`);
      await query(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${table}_append_only`);
    }
    await query('DROP TABLE audit_checkpoints');
    await query('DROP FUNCTION audit_check_checkpoint');
  },
};
