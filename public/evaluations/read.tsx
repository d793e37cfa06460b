import { useEffect, useRef } from 'preact/hooks';
import { decimal, moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import type { Playback } from '../player/playback.js';
import { useUser } from '../shell/user.js';
import { Jump } from './moment.js';
import type { Answer, OpenEvaluation, Question, Submitted } from './types.js';

/** An answer in words. */
export function answerText(question: Question, answer: Answer | undefined): string {
  const value = answer?.value ?? null;
  if (value === null) return '–';
  if (value === 'not_applicable') return t('evaluation.na');
  if (typeof value === 'number') return t('evaluation.outOf', { value, max: question.max });
  return t(value ? 'evaluation.yes' : 'evaluation.no');
}

const percent = (score: number | null) => (score === null ? t('evaluation.noScore') : `${decimal(score)}%`);

interface Props {
  evaluation: OpenEvaluation;
  version: Submitted;
  /** Of the player beside it. */
  playback?: Playback | undefined;
  /** It takes the focus: it came in place of what was just submitted. */
  arrived?: boolean;
}

/** A version that was submitted, to be read. */
export function ReadVersion({ evaluation, version, playback, arrived = false }: Props) {
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (arrived) head.current?.focus();
  }, []);
  const jump = (atMs: number) =>
    evaluation.audible ? <Jump atMs={atMs} recordingId={evaluation.recording.id} playback={playback} /> : null;
  return (
    <div class="evaluation-read">
      <div class="evaluation-outcome">
        <h2 ref={head} tabIndex={-1}>
          {t('evaluation.outcome')} <strong>{percent(version.score)}</strong>
        </h2>
        <p class="muted">{t('evaluation.version', { version: version.version, when: moment(version.submittedAt) })}</p>
        {version.reason && <p class="muted">{t('evaluation.reason', { reason: version.reason })}</p>}
      </div>
      {version.summary && (
        <section>
          <h3>{t('evaluation.summary')}</h3>
          <p class="words">{version.summary}</p>
        </section>
      )}
      {evaluation.sections.map((section) => (
        <section key={section.id}>
          <h3 class="section-score">
            <span>{section.title}</span>
            <span>{percent(version.sectionScores.find(({ id }) => id === section.id)?.score ?? null)}</span>
          </h3>
          <dl class="answers">
            {section.questions.map((question) => {
              const answer = version.answers.find(({ questionId }) => questionId === question.id);
              return (
                <div key={question.id}>
                  <dt>{question.text}</dt>
                  <dd>
                    <strong>{answerText(question, answer)}</strong>
                    {answer && answer.atMs !== null && jump(answer.atMs)}
                    {answer?.note && <span class="words">{answer.note}</span>}
                  </dd>
                </div>
              );
            })}
          </dl>
        </section>
      ))}
      {version.notes.length > 0 && (
        <section>
          <h3>{t('evaluation.notes')}</h3>
          <ul class="notes">
            {version.notes.map(({ atMs, text }, index) => (
              <li key={index}>
                {jump(atMs)}
                <span class="words">{text}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <Answered version={version} />
    </div>
  );
}

/** What the agent did with it. */
function Answered({ version }: { version: Submitted }) {
  const agent = useUser().role === 'agent';
  const { acknowledgedAt, response, respondedAt, earlierResponses } = version;
  if (agent && acknowledgedAt === null) return null;
  return (
    <section class="answered">
      <h3>{t(agent ? 'evaluation.yourResponse' : 'evaluation.response')}</h3>
      {acknowledgedAt === null ? (
        <p class="muted">{t('evaluation.notRead')}</p>
      ) : (
        <p class="saved">
          <Icon name="ok" />
          {t('evaluation.readAt', { when: moment(acknowledgedAt) })}
        </p>
      )}
      {response !== null && (
        <>
          <p class="words">{response}</p>
          {respondedAt !== null && <p class="muted">{moment(respondedAt)}</p>}
        </>
      )}
      {earlierResponses.length > 0 && (
        <details>
          <summary>{plural('evaluation.earlier', earlierResponses.length)}</summary>
          {earlierResponses.map((earlier) => (
            <div key={earlier.respondedAt}>
              <p class="words">{earlier.response}</p>
              <p class="muted">{moment(earlier.respondedAt)}</p>
            </div>
          ))}
        </details>
      )}
    </section>
  );
}
