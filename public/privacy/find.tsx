import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { type Read, useForm } from '../parts/form.js';
import { State } from '../parts/state.js';
import { BulkDialog, mayJoin } from './bulk.js';
import { DecideDialog } from './decide.js';
import { countsOf, ItemCard } from './item.js';
import { stillOpen, type Item, type PartProps, type RequestFile } from './types.js';

/** Cards that are drawn at once. */
const pageLength = 50;

/** Finding what is about the person, and deciding on each thing that was found. */
export function FindPart({ file, officer, nameOf, changed }: PartProps) {
  const [judging, setJudging] = useState<Item | undefined>();
  const [together, setTogether] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [openOnly, setOpenOnly] = useState(false);
  const [shown, setShown] = useState(pageLength);
  const { state, searches, items, undecided } = file;
  const waiting = new Set(undecided.map(({ itemId }) => itemId));
  const listed = openOnly ? items.filter(({ itemId }) => waiting.has(itemId)) : items;
  const visible = listed.slice(0, shown);
  const joinable = listed.filter((item) => mayJoin(item) && waiting.has(item.itemId));
  const selected = items.filter((item) => chosen.has(item.itemId) && mayJoin(item));
  const choose = (ids: readonly string[], on: boolean) =>
    setChosen((before) => new Set(on ? [...before, ...ids] : [...before].filter((id) => !ids.includes(id))));
  const mayJudge = officer && (state === 'decide' || state === 'approval' || (state === 'answer' && stillOpen(file).length > 0));
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
      {(state === 'decide' || state === 'answer') && undecided.length > 0 && <p>{plural('decide.left', undecided.length)}</p>}
      {items.length > pageLength && (
        <div class="segments" role="group" aria-label={t('find.show')}>
          {[false, true].map((choice) => (
            <button
              key={String(choice)}
              type="button"
              aria-pressed={openOnly === choice}
              onClick={() => {
                setOpenOnly(choice);
                setShown(pageLength);
              }}
            >
              {t(choice ? 'find.showOpen' : 'find.showAll', { count: choice ? waiting.size : items.length })}
            </button>
          ))}
        </div>
      )}
      {mayJudge && joinable.length > 1 && (
        <div class="together">
          <label class="check">
            <input
              type="checkbox"
              checked={joinable.every(({ itemId }) => chosen.has(itemId))}
              onChange={(event) =>
                choose(
                  joinable.map(({ itemId }) => itemId),
                  event.currentTarget.checked,
                )
              }
            />
            <span>{t('bulk.chooseAll', { count: joinable.length })}</span>
          </label>
          <button type="button" class="button small" onClick={() => selected.length > 0 && setTogether(true)}>
            {selected.length > 0 ? plural('bulk.act', selected.length) : t('bulk.none')}
          </button>
        </div>
      )}
      {listed.length > 0 && (
        <ul class="items">
          {visible.map((item) => (
            <ItemCard
              key={item.itemId}
              file={file}
              item={item}
              nameOf={nameOf}
              officer={officer}
              judge={mayJudge && item.available ? () => setJudging(item) : undefined}
              chosen={
                mayJudge && joinable.length > 1 && mayJoin(item)
                  ? { is: chosen.has(item.itemId), set: (on) => choose([item.itemId], on) }
                  : undefined
              }
            />
          ))}
        </ul>
      )}
      {listed.length > visible.length && (
        <div class="more">
          <p class="muted" role="status">
            {t('find.shownOf', { shown: visible.length, count: listed.length })}
          </p>
          <button type="button" class="button" onClick={() => setShown(shown + pageLength)}>
            {t('recordings.more')}
          </button>
        </div>
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
                  ...countsOf(search),
                })}
              </li>
            ))}
          </ul>
        </details>
      )}
      {together && (
        <BulkDialog
          file={file}
          items={selected}
          close={() => setTogether(false)}
          changed={(next, said) => {
            setTogether(false);
            setChosen(new Set());
            changed(next, said);
          }}
        />
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
    fields: ['phones', 'emails', 'names', 'tickets', 'calls', 'agent', 'from', 'to'],
    check: (read) => {
      const call = callOf(read);
      const told = call.filter((text) => text !== '').length;
      if (told > 0 && told < callFields.length) return { agent: t('find.callPart') };
      const [, from = '', to = ''] = call;
      return from > to ? { to: t('find.callBackward') } : {};
    },
    send: async (read) => {
      const [agent = '', from = '', to = ''] = callOf(read);
      const body = {
        phones: lines(read('phones')),
        emails: lines(read('emails')),
        names: lines(read('names')),
        tickets: lines(read('tickets')),
        // As typed: without an offset the service reads them by the organisation's clock, not by this machine's.
        calls: agent === '' ? undefined : [{ agent, from, to }],
      };
      const path = `/privacy-requests/${file.id}`;
      const { found } = await ask<Found>(`${path}/search`, { method: 'POST', body });
      changed(await ask<RequestFile>(path), t('find.found', countsOf(found)));
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
