import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { time } from '../format.js';
import { t } from '../i18n.js';
import { FaultSummary } from '../parts/field.js';
import { FormDialog, WrongField } from '../parts/form.js';
import { Icon, type IconName } from '../parts/icon.js';
import type { Playback } from '../player/playback.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
import { dropStash, type Standing, useAutosave } from './autosave.js';
import { Notes } from './notes.js';
import { firstAnswer, QuestionField } from './question.js';
import type { Answer, Draft, OpenEvaluation } from './types.js';

interface Props {
  evaluation: OpenEvaluation;
  draft: Draft;
  playback: Playback;
  submitted: (evaluation: OpenEvaluation) => void;
  /** It was thrown away, or has to be read anew. */
  again: () => void;
}

/** The scorecard, being filled in: every change is saved by itself a moment later. */
export function DraftForm({ evaluation, draft, playback, submitted, again }: Props) {
  const user = useUser();
  const { content, change, standing, flush, keepMine } = useAutosave(evaluation.id, draft, user.id);
  const [dialog, setDialog] = useState<'submit' | 'discard' | undefined>();
  const [checks, setChecks] = useState(0);
  const path = `/evaluations/${evaluation.id}`;
  const questions = evaluation.sections.flatMap((section) => section.questions);
  const answerOf = (id: string) => content.answers.find(({ questionId }) => questionId === id);
  const open = questions.filter(({ id }) => (answerOf(id)?.value ?? null) === null);
  const missing = checks > 0 ? open : [];
  const changeAnswer = (id: string, part: Partial<Answer>) => {
    const before = answerOf(id) ?? { questionId: id, value: null, note: null, atMs: null };
    const others = content.answers.filter(({ questionId }) => questionId !== id);
    change({ ...content, answers: [...others, { ...before, ...part }] });
  };
  const drop = () => {
    dropStash(evaluation.id);
    again();
  };
  return (
    <div class="form draft">
      <div class="draft-head">
        <p class="muted">{t('evaluation.about', { agent: evaluation.agent.name, card: evaluation.scorecard.name })}</p>
        <p>{t('evaluation.progress', { done: questions.length - open.length, count: questions.length })}</p>
        <Saved standing={standing} />
      </div>
      {standing.state === 'clash' && (
        <div class="notice warn" role="alert">
          <Icon name="warning" />
          <div>
            <p>{t('evaluation.clash')}</p>
            <div class="actions">
              <button type="button" class="button small" onClick={keepMine}>
                {t('evaluation.clashMine')}
              </button>
              <button type="button" class="button small" onClick={drop}>
                {t('evaluation.clashTheirs')}
              </button>
            </div>
          </div>
        </div>
      )}
      <FaultSummary
        round={checks}
        faults={Object.fromEntries(
          missing.map(({ id, text }) => [firstAnswer(id), t('evaluation.answerFirst', { question: text })]),
        )}
      />
      {evaluation.sections.map((section) => (
        <section key={section.id} class="draft-section">
          <h2>{section.title}</h2>
          {section.questions.map((question) => (
            <QuestionField
              key={question.id}
              question={question}
              answer={answerOf(question.id)}
              missing={missing.includes(question)}
              recordingId={evaluation.recording.id}
              playback={playback}
              change={(part) => changeAnswer(question.id, part)}
            />
          ))}
        </section>
      ))}
      <Notes
        notes={content.notes}
        recordingId={evaluation.recording.id}
        playback={playback}
        change={(notes) => change({ ...content, notes })}
      />
      <label class="field">
        <span class="label">{t('evaluation.summary')}</span>
        <textarea
          class="input growing"
          rows={3}
          maxLength={10000}
          value={content.summary ?? ''}
          onInput={(event) => change({ ...content, summary: event.currentTarget.value || null })}
        />
      </label>
      <div class="actions">
        <button
          type="button"
          class="button primary"
          onClick={() => {
            setChecks(checks + 1);
            if (open.length === 0) setDialog('submit');
          }}
        >
          {t('evaluation.submit')}
        </button>
        <button type="button" class="button quiet" onClick={() => setDialog('discard')}>
          {t('evaluation.discard')}
        </button>
      </div>
      {dialog === 'submit' && (
        <FormDialog
          title={t('evaluation.submitTitle')}
          label={t('evaluation.submit')}
          prefix="submit-"
          fields={['share']}
          send={async (read) => {
            const revision = await flush();
            if (revision === undefined) throw new WrongField('share', t('evaluation.notYet'));
            const body = { revision, share: read('share') === 'on' };
            submitted(await ask<OpenEvaluation>(`${path}/submit`, { method: 'POST', body }));
            say(t('evaluation.submittedNow'));
          }}
          close={() => setDialog(undefined)}
        >
          {(of) => (
            <>
              <p>{t('evaluation.submitWhy', { agent: evaluation.agent.name })}</p>
              <label class="check">
                <input type="checkbox" id={of('share').name} name={of('share').name} defaultChecked />
                <span>{t('evaluation.submitShare')}</span>
              </label>
            </>
          )}
        </FormDialog>
      )}
      {dialog === 'discard' && (
        <FormDialog
          title={t('evaluation.discardTitle')}
          label={t('evaluation.discard')}
          danger
          prefix="discard-"
          fields={['draft']}
          send={async () => {
            await ask(`${path}/draft`, { method: 'DELETE' });
            say(t('evaluation.discarded'));
            drop();
          }}
          close={() => setDialog(undefined)}
        >
          {() => (
            <p id="discard-draft" tabIndex={-1}>
              {t(evaluation.version > 0 ? 'evaluation.discardLater' : 'evaluation.discardWhy')}
            </p>
          )}
        </FormDialog>
      )}
    </div>
  );
}

/** Whether what was written is safe; said aloud only when that changes. */
function Saved({ standing }: { standing: Standing }) {
  const shown: { icon: IconName; words: string } =
    standing.state === 'saved'
      ? { icon: 'ok', words: t('evaluation.savedAt', { time: time(standing.at) }) }
      : standing.state === 'saving'
        ? { icon: 'clock', words: t('evaluation.saving') }
        : standing.state === 'waiting'
          ? { icon: 'offline', words: t('evaluation.waiting') }
          : standing.state === 'refused'
            ? { icon: 'error', words: t('evaluation.notSaved', { why: standing.why }) }
            : { icon: 'warning', words: t('evaluation.clashed') };
  return (
    <p class={`saved ${standing.state}`} role="status">
      <Icon name={shown.icon} />
      {shown.words}
    </p>
  );
}

