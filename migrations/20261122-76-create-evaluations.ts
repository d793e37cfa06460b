import type { Migration } from '../src/platform/migrate.js';

/**
 * An evaluation with its answers, notes, timestamps and the agent's response goes with the recording it is about. What
 * outlives it, for a year, is the outcome: score, agent, date. Samples say how the calls to evaluate were chosen.
 */
export const migration: Migration = {
  name: '20261122-76-create-evaluations',
  async up({ query }) {
    await query(`
      CREATE TABLE evaluations (
        id uuid PRIMARY KEY,
        recording_id uuid NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        recording_version integer NOT NULL,
        agent_id uuid NOT NULL REFERENCES users (id),
        evaluator_id uuid NOT NULL REFERENCES users (id),
        scorecard_id uuid NOT NULL,
        scorecard_version integer NOT NULL,
        version integer NOT NULL DEFAULT 0,
        revision integer NOT NULL DEFAULT 1,
        draft jsonb,
        revise_reason text,
        created_at timestamptz NOT NULL,
        saved_at timestamptz NOT NULL,
        FOREIGN KEY (scorecard_id, scorecard_version) REFERENCES scorecard_versions (scorecard_id, version),
        CHECK (version > 0 OR draft IS NOT NULL)
      )`);
    // Begun twice by the same trainer, it is the same draft.
    await query(
      `CREATE UNIQUE INDEX evaluations_begun ON evaluations (recording_id, evaluator_id, scorecard_id, agent_id) WHERE version = 0`,
    );
    await query('CREATE INDEX evaluations_recording ON evaluations (recording_id)');
    await query('CREATE INDEX evaluations_agent ON evaluations (agent_id, created_at DESC, id DESC)');
    await query('CREATE INDEX evaluations_created ON evaluations (created_at DESC, id DESC)');
    await query(`
      CREATE TABLE evaluation_versions (
        evaluation_id uuid NOT NULL REFERENCES evaluations (id) ON DELETE CASCADE,
        version integer NOT NULL,
        content jsonb NOT NULL,
        score double precision CHECK (score BETWEEN 0 AND 100),
        sections jsonb NOT NULL,
        reason text,
        from_revision integer NOT NULL,
        submitted_at timestamptz NOT NULL,
        acknowledged_at timestamptz,
        response text,
        responded_at timestamptz,
        PRIMARY KEY (evaluation_id, version),
        CHECK ((response IS NULL) = (responded_at IS NULL))
      )`);
    await query(`
      CREATE TABLE evaluation_outcomes (
        evaluation_id uuid PRIMARY KEY,
        agent_id uuid NOT NULL REFERENCES users (id),
        scorecard_id uuid NOT NULL,
        scorecard_version integer NOT NULL,
        score double precision CHECK (score BETWEEN 0 AND 100),
        sections jsonb NOT NULL,
        evaluated_at timestamptz NOT NULL,
        retain_until timestamptz NOT NULL,
        FOREIGN KEY (scorecard_id, scorecard_version) REFERENCES scorecard_versions (scorecard_id, version)
      )`);
    await query('CREATE INDEX evaluation_outcomes_agent ON evaluation_outcomes (agent_id, evaluated_at DESC, evaluation_id DESC)');
    await query('CREATE INDEX evaluation_outcomes_due ON evaluation_outcomes (retain_until)');
    await query(`
      CREATE TABLE samples (
        id uuid PRIMARY KEY,
        agent_id uuid NOT NULL REFERENCES users (id),
        extensions text[] NOT NULL,
        period_from timestamptz NOT NULL,
        period_until timestamptz NOT NULL,
        size integer NOT NULL CHECK (size > 0),
        seed text NOT NULL,
        population integer NOT NULL,
        population_sha256 text NOT NULL,
        drawn_by uuid NOT NULL REFERENCES users (id),
        drawn_at timestamptz NOT NULL,
        retain_until timestamptz NOT NULL,
        CHECK (period_until > period_from)
      )`);
    await query('CREATE INDEX samples_drawn ON samples (drawn_at DESC, id DESC)');
    await query('CREATE INDEX samples_due ON samples (retain_until)');
    await query(`
      CREATE TABLE sample_picks (
        sample_id uuid NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
        recording_id uuid NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
        place integer NOT NULL,
        PRIMARY KEY (sample_id, recording_id)
      )`);
    await query('CREATE INDEX sample_picks_recording ON sample_picks (recording_id)');
  },
  async down({ query }) {
    for (const table of ['sample_picks', 'samples', 'evaluation_outcomes', 'evaluation_versions', 'evaluations'])
      await query(`DROP TABLE ${table}`);
  },
};
