import type { Migration } from '../src/platform/migrate.js';

/**
 * Requests of data subjects and of authorities. What tells who somebody is stands in `privacy_subjects` alone, which can be
 * emptied; everything else is ids, dates and codes. A process is one right that was asked for, with its own outcome. What
 * happened is a record with who and when: checks of identity, pauses, the timeline.
 */
export const migration: Migration = {
  name: '20261122-60-create-privacy-requests',
  async up({ query }) {
    await query(`
      CREATE TABLE privacy_requests (
        id uuid PRIMARY KEY,
        year integer NOT NULL,
        number integer NOT NULL,
        state text NOT NULL CHECK (state IN ('draft', 'identity', 'search', 'decide', 'approval', 'answer', 'closed')),
        channel text NOT NULL CHECK (channel IN ('letter', 'email', 'phone', 'portal', 'call', 'ticket')),
        requester_kind text NOT NULL
          CHECK (requester_kind IN ('person', 'representative', 'parent', 'employee', 'company', 'authority')),
        secret boolean NOT NULL DEFAULT false,
        locale text NOT NULL CHECK (locale IN ('nl', 'en')),
        received_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        extended_at timestamptz,
        extended_by uuid REFERENCES users (id),
        extension_reason text,
        extension_late boolean NOT NULL DEFAULT false,
        origin_kind text CHECK (origin_kind IN ('recording', 'ticket')),
        origin_id uuid,
        created_at timestamptz NOT NULL,
        created_by uuid NOT NULL REFERENCES users (id),
        identified_at timestamptz,
        searched_at timestamptz,
        approved_at timestamptz,
        handed_out_at timestamptz,
        reminded integer NOT NULL DEFAULT 0,
        closed_at timestamptz,
        closed_by uuid REFERENCES users (id),
        outcome text CHECK (outcome IN ('answered', 'forwarded', 'withdrawn', 'merged', 'no_answer')),
        merged_into uuid REFERENCES privacy_requests (id) ON DELETE SET NULL,
        retain_until timestamptz,
        purge_intent jsonb,
        UNIQUE (year, number),
        CHECK ((origin_kind IS NULL) = (origin_id IS NULL)),
        CHECK ((state = 'closed') = (closed_at IS NOT NULL) AND (closed_at IS NULL) = (outcome IS NULL)),
        CHECK ((closed_at IS NULL) = (retain_until IS NULL))
      )`);
    await query('CREATE INDEX privacy_requests_queue ON privacy_requests (due_at, id)');
    await query(`CREATE INDEX privacy_requests_open ON privacy_requests (due_at, id) WHERE closed_at IS NULL`);
    await query('CREATE INDEX privacy_requests_due ON privacy_requests (retain_until, id) WHERE retain_until IS NOT NULL');
    await query(`
      CREATE TABLE privacy_subjects (
        request_id uuid PRIMARY KEY REFERENCES privacy_requests (id) ON DELETE CASCADE,
        name text,
        address text,
        emails text[] NOT NULL DEFAULT '{}',
        phones text[] NOT NULL DEFAULT '{}',
        organisation text,
        representative jsonb,
        details text NOT NULL DEFAULT '',
        erased_at timestamptz
      )`);
    await query('CREATE INDEX privacy_subjects_emails ON privacy_subjects USING gin (emails)');
    await query('CREATE INDEX privacy_subjects_phones ON privacy_subjects USING gin (phones)');
    const rights = `('access', 'rectification', 'erasure', 'restriction', 'portability', 'objection')`;
    await query(`
      CREATE TABLE privacy_processes (
        id uuid PRIMARY KEY,
        request_id uuid NOT NULL REFERENCES privacy_requests (id) ON DELETE CASCADE,
        "right" text NOT NULL CHECK ("right" IN ${rights}),
        received_at timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'decided', 'approved', 'done')),
        outcome text CHECK (outcome IN ('granted', 'partly', 'refused', 'nothing_found', 'withdrawn')),
        approved_by uuid REFERENCES users (id),
        approved_at timestamptz,
        approved_alone_reason text,
        UNIQUE (request_id, "right"),
        CHECK ((approved_by IS NULL) = (approved_at IS NULL))
      )`);
    await query(`
      CREATE TABLE privacy_identity_checks (
        id uuid PRIMARY KEY,
        request_id uuid NOT NULL REFERENCES privacy_requests (id) ON DELETE CASCADE,
        method text NOT NULL CHECK (method IN ('known_email', 'call_back', 'questions', 'letter', 'masked_copy')),
        outcome text NOT NULL CHECK (outcome IN ('verified', 'doubt')),
        doubt text,
        checked_at timestamptz NOT NULL,
        checked_by uuid NOT NULL REFERENCES users (id),
        CHECK (outcome <> 'doubt' OR doubt <> '')
      )`);
    await query('CREATE INDEX privacy_identity_checks_request ON privacy_identity_checks (request_id)');
    await query(`
      CREATE TABLE privacy_pauses (
        id uuid PRIMARY KEY,
        request_id uuid NOT NULL REFERENCES privacy_requests (id) ON DELETE CASCADE,
        ground text NOT NULL CHECK (ground IN ('identity', 'clarification')),
        reason text NOT NULL CHECK (reason <> ''),
        paused_at timestamptz NOT NULL,
        paused_by uuid NOT NULL REFERENCES users (id),
        resumed_at timestamptz,
        resumed_by uuid REFERENCES users (id)
      )`);
    // One at a time, whoever asks first.
    await query('CREATE UNIQUE INDEX privacy_pauses_open ON privacy_pauses (request_id) WHERE resumed_at IS NULL');
    await query('CREATE INDEX privacy_pauses_request ON privacy_pauses (request_id)');
    await query(`
      CREATE TABLE privacy_events (
        id uuid PRIMARY KEY,
        request_id uuid NOT NULL REFERENCES privacy_requests (id) ON DELETE CASCADE,
        at timestamptz NOT NULL,
        actor_id uuid REFERENCES users (id),
        kind text NOT NULL,
        details jsonb NOT NULL DEFAULT '{}',
        note text
      )`);
    await query('CREATE INDEX privacy_events_request ON privacy_events (request_id, at, id)');
  },
  async down({ query }) {
    for (const table of ['events', 'pauses', 'identity_checks', 'processes', 'subjects', 'requests'])
      await query(`DROP TABLE privacy_${table}`);
  },
};
