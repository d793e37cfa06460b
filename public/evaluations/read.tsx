import { clock, decimal, moment } from '../format.js';
import { t } from '../i18n.js';
import type { Answer, OpenEvaluation, Question, Submitted } from './types.js';

/** An answer in words. */
export function answerText(question: Question, answer: Answer | undefined): string {
  const value = answer?.value ?? null;
  if (value === null) return '–';
  if (value === 'not_applicable') return t('evaluation.na');
  if (typeof value === 'number') return `${value} / ${question.max}`;
  return t(value ? 'evaluation.yes' : 'evaluation.no');
}

/** A version that was submitted, to be read. */
export function ReadVersion({ evaluation, version }: { evaluation: OpenEvaluation; version: Submitted }) {
  const of = (id: string) => version.answers.find(({ questionId }) => questionId === id);
  return (
    <div class="evaluation-read">
      <p class="muted">
        {t('evaluation.version', { version: version.version, when: moment(version.submittedAt) })} ·{' '}
        <strong>{version.score === null ? t('evaluation.noScore') : `${decimal(version.score)}%`}</strong>
      </p>
      {evaluation.sections.map((section) => (
        <section key={section.id}>
          <h2>{section.title}</h2>
          <dl class="answers">
            {section.questions.map((question) => {
              const answer = of(question.id);
              return (
                <div key={question.id}>
                  <dt>{question.text}</dt>
                  <dd>
                    <strong>{answerText(question, answer)}</strong>
                    {answer?.note && <span> {answer.note}</span>}
                    {answer && answer.atMs !== null && (
                      <a href={`/recordings/${evaluation.recording.id}?t=${answer.atMs / 1000}`}>
                        {t('evaluation.noteAt', { time: clock(answer.atMs) })}
                      </a>
                    )}
                  </dd>
                </div>
              );
            })}
          </dl>
        </section>
      ))}
      {version.summary && (
        <section>
          <h2>{t('evaluation.summary')}</h2>
          <p class="words">{version.summary}</p>
        </section>
      )}
      {version.response && (
        <section>
          <h2>{t('evaluation.response')}</h2>
          <p class="words">{version.response}</p>
        </section>
      )}
    </div>
  );
}
