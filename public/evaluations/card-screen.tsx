import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';
import { go } from '../shell/router.js';
import type { ScreenProps } from '../shell/screens.js';
import { say } from '../shell/toast.js';
import { emptySection } from './card-draft.js';
import { CardEditor } from './card-editor.js';
import { WithConsent } from './consent.js';
import type { Question, Scorecard } from './types.js';
import './cards.css';
import './evaluations.css';

const back = '/evaluations/scorecards';

function Way() {
  return (
    <div class="way">
      <a class="button quiet small" href={back}>
        <Icon name="back" />
        {t('cards.title')}
      </a>
    </div>
  );
}

/** A new scorecard. */
export function NewCard() {
  return (
    <>
      <Way />
      <PageHead title={t('cards.new')} lead={t('cards.editLead')} />
      <WithConsent>
        <CardEditor
          begun={{ name: '', sections: [emptySection([], [])], archived: false }}
          known={false}
          save={async ({ name, sections }) => {
            await ask('/scorecards', { method: 'POST', body: { name, sections } });
            say(t('cards.made'));
            go(back);
          }}
        />
      </WithConsent>
    </>
  );
}

/** A scorecard, to be changed: what is saved is its next version. Versions before can be read. */
export function CardScreen({ id }: ScreenProps) {
  return (
    <>
      <Way />
      <WithConsent head={<PageHead title={t('cards.edit')} />}>
        <Known path={`/scorecards/${encodeURIComponent(id)}`} />
      </WithConsent>
    </>
  );
}

function Known({ path }: { path: string }) {
  const loaded = useLoaded(path, (signal) => ask<Scorecard>(path, { signal }));
  if (loaded.state !== 'ready') {
    return (
      <>
        <PageHead title={t('cards.edit')} />
        {loaded.state === 'failed' ? <Failure problem={loaded.problem} again={loaded.again} /> : <Bones count={5} />}
      </>
    );
  }
  const card = loaded.value;
  return (
    <>
      <PageHead title={t('cards.editOf', { name: card.name })} tab={t('cards.edit')} lead={t('cards.editLead')} />
      <p class="muted card-version">
        {t('cards.written', { version: card.version, name: card.changedBy.name, when: moment(card.changedAt) })}
      </p>
      <CardEditor
        begun={{ name: card.name, sections: card.sections, archived: card.archivedAt !== null }}
        known
        save={async (written) => {
          const next = await ask<Scorecard>(path, { method: 'PUT', body: { ...written, version: card.version } });
          say(t('cards.saved', { version: next.version }));
          go(back);
        }}
      />
      {card.version > 1 && <Earlier path={path} newest={card.version} />}
    </>
  );
}

function Earlier({ path, newest }: { path: string; newest: number }) {
  const versions = Array.from({ length: newest - 1 }, (_, index) => newest - 1 - index);
  return (
    <section class="panel earlier-cards" aria-labelledby="earlier-title">
      <h2 class="panel-title" id="earlier-title">
        {t('cards.earlier')}
      </h2>
      <p class="panel-lead">{t('cards.earlierWhy')}</p>
      {versions.map((version) => (
        <EarlierVersion key={version} path={path} version={version} />
      ))}
    </section>
  );
}

function EarlierVersion({ path, version }: { path: string; version: number }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('cards.versionTitle', { version })}</summary>
      {open && <VersionText path={path} version={version} />}
    </details>
  );
}

function VersionText({ path, version }: { path: string; version: number }) {
  const loaded = useLoaded(`${path} ${version}`, (signal) => ask<Scorecard>(path, { query: { version }, signal }));
  if (loaded.state === 'failed') return <Failure problem={loaded.problem} again={loaded.again} />;
  if (loaded.state === 'loading') return <Bones count={2} />;
  const card = loaded.value;
  return (
    <div class="card-text">
      <p class="muted">
        {card.name} · {t('cards.writtenBy', { name: card.changedBy.name, when: moment(card.changedAt) })}
      </p>
      {card.sections.map((section) => (
        <div key={section.id}>
          <h3>
            {section.title} <span class="muted">{t('cards.times', { count: section.weight })}</span>
          </h3>
          <ul>
            {section.questions.map((question) => (
              <li key={question.id}>
                {question.text} <span class="muted">{kindOf(question)}</span>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </div>
  );
}

const kindOf = (question: Question) =>
  [
    question.kind === 'scale' ? t('cards.scale', { max: question.max }) : t('cards.yesNo'),
    t('cards.times', { count: question.weight }),
    question.notApplicable ? t('evaluation.na') : undefined,
  ]
    .filter(Boolean)
    .join(', ');

/** How much a scorecard asks. */
export const sizeOf = ({ sections }: Scorecard): string =>
  `${plural('cards.sections', sections.length)}, ${plural(
    'cards.questionCount',
    sections.reduce((sum, { questions }) => sum + questions.length, 0),
  )}`;
