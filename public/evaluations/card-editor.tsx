import { useState } from 'preact/hooks';
import { share } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { useForm } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { say } from '../shell/toast.js';
import {
  emptyQuestion,
  emptySection,
  mostQuestions,
  mostSections,
  moved,
  shareOf,
  withQuestion,
  withSection,
} from './card-draft.js';
import { CardQuestion, Mover, Weight } from './card-question.js';
import type { Section } from './types.js';

export interface Written {
  name: string;
  sections: Section[];
  archived: boolean;
}

interface Props {
  begun: Written;
  /** It exists already, so that it can be put out of use. */
  known: boolean;
  save: (written: Written) => Promise<void>;
}

/** Puts the focus on something that is drawn a moment later. */
const focusSoon = (find: () => HTMLElement | null | undefined) => requestAnimationFrame(() => find()?.focus());
const byId = (id: string) => () => document.getElementById(id);

/** Writes a scorecard: sections and questions, each to be moved and taken out with buttons. */
export function CardEditor({ begun, known, save }: Props) {
  const [name, setName] = useState(begun.name);
  const [sections, setSections] = useState(begun.sections);
  const [archived, setArchived] = useState(begun.archived);
  const used = begun.sections.flatMap(({ questions }) => questions.map(({ id }) => id));
  const form = useForm({
    prefix: 'card-',
    fields: ['name', 'sections'],
    check: () => ({
      ...(name.trim() === '' ? { name: t('cards.nameMissing') } : {}),
      ...Object.fromEntries(
        sections.flatMap((section, at) => [
          ...(section.title.trim() === '' ? [[`title-${section.id}`, t('cards.titleMissing', { place: at + 1 })]] : []),
          ...section.questions
            .map(({ id, text }, place) => ({ id, text, place: place + 1 }))
            .filter(({ text }) => text.trim() === '')
            .map(({ id, place }) => [`text-${id}`, t('cards.textMissing', { place, section: at + 1 })]),
        ]),
      ),
    }),
    send: async () => await save({ name: name.trim(), sections, archived }),
  });
  const moveSection = (at: number, step: 1 | -1) => {
    const section = sections[at];
    setSections(moved(sections, at, step));
    say(t('cards.sectionMoved', { place: at + step + 1 }));
    if (section) focusSoon(() => moverOf(`section-${section.id}`, step));
  };
  const moveQuestion = (section: Section, at: number, step: 1 | -1) => {
    const question = section.questions[at];
    setSections(withSection(sections, section.id, { questions: moved(section.questions, at, step) }));
    say(t('cards.questionMoved', { place: at + step + 1 }));
    if (question) focusSoon(() => moverOf(`question-${question.id}`, step));
  };
  const addQuestion = (section: Section) => {
    const question = emptyQuestion(sections, used);
    setSections(withSection(sections, section.id, { questions: [...section.questions, question] }));
    focusSoon(byId(`card-text-${question.id}`));
  };
  const removeQuestion = (section: Section, at: number) => {
    const questions = section.questions.filter((_, place) => place !== at);
    setSections(withSection(sections, section.id, { questions }));
    say(t('cards.questionRemoved'));
    const next = questions[Math.min(at, questions.length - 1)];
    if (next) focusSoon(byId(`card-text-${next.id}`));
  };
  const addSection = () => {
    const section = emptySection(sections, used);
    setSections([...sections, section]);
    focusSoon(byId(`card-title-${section.id}`));
  };
  const removeSection = (at: number) => {
    const left = sections.filter((_, place) => place !== at);
    setSections(left);
    say(t('cards.sectionRemoved'));
    const next = left[Math.min(at, left.length - 1)];
    if (next) focusSoon(byId(`card-title-${next.id}`));
  };
  return (
    <form
      class="form card-editor"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(event.currentTarget);
      }}
    >
      {form.summary}
      <Field {...form.of('name')} label={t('cards.name')}>
        {(wiring) => (
          <input
            class="input"
            maxLength={200}
            autocomplete="off"
            aria-required="true"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
            {...wiring}
          />
        )}
      </Field>
      <ol class="card-sections">
        {sections.map((section, at) => {
          const label = t('cards.sectionName', { place: at + 1 });
          return (
            <li key={section.id} class="panel card-section" id={`section-${section.id}`}>
              <div class="card-row">
                <Field {...form.of(`title-${section.id}`)} label={label}>
                  {(wiring) => (
                    <input
                      class="input"
                      maxLength={500}
                      autocomplete="off"
                      aria-required="true"
                      value={section.title}
                      onInput={(event) =>
                        setSections(withSection(sections, section.id, { title: event.currentTarget.value }))
                      }
                      {...wiring}
                    />
                  )}
                </Field>
                <Mover
                  name={label}
                  first={at === 0}
                  last={at === sections.length - 1}
                  move={(step) => moveSection(at, step)}
                  remove={sections.length > 1 ? () => removeSection(at) : undefined}
                />
              </div>
              <div class="card-choices">
                <Weight
                  id={`weight-section-${section.id}`}
                  label={t('cards.weight')}
                  weight={section.weight}
                  choose={(weight) => setSections(withSection(sections, section.id, { weight }))}
                />
                <span class="muted part">{t('cards.partOfAll', { part: share(shareOf(sections, section)) })}</span>
              </div>
              <ol class="card-questions">
                {section.questions.map((question, place) => (
                  <CardQuestion
                    key={question.id}
                    question={question}
                    place={place + 1}
                    part={shareOf(section.questions, question)}
                    of={form.of}
                    change={(change) => setSections(withQuestion(sections, question.id, change))}
                    first={place === 0}
                    last={place === section.questions.length - 1}
                    move={(step) => moveQuestion(section, place, step)}
                    remove={section.questions.length > 1 ? () => removeQuestion(section, place) : undefined}
                  />
                ))}
              </ol>
              {section.questions.length < mostQuestions && (
                <div class="actions">
                  <button
                    type="button"
                    class="button small"
                    aria-label={t('cards.addQuestionTo', { place: at + 1 })}
                    onClick={() => addQuestion(section)}
                  >
                    <Icon name="plus" />
                    {t('cards.addQuestion')}
                  </button>
                </div>
              )}
            </li>
          );
        })}
      </ol>
      {sections.length < mostSections && (
        <div class="actions">
          <button type="button" class="button" onClick={addSection}>
            <Icon name="plus" />
            {t('cards.addSection')}
          </button>
        </div>
      )}
      {known && (
        <label class="check">
          <input
            type="checkbox"
            checked={archived}
            onChange={(event) => setArchived(event.currentTarget.checked)}
          />
          <span>
            {t('cards.archive')}
            <small>{t('cards.archiveHint')}</small>
          </span>
        </label>
      )}
      <div class="actions">
        <button type="submit" class="button primary">
          {t('form.save')}
        </button>
        <a class="button" href="/evaluations/scorecards">
          {t('dialog.cancel')}
        </a>
      </div>
    </form>
  );
}

/** The button that moved something, or the one beside it where that has come to its end. */
function moverOf(id: string, step: 1 | -1): HTMLElement | null | undefined {
  const mover = document.getElementById(id)?.querySelector('.mover');
  return (
    mover?.querySelector<HTMLElement>(`[data-move="${step}"][aria-disabled="false"]`) ??
    mover?.querySelector<HTMLElement>('[data-move][aria-disabled="false"]')
  );
}
