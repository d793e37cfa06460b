import { dateBefore } from '../format.js';
import { t } from '../i18n.js';
import { go, place } from '../shell/router.js';

/** A period of whole days, both included, as "2026-11-22". */
export interface Days {
  from: string;
  to: string;
}

const readDay = (name: string, otherwise: string) => {
  const told = place.value.query.get(name) ?? '';
  return /^\d{4}-\d{2}-\d{2}$/.test(told) ? told : otherwise;
};

/** The period that the address names, by default the `days` behind us. */
export const readDays = (days: number): Days => ({
  from: readDay('from', dateBefore(days)),
  to: readDay('to', dateBefore(0)),
});

/** Changes part of the address of the screen that is shown; what is empty leaves it. */
export function readdress(change: Record<string, string>): void {
  const { path, query } = place.peek();
  const told = new URLSearchParams(query);
  for (const [name, value] of Object.entries(change)) {
    if (value === '') told.delete(name);
    else told.set(name, value);
  }
  go(`${path}${told.size > 0 ? `?${told.toString()}` : ''}`, { replace: true });
}

/** Chooses a period; it is in the address, so that it can be shared and come back to. */
export function PeriodFields({ days }: { days: Days }) {
  return (
    <>
      {(['from', 'to'] as const).map((name) => (
        <label key={name} class="field">
          <span class="label">{t(name === 'from' ? 'sample.from' : 'sample.to')}</span>
          <input
            class="input"
            type="date"
            value={days[name]}
            onChange={(event) => {
              if (event.currentTarget.value !== '') readdress({ [name]: event.currentTarget.value });
            }}
          />
        </label>
      ))}
    </>
  );
}
