import type { Migration } from '../src/platform/migrate.js';

/**
 * The audit trail. The database itself refuses to change or remove an entry, for the owner of the table too. The
 * triggers fire ALWAYS: `session_replication_role` does not get past them. Who disables them (a superuser, the owner by
 * ALTER TABLE) is found out by the sealed chain.
 */
export const migration: Migration = {
  name: '20261122-10-create-audit-entries',

  async up({ query }) {
    // Milliseconds are what an entry's bytes in the chain hold, hence timestamptz(3).
    await query(`
      CREATE TABLE audit_entries (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz(3) NOT NULL,
        actor_kind text NOT NULL CHECK (actor_kind IN ('person', 'machine', 'system')),
        actor_id text NOT NULL,
        action text NOT NULL,
        object_type text,
        object_id text,
        details jsonb NOT NULL CHECK (jsonb_typeof(details) = 'object'),
        CHECK ((object_type IS NULL) = (object_id IS NULL))
      )`);
    await query('CREATE INDEX audit_entries_at ON audit_entries (at, id)');
    await query('CREATE INDEX audit_entries_actor ON audit_entries (actor_id, at, id)');
    await query('CREATE INDEX audit_entries_object ON audit_entries (object_id, at, id)');
    await query('CREATE INDEX audit_entries_action ON audit_entries (action, at, id)');
    await query(`
      CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION '% of % is refused: it is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';
      END $$`);
    await query(`
      CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
      FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`);
    await query('ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_append_only');
  },

  async down({ query }) {
    await query('DROP TABLE audit_entries');
    await query('DROP FUNCTION audit_refuse');
  },
};
