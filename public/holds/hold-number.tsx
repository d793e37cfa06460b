import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { plural, t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { say } from '../shell/toast.js';
import { lastDay } from './state.js';
import { readTerms, termFaults, Terms, termFields } from './terms.js';

interface Found {
  recordings: number;
  tickets: number;
  requesters: number;
}

/** Holds all there is of a telephone number, in two steps: what there is, then why and until when it is kept. */
export function HoldNumber({ close, placed }: { close: () => void; placed: () => void }) {
  const [found, setFound] = useState<Found | undefined>();
  const count = found === undefined ? 0 : found.recordings + found.tickets;
  return (
    <FormDialog
      title={t('holds.ofNumber')}
      label={t(count === 0 ? 'holds.look' : 'holds.place')}
      prefix="number-"
      fields={['number', ...termFields]}
      check={(read) => ({
        ...(read('number') === '' ? { number: t('holds.numberMissing') } : {}),
        ...(count === 0 ? {} : termFaults(read)),
      })}
      send={async (read) => {
        if (found === undefined || count === 0) {
          setFound(await ask<Found>('/holds/by-number', { query: { number: read('number') } }));
          return;
        }
        const act = await ask<Found & { confirmBy: string }>('/holds/by-number', {
          method: 'POST',
          body: { number: read('number'), expected: count, ...readTerms(read) },
        });
        say(t('holds.placedNow', { date: lastDay(act.confirmBy) }));
        placed();
      }}
      close={close}
    >
      {(of) => (
        <>
          <p class="muted">{t('holds.ofNumberWhy')}</p>
          <Field {...of('number')} label={t('holds.number')} hint={t('holds.numberHint')}>
            {(wiring) => (
              <input class="input" inputMode="tel" autocomplete="off" aria-required="true" onInput={() => setFound(undefined)} {...wiring} />
            )}
          </Field>
          {found !== undefined && (
            <p role="status" class="notice">
              <Icon name={count === 0 ? 'ok' : 'hold'} />
              <span>
                {count === 0
                  ? t('holds.nothingOfNumber')
                  : `${plural('holds.recordings', found.recordings)}, ${plural('holds.tickets', found.tickets)}.`}
                {found.requesters > 1 && ` ${t('holds.sharedNumber')}`}
              </span>
            </p>
          )}
          {count > 0 && <Terms of={of} />}
        </>
      )}
    </FormDialog>
  );
}
