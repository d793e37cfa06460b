import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { type Read, useForm } from '../parts/form.js';
import { State } from '../parts/state.js';
import { DecideDialog } from './decide.js';
import { ItemCard } from './item.js';
import type { Item, PartProps, RequestFile } from './types.js';

/** Finding what is about the person, and deciding on each thing that was found. */
export function FindPart({ file, officer, nameOf, changed }: PartProps) {
  const [judging, setJudging] = useState<Item | undefined>();
  const { state, searches, items, undecided } = file;
  const mayJudge = officer && (state === 'decide' || state === 'approval');
  const maySearch = officer && ['search', 'decide', 'approval'].includes(state);
  const now = state === 'search' || state === 'decide';
  return (
    <section
      class={`panel padded part${now ? ' now' : ''}`}
      id={state === 'decide' ? 'part-decide' : 'part-search'}
      aria-labelledby="find-title"
    >
      <h2 id="find-title" tabIndex={-1}>
        {t('find.title')}
      </h2>
      {state === 'identity' && <p class="muted">{t('find.blocked')}</p>}
      {state === 'search' && <p class="muted">{t(officer ? 'find.why' : 'find.notYet')}</p>}
      {state === 'decide' && undecided.length > 0 && <p>{plural('decide.left', undecided.length)}</p>}
      {items.length > 0 && (
        <ul class="items">
          {items.map((item) => (
            <ItemCard
              key={item.itemId}
              file={file}
              item={item}
              nameOf={nameOf}
              officer={officer}
              judge={mayJudge && item.available ? () => setJudging(item) : undefined}
            />
          ))}
        </ul>
      )}
      {searches.length > 0 && items.length === 0 && (
        <State icon="search" title={t('find.nothing')}>
          <p>{t('find.nothingWhy')}</p>
        </State>
      )}
      {maySearch && <SearchForm key={searches.length} file={file} changed={changed} />}
      {searches.length > 0 && (
        <details>
          <summary>
            {t('find.logTitle')} ({searches.length})
          </summary>
          <ul class="checks">
            {searches.map((search) => (
              <li key={search.id}>
                {t('find.log', {
                  when: moment(search.at),
                  name: nameOf(search.by),
                  recordings: search.recordings,
                  tickets: search.tickets,
                })}
              </li>
            ))}
          </ul>
        </details>
      )}
      {judging && (
        <DecideDialog
          file={file}
          item={judging}
          close={() => setJudging(undefined)}
          changed={(next, said) => {
            setJudging(undefined);
            changed(next, said);
          }}
        />
      )}
    </section>
  );
}

interface Found {
  found: { recordings: number; tickets: number };
}

const lines = (text: string) => {
  const told = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return told.length > 0 ? told : undefined;
};

const callFields = ['agent', 'from', 'to'] as const;

function SearchForm({ file, changed }: Pick<PartProps, 'file' | 'changed'>) {
  const callOf = (read: Read) => callFields.map((field) => read(field));
  const form = useForm({
    prefix: 'find-',
    fields: ['phones', 'emails', 'names', 'tickets', 'calls', 'agent'],
    check: (read) => {
      const told = callOf(read).filter((text) => text !== '').length;
      return told === 0 || told === callFields.length ? {} : { agent: t('find.callPart') };
    },
    send: async (read) => {
      const [agent = '', from = '', to = ''] = callOf(read);
      const body = {
        phones: lines(read('phones')),
        emails: lines(read('emails')),
        names: lines(read('names')),
        tickets: lines(read('tickets')),
        calls: agent === '' ? undefined : [{ agent, from: new Date(from).toISOString(), to: new Date(to).toISOString() }],
      };
      const path = `/privacy-requests/${file.id}`;
      const { found } = await ask<Found>(`${path}/search`, { method: 'POST', body });
      changed(await ask<RequestFile>(path), t('find.found', found));
    },
  });
  return (
    <form
      class="form search-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(event.currentTarget);
      }}
    >
      {form.summary}
      <details>
        <summary>{t('find.more')}</summary>
        <div class="form">
          <div class="pair">
            {(['phones', 'emails', 'names', 'tickets'] as const).map((field) => (
              <Field key={field} {...form.of(field)} label={t(`find.${field}`)} hint={t('intake.several')}>
                {(wiring) => <textarea class="input short" rows={2} autocomplete="off" {...wiring} />}
              </Field>
            ))}
          </div>
          <fieldset>
            <legend>{t('find.withheld')}</legend>
            <div class="pair">
              <Field {...form.of('agent')} label={t('find.agent')}>
                {(wiring) => <input class="input" autocomplete="off" {...wiring} />}
              </Field>
              <Field {...form.of('from')} label={t('find.from')}>
                {(wiring) => <input class="input" type="datetime-local" {...wiring} />}
              </Field>
              <Field {...form.of('to')} label={t('find.to')}>
                {(wiring) => <input class="input" type="datetime-local" {...wiring} />}
              </Field>
            </div>
          </fieldset>
        </div>
      </details>
      <div class="actions">
        <button type="submit" class={`button${file.searches.length === 0 ? ' primary' : ''}`}>
          {t(file.searches.length === 0 ? 'find.search' : 'find.again')}
        </button>
      </div>
    </form>
  );
}
