import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import type { Playback } from '../player/playback.js';
import { Jump, Now } from './moment.js';
import type { Answer, AnswerValue, Question } from './types.js';

interface Props {
  question: Question;
  answer: Answer | undefined;
  /** It was not answered when the evaluation was to be submitted. */
  missing: boolean;
  recordingId: string;
  playback: Playback;
  change: (part: Partial<Answer>) => void;
}

/** The id of the first answer to a question, for who comes from the summary of what is missing. */
export const firstAnswer = (questionId: string) => `answer-${questionId}`;

/** One question of a scorecard, with what there is to say about the answer and where in the call. */
export function QuestionField({ question, answer, missing, recordingId, playback, change }: Props) {
  const choices: { value: AnswerValue; label: string }[] = [
    ...(question.kind === 'yes_no'
      ? [
          { value: true, label: t('evaluation.yes') },
          { value: false, label: t('evaluation.no') },
        ]
      : Array.from({ length: question.max }, (_, index) => ({ value: index + 1, label: String(index + 1) }))),
    ...(question.notApplicable ? [{ value: 'not_applicable' as const, label: t('evaluation.na') }] : []),
  ];
  const atMs = answer?.atMs ?? null;
  const hint = question.kind === 'scale' ? `scale-${question.id}` : '';
  return (
    <fieldset class="question" aria-describedby={hint || undefined}>
      <legend>
        {question.text}
        {missing && (
          <span class="missing">
            <Icon name="error" />
            {t('evaluation.missing')}
          </span>
        )}
      </legend>
      {hint !== '' && (
        <span class="unseen" id={hint}>
          {t('evaluation.scale', { max: question.max })}
        </span>
      )}
      <div class="question-choices">
        {choices.map(({ value, label }, index) => (
          <label key={label} class="check">
            <input
              type="radio"
              id={index === 0 ? firstAnswer(question.id) : undefined}
              name={`question-${question.id}`}
              checked={(answer?.value ?? null) === value}
              onChange={() => change({ value })}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
      <div class="question-note">
        <textarea
          class="input growing"
          rows={1}
          aria-label={t('evaluation.noteOf', { question: question.text })}
          placeholder={t('evaluation.note')}
          maxLength={2000}
          value={answer?.note ?? ''}
          onInput={(event) => change({ note: event.currentTarget.value || null })}
        />
        {atMs === null ? (
          <button
            type="button"
            class="button quiet small"
            title={t('evaluation.moment')}
            onClick={() => change({ atMs: Math.round(playback.positionMs.peek()) })}
          >
            <Icon name="plus" />
            <Now playback={playback} />
            <span class="unseen"> {t('evaluation.momentOf', { question: question.text })}</span>
          </button>
        ) : (
          <span class="kept-moment">
            <Jump atMs={atMs} recordingId={recordingId} playback={playback} />
            <button
              type="button"
              class="button quiet small icon-only"
              aria-label={t('evaluation.momentAway', { question: question.text })}
              onClick={() => change({ atMs: null })}
            >
              <Icon name="close" />
            </button>
          </span>
        )}
      </div>
    </fieldset>
  );
}
