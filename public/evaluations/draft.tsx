import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { clock, preciseMoment } from '../format.js';
import { t } from '../i18n.js';
import { FormDialog } from '../parts/form.js';
import { asProblem, problemText } from '../parts/state.js';
import type { Playback } from '../player/playback.js';
import { say } from '../shell/toast.js';
import type { Answer, AnswerValue, Content, OpenEvaluation, Question } from './types.js';

const saveAfterMs = 800;

interface Props {
  evaluation: OpenEvaluation;
  draft: Content & { revision: number };
  playback: Playback;
  submitted: (evaluation: OpenEvaluation) => void;
}

/** The scorecard, being filled in: every change is saved by itself a moment later. */
export function DraftForm({ evaluation, draft, playback, submitted }: Props) {
  const { answers, notes, summary } = draft;
  const [content, setContent] = useState<Content>({ answers, notes, summary });
  const [status, setStatus] = useState('');
  const [submitting, setSubmitting] = useState(false);
  const revision = useRef(draft.revision);
  const newest = useRef(content);
  const saved = useRef(content);
  const saving = useRef<Promise<void>>(Promise.resolve());
  newest.current = content;
  const path = `/evaluations/${evaluation.id}`;

  // One after the other: each save says on which one before it rests.
  const save = () => {
    saving.current = saving.current.then(async () => {
      const sent = newest.current;
      if (sent === saved.current) return;
      setStatus(t('evaluation.saving'));
      try {
        const body = { ...sent, revision: revision.current };
        const next = await ask<OpenEvaluation>(`${path}/draft`, { method: 'PUT', body });
        if (next.draft) {
          revision.current = next.draft.revision;
          setStatus(t('evaluation.savedAt', { time: preciseMoment(next.draft.savedAt) }));
        }
        saved.current = sent;
      } catch (error) {
        setStatus(t('evaluation.notSaved', { why: problemText(asProblem(error)) }));
      }
    });
    return saving.current;
  };
  useEffect(() => {
    if (content === saved.current) return undefined;
    const soon = setTimeout(() => void save(), saveAfterMs);
    return () => clearTimeout(soon);
  }, [content]);
  useEffect(() => () => void save(), []);

  const answerOf = (id: string) => content.answers.find(({ questionId }) => questionId === id);
  const change = (id: string, part: Partial<Answer>) => {
    const before = answerOf(id) ?? { questionId: id, value: null, note: null, atMs: null };
    const others = content.answers.filter(({ questionId }) => questionId !== id);
    setContent({ ...content, answers: [...others, { ...before, ...part }] });
  };
  return (
    <form class="form" noValidate onSubmit={(event) => event.preventDefault()}>
      <p class="muted" role="status">
        {status}
      </p>
      {evaluation.sections.map((section) => (
        <section key={section.id} class="draft-section">
          <h2>{section.title}</h2>
          {section.questions.map((question) => (
            <QuestionField
              key={question.id}
              question={question}
              answer={answerOf(question.id)}
              playback={playback}
              change={(part) => change(question.id, part)}
            />
          ))}
        </section>
      ))}
      <label class="field">
        <span class="label">{t('evaluation.summary')}</span>
        <textarea
          class="input"
          rows={4}
          maxLength={10000}
          value={content.summary ?? ''}
          onInput={(event) => setContent({ ...content, summary: event.currentTarget.value || null })}
        />
      </label>
      <div class="actions">
        <button type="button" class="button primary" onClick={() => setSubmitting(true)}>
          {t('evaluation.submit')}
        </button>
      </div>
      {submitting && (
        <FormDialog
          title={t('evaluation.submitTitle')}
          label={t('evaluation.submit')}
          prefix="submit-"
          fields={['evaluation']}
          check={() => {
            const open = evaluation.sections
              .flatMap(({ questions }) => questions)
              .some(({ id }) => (answerOf(id)?.value ?? null) === null);
            return open ? { evaluation: t('evaluation.unanswered') } : {};
          }}
          send={async () => {
            await save();
            const body = { revision: revision.current };
            submitted(await ask<OpenEvaluation>(`${path}/submit`, { method: 'POST', body }));
            say(t('evaluation.submittedNow'));
          }}
          close={() => setSubmitting(false)}
        >
          {() => (
            <p id="submit-evaluation" tabIndex={-1}>
              {t('evaluation.submitWhy')}
            </p>
          )}
        </FormDialog>
      )}
    </form>
  );
}

interface QuestionProps {
  question: Question;
  answer: Answer | undefined;
  playback: Playback;
  change: (part: Partial<Answer>) => void;
}

function QuestionField({ question, answer, playback, change }: QuestionProps) {
  const choices: { value: AnswerValue; label: string }[] = [
    ...(question.kind === 'yes_no'
      ? [
          { value: true, label: t('evaluation.yes') },
          { value: false, label: t('evaluation.no') },
        ]
      : Array.from({ length: question.max }, (_, index) => ({ value: index + 1, label: String(index + 1) }))),
    ...(question.notApplicable ? [{ value: 'not_applicable' as const, label: t('evaluation.na') }] : []),
  ];
  const second = Math.floor(playback.positionMs.value / 1000) * 1000;
  return (
    <fieldset class="question">
      <legend>{question.text}</legend>
      <div class="question-choices">
        {choices.map(({ value, label }) => (
          <label key={label} class="check">
            <input
              type="radio"
              name={`question-${question.id}`}
              checked={(answer?.value ?? null) === value}
              onChange={() => change({ value })}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
      <div class="question-note">
        <input
          class="input"
          aria-label={`${t('evaluation.note')}: ${question.text}`}
          placeholder={t('evaluation.note')}
          maxLength={2000}
          autocomplete="off"
          value={answer?.note ?? ''}
          onInput={(event) => change({ note: event.currentTarget.value || null })}
        />
        <button
          type="button"
          class="button quiet small"
          onClick={() => change({ atMs: Math.round(playback.positionMs.peek()) })}
        >
          {t('evaluation.noteHere', { time: clock(second) })}
        </button>
        {answer && answer.atMs !== null && (
          <button type="button" class="button quiet small" onClick={() => playback.seek(answer.atMs ?? 0)}>
            {t('evaluation.noteAt', { time: clock(answer.atMs) })}
          </button>
        )}
      </div>
    </fieldset>
  );
}
