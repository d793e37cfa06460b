import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { plural, t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { readSections, writeSections } from './card-text.js';
import { WithConsent } from './consent.js';
import type { Scorecard } from './types.js';
import './evaluations.css';

/** Scorecards, shared among trainers. */
export function Scorecards() {
  return (
    <>
      <div class="way">
        <a class="button quiet small" href="/evaluations">
          <Icon name="back" />
          {t('evaluations.title')}
        </a>
      </div>
      <PageHead title={t('cards.title')} />
      <WithConsent>
        <Cards />
      </WithConsent>
    </>
  );
}

function Cards() {
  const loaded = useLoaded('scorecards', (signal) => ask<{ items: Scorecard[] }>('/scorecards', { signal }));
  const [editing, setEditing] = useState<Scorecard | 'new' | undefined>();
  if (loaded.state === 'failed') return <Failure problem={loaded.problem} again={loaded.again} />;
  if (loaded.state === 'loading') return <Bones count={4} />;
  const { items } = loaded.value;
  return (
    <>
      <div class="panel">
        {items.length === 0 && (
          <State icon="audit" title={t('cards.none')}>
            <p>{t('cards.noneWhy')}</p>
          </State>
        )}
        <ul class="cards">
          {items.map((card) => (
            <li key={card.id}>
              <strong>{card.name}</strong>
              <span class="muted">
                {t('cards.version', { version: card.version })}, {plural('cards.sections', card.sections.length)}
                {card.archivedAt && `, ${t('cards.archived').toLowerCase()}`}
              </span>
              <button
                type="button"
                class="button small"
                aria-label={t('cards.editOf', { name: card.name })}
                onClick={() => setEditing(card)}
              >
                {t('remarks.change')}
              </button>
            </li>
          ))}
        </ul>
        <p class="cards-add">
          <button type="button" class="button primary" onClick={() => setEditing('new')}>
            <Icon name="plus" />
            {t('cards.new')}
          </button>
        </p>
      </div>
      {editing && (
        <CardDialog
          card={editing === 'new' ? undefined : editing}
          close={() => setEditing(undefined)}
          done={() => {
            setEditing(undefined);
            say(t('cards.saved'));
            loaded.again();
          }}
        />
      )}
    </>
  );
}

function CardDialog({ card, close, done }: { card: Scorecard | undefined; close: () => void; done: () => void }) {
  return (
    <FormDialog
      title={t(card ? 'cards.edit' : 'cards.new')}
      label={t('form.save')}
      prefix="card-"
      fields={['name', 'sections']}
      check={(read) => ({
        ...(read('name') === '' ? { name: t('cards.nameMissing') } : {}),
        ...(readSections(read('sections'), card?.sections) ? {} : { sections: t('cards.questionsMissing') }),
      })}
      send={async (read) => {
        const told = { name: read('name'), sections: readSections(read('sections'), card?.sections) };
        if (card) {
          const body = { ...told, version: card.version, archived: read('archived') === 'on' };
          await ask(`/scorecards/${card.id}`, { method: 'PUT', body });
        } else await ask('/scorecards', { method: 'POST', body: told });
        done();
      }}
      close={close}
    >
      {(of) => (
        <>
          <Field {...of('name')} label={t('cards.name')}>
            {(wiring) => (
              <input
                class="input"
                maxLength={200}
                autocomplete="off"
                aria-required="true"
                defaultValue={card?.name ?? ''}
                {...wiring}
              />
            )}
          </Field>
          <Field {...of('sections')} label={t('cards.questions')} hint={t('cards.questionsHint')}>
            {(wiring) => (
              <textarea
                class="input"
                rows={12}
                aria-required="true"
                defaultValue={card ? writeSections(card.sections) : t('cards.example')}
                {...wiring}
              />
            )}
          </Field>
          {card && (
            <label class="check">
              <input type="checkbox" name="card-archived" defaultChecked={card.archivedAt !== null} />
              <span>{t('cards.archive')}</span>
            </label>
          )}
        </>
      )}
    </FormDialog>
  );
}
