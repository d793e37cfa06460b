import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Page, Recording } from '../api/types.js';
import { openEntry, turnOf } from '../collections/queue.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import type { Playback } from '../player/playback.js';
import { place } from '../shell/router.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
import { AnswerForm } from './answer.js';
import { Begin } from './begin.js';
import { WithConsent } from './consent.js';
import { DraftForm } from './draft.js';
import { ReadVersion } from './read.js';
import type { Evaluation, OpenEvaluation } from './types.js';

interface Props {
  recording: Recording;
  playback: Playback;
}

/** The evaluation of this call beside the player: written by a trainer, read and answered by its agent. */
export function EvaluationTab(props: Props) {
  const { role } = useUser();
  return (
    <div class="evaluation-tab">
      <WithConsent>{role === 'agent' ? <AboutMe {...props} /> : <Own {...props} />}</WithConsent>
    </div>
  );
}

const listed = (recordingId: string, signal: AbortSignal) =>
  ask<Page<Evaluation>>('/evaluations', { query: { recordingId, limit: 50 }, signal });
const opened = (id: string, signal?: AbortSignal) =>
  ask<OpenEvaluation>(`/evaluations/${id}`, signal === undefined ? {} : { signal });

/** What a trainer wrote about one's own call, moments within reach. */
function AboutMe({ recording, playback }: Props) {
  const [renewed, setRenewed] = useState<OpenEvaluation | undefined>();
  const loaded = useLoaded(recording.id, async (signal) => {
    const { items } = await listed(recording.id, signal);
    return await Promise.all(items.map(({ id }) => opened(id, signal)));
  });
  if (loaded.state === 'failed') return <Failure problem={loaded.problem} again={loaded.again} />;
  if (loaded.state === 'loading') return <Bones count={4} />;
  if (loaded.value.length === 0) {
    return (
      <State icon="audit" title={t('evaluations.none')}>
        <p>{t('evaluations.noneAgent')}</p>
      </State>
    );
  }
  return (
    <>
      {loaded.value.map((each) => {
        const evaluation = renewed?.id === each.id ? renewed : each;
        const [newest] = evaluation.versions;
        if (!newest) return null;
        return (
          <div key={each.id} class="evaluation-read">
            <p class="muted">{t('evaluation.byFor', { card: each.scorecard.name, trainer: each.evaluator.name })}</p>
            <ReadVersion evaluation={evaluation} version={newest} playback={playback} />
            <AnswerForm evaluation={evaluation} version={newest} answered={setRenewed} />
          </div>
        );
      })}
    </>
  );
}

/** This trainer's evaluation: begun, being written, or submitted; others' as links. */
function Own({ recording, playback }: Props) {
  const user = useUser();
  const [renewed, setRenewed] = useState<OpenEvaluation | undefined>();
  const [justSubmitted, setJustSubmitted] = useState(false);
  const [acting, setActing] = useState<'revise' | 'another' | undefined>();
  const loaded = useLoaded(recording.id, async (signal) => {
    const { items } = await listed(recording.id, signal);
    const mine = items.filter(({ evaluator }) => evaluator.id === user.id);
    const current = mine.find(({ open }) => open) ?? mine[0];
    return { items, own: current ? await opened(current.id, signal) : undefined };
  });
  if (loaded.state === 'failed') return <Failure problem={loaded.problem} again={loaded.again} />;
  if (loaded.state === 'loading') return <Bones count={4} />;
  const evaluation = renewed ?? loaded.value.own;
  const others = loaded.value.items.filter(({ id, version }) => id !== evaluation?.id && version > 0);
  const again = () => {
    setRenewed(undefined);
    setActing(undefined);
    loaded.again();
  };
  if (!evaluation || acting === 'another') {
    return (
      <>
        <Begin
          recordingId={recording.id}
          begun={(begun) => {
            setActing(undefined);
            setRenewed(begun);
          }}
        />
        <Others others={others} />
      </>
    );
  }
  if (evaluation.draft) {
    return (
      <DraftForm
        key={`${evaluation.id} ${evaluation.version}`}
        evaluation={evaluation}
        draft={evaluation.draft}
        playback={playback}
        submitted={(next) => {
          setJustSubmitted(true);
          setRenewed(next);
        }}
        again={again}
      />
    );
  }
  const [newest] = evaluation.versions;
  return (
    <>
      <Onward />
      {newest && (
        <ReadVersion evaluation={evaluation} version={newest} playback={playback} arrived={justSubmitted} />
      )}
      <div class="actions">
        <button type="button" class="button small" onClick={() => setActing('revise')}>
          {t('evaluation.revise')}
        </button>
        <button type="button" class="button quiet small" onClick={() => setActing('another')}>
          {t('evaluation.another')}
        </button>
      </div>
      <Others others={others} />
      {acting === 'revise' && (
        <FormDialog
          title={t('evaluation.revise')}
          label={t('evaluation.revise')}
          prefix="revise-"
          fields={['reason']}
          check={(read) => (read('reason') === '' ? { reason: t('evaluation.reasonMissing') } : {})}
          send={async (read) => {
            const body = { reason: read('reason') };
            setRenewed(await ask<OpenEvaluation>(`/evaluations/${evaluation.id}/revise`, { method: 'POST', body }));
            setActing(undefined);
            say(t('evaluation.revised'));
          }}
          close={() => setActing(undefined)}
        >
          {(of) => (
            <Field {...of('reason')} label={t('evaluation.reviseReason')} hint={t('evaluation.reviseHint')}>
              {(wiring) => <textarea class="input" rows={3} maxLength={5000} aria-required="true" {...wiring} />}
            </Field>
          )}
        </FormDialog>
      )}
    </>
  );
}

/** The way to the next call of the sample that is being evaluated. */
function Onward() {
  const turn = turnOf(place.value.query.get('item'));
  if (turn?.queue.kind !== 'sample') return null;
  const last = turn.index === turn.queue.entries.length - 1;
  return (
    <div class="actions">
      {last ? (
        <a class="button primary" href={turn.queue.path}>
          {t('sample.backTo')}
        </a>
      ) : (
        <button type="button" class="button primary" onClick={() => openEntry(turn.index + 1, false)}>
          {t('sample.nextCall')}
          <Icon name="next" />
        </button>
      )}
    </div>
  );
}

function Others({ others }: { others: Evaluation[] }) {
  if (others.length === 0) return null;
  return (
    <section class="evaluation-read">
      <h3>{t('evaluation.others')}</h3>
      <ul>
        {others.map(({ id, scorecard, evaluator }) => (
          <li key={id}>
            <a href={`/evaluations/${id}`}>
              {t('evaluation.byFor', { card: scorecard.name, trainer: evaluator.name })}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
