import { useEffect, useRef, useState } from 'preact/hooks';
import type { Role } from '../api/types.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { countActive, type Filters, type Length, lengths, type Period } from './filters.js';
import { useFurtherUses } from './uses.js';

const periods: Period[] = ['all', 'today', 'week', 'month', 'custom'];
const directions = ['inbound', 'outbound', 'internal'] as const;

interface Props {
  filters: Filters;
  role: Role;
  apply: (filters: Filters) => void;
}

/** The filters. Choices work at once; text works on Enter or the button, for each number search is recorded. */
export function FilterBar({ filters, role, apply }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const uses = useFurtherUses(role);
  const { direction, queue, length, held, marked, unevaluated } = filters;
  const hidden = [direction, queue, length, held, marked, unevaluated].filter(Boolean).length;
  const [open, setOpen] = useState(hidden > 0);
  const partial = role === 'trainer';
  const active = countActive(filters);

  // After back, forward or "clear" the fields show what the list shows.
  useEffect(() => {
    const fields = form.current?.elements;
    if (!fields) return;
    for (const [name, value] of Object.entries(filters)) {
      const field = fields.namedItem(name);
      if (field instanceof HTMLInputElement && field.type === 'checkbox') field.checked = Boolean(value);
      else if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = String(value);
    }
  }, [filters]);

  function read(): Filters {
    const data = new FormData(form.current ?? undefined);
    const text = (name: string) => String(data.get(name) ?? '').trim();
    return {
      period: text('period') as Period,
      from: text('from'),
      to: text('to'),
      agent: text('agent'),
      direction: text('direction'),
      number: partial ? text('number').replace(/\D/g, '').slice(-3) : text('number'),
      ticket: text('ticket'),
      queue: text('queue'),
      held: data.get('held') !== null,
      marked: data.get('marked') !== null,
      unevaluated: data.get('unevaluated') !== null,
      length: text('length') as Length,
      words: text('words'),
    };
  }

  return (
    <form
      ref={form}
      class="filters"
      role="search"
      aria-label={t('filters.label')}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        apply(read());
      }}
      onChange={(event) => {
        const field = event.target;
        if (field instanceof HTMLSelectElement) apply(read());
        if (field instanceof HTMLInputElement && ['checkbox', 'date'].includes(field.type)) apply(read());
      }}
    >
      <div class="filters-row">
        {role !== 'agent' && (
          <div class="field filter-number">
            <label for="number">{t(partial ? 'filters.lastThree' : 'filters.number')}</label>
            <span class="with-icon">
              <Icon name="search" />
              <input
                class="input"
                id="number"
                name="number"
                type="text"
                inputMode={partial ? 'numeric' : 'tel'}
                maxLength={partial ? 3 : 32}
                autocomplete="off"
                placeholder={partial ? '123' : '06 12 34 56 78'}
                defaultValue={filters.number}
              />
            </span>
          </div>
        )}
        <div class="field">
          <label for="period">{t('filters.period')}</label>
          <select class="input" id="period" name="period" defaultValue={filters.period}>
            {periods.map((period) => (
              <option key={period} value={period} selected={period === filters.period}>
                {t(`period.${period}`)}
              </option>
            ))}
          </select>
        </div>
        <div class="field" hidden={filters.period !== 'custom'}>
          <label for="from">{t('filters.from')}</label>
          <input class="input" id="from" name="from" type="date" defaultValue={filters.from} />
        </div>
        <div class="field" hidden={filters.period !== 'custom'}>
          <label for="to">{t('filters.to')}</label>
          <input class="input" id="to" name="to" type="date" defaultValue={filters.to} />
        </div>
        <div class="field filter-short">
          <label for="agent">{t('filters.agent')}</label>
          <input
              class="input"
              id="agent"
              name="agent"
              autocomplete="off"
              placeholder={t('filters.agentHint')}
              defaultValue={filters.agent}
            />
        </div>
        <div class="field filter-short">
          <label for="ticket">{t('filters.ticket')}</label>
          <input class="input" id="ticket" name="ticket" autocomplete="off" defaultValue={filters.ticket} />
        </div>
        {uses.has('speech_search') && (
          <div class="field filter-words">
            <label for="words">{t('filters.words')}</label>
            <input class="input" id="words" name="words" maxLength={200} autocomplete="off" defaultValue={filters.words} />
          </div>
        )}
        <div class="actions filters-actions">
          <button type="submit" class="button primary">
            {t('filters.search')}
          </button>
          <button
            type="button"
            class="button"
            aria-expanded={open}
            aria-controls="more-filters"
            onClick={() => setOpen(!open)}
          >
            <Icon name="filter" />
            {hidden > 0 ? t('filters.moreWith', { count: hidden }) : t('filters.more')}
          </button>
          {active > 0 && (
            <button type="button" class="button quiet" onClick={() => apply(none)}>
              {t('filters.clear')}
            </button>
          )}
        </div>
      </div>
      <div class="filters-row" id="more-filters" hidden={!open}>
        <div class="field">
          <label for="direction">{t('filters.direction')}</label>
          <select class="input" id="direction" name="direction">
            <option value="">{t('filters.any')}</option>
            {directions.map((direction) => (
              <option key={direction} value={direction} selected={direction === filters.direction}>
                {t(`direction.${direction}`)}
              </option>
            ))}
          </select>
        </div>
        <div class="field filter-short">
          <label for="queue">{t('filters.queue')}</label>
          <input class="input" id="queue" name="queue" autocomplete="off" defaultValue={filters.queue} />
        </div>
        <div class="field">
          <label for="length">{t('filters.length')}</label>
          <select class="input" id="length" name="length">
            <option value="">{t('filters.any')}</option>
            {(Object.keys(lengths) as (keyof typeof lengths)[]).map((each) => (
              <option key={each} value={each} selected={each === filters.length}>
                {t(`length.${each}`)}
              </option>
            ))}
          </select>
        </div>
        {uses.has('evaluation') && (
          <label class="check">
            <input type="checkbox" name="unevaluated" defaultChecked={filters.unevaluated} />
            {t('filters.unevaluated')}
          </label>
        )}
        <label class="check">
          <input type="checkbox" name="held" defaultChecked={filters.held} />
          {t('filters.held')}
        </label>
        <label class="check">
          <input type="checkbox" name="marked" defaultChecked={filters.marked} />
          {t('filters.marked')}
        </label>
      </div>
    </form>
  );
}

/** Nothing narrowed. */
export const none: Filters = {
  period: 'all',
  from: '',
  to: '',
  agent: '',
  direction: '',
  number: '',
  ticket: '',
  queue: '',
  held: false,
  marked: false,
  unevaluated: false,
  length: '',
  words: '',
};
