import { useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Ticket } from '../api/types.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { asProblem, problemText } from '../parts/state.js';
import { rights, type Right } from '../privacy/types.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';

/** What people ask for most: one click each. */
const quick = ['access', 'erasure', 'objection'] as const;

interface Flagged {
  reference: string;
  closedToTraining: boolean;
}

/** Tells the officer that somebody asks for a right in this ticket: that moment is its receipt. */
export function FlagTicket({ ticket, closed }: { ticket: Ticket; closed: () => void }) {
  const user = useUser();
  const [told, setTold] = useState<{ reference: string; asked: Right[] }[]>([]);
  const [other, setOther] = useState(false);
  const busy = useRef(false);

  async function send(asked: Right[], note = '') {
    const { reference, closedToTraining } = await ask<Flagged>(`/tickets/${ticket.id}/flags`, {
      method: 'POST',
      body: { rights: asked, note },
    });
    setTold((before) => [...before, { reference, asked }]);
    say(t('ticketFlag.sent', { reference }));
    if (closedToTraining && user.role !== 'privacy_officer') closed();
  }
  /** One click is one request, however the hand trembles. */
  async function sendOnce(right: Right) {
    if (busy.current) return;
    busy.current = true;
    try {
      await send([right]);
    } catch (error) {
      say(problemText(asProblem(error)));
    } finally {
      busy.current = false;
    }
  }
  return (
    <section class="panel" aria-labelledby="flag-title">
      <h2 id="flag-title">{t('ticketFlag.title')}</h2>
      <p class="muted side-note">{t('ticketFlag.why')}</p>
      <div class="actions ticket-flags">
        {quick.map((right) => (
          <button key={right} type="button" class="button small" onClick={() => void sendOnce(right)}>
            {t(`right.${right}`)}
          </button>
        ))}
        <button type="button" class="button small" onClick={() => setOther(true)}>
          {t('flag.other')}
        </button>
      </div>
      {told.length > 0 && (
        <ul class="ticket-flagged" role="status">
          {told.map(({ reference, asked }, index) => (
            <li key={index}>
              <Icon name="ok" />
              <span>
                {asked.length === 0 ? t('flag.unclear') : asked.map((right) => t(`right.${right}`)).join(', ')}{' '}
                {user.role === 'privacy_officer' ? (
                  <a href="/privacy">{reference}</a>
                ) : (
                  <span class="muted">{reference}</span>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
      {other && (
        <FormDialog
          title={t('ticketFlag.title')}
          label={t('flag.send')}
          prefix="flag-"
          fields={['rights', 'note']}
          check={(read) =>
            read('note') === '' && rights.every((right) => read(right) === '') ? { note: t('flag.nothing') } : {}
          }
          send={async (read) => {
            await send(rights.filter((right) => read(right) !== ''), read('note'));
            setOther(false);
          }}
          close={() => setOther(false)}
        >
          {(of) => (
            <>
              <p class="muted">{t('flag.otherWhy')}</p>
              <fieldset class="flag-rights">
                <legend>{t('ticketFlag.rights')}</legend>
                {rights.map((right) => (
                  <label key={right} class="check">
                    <input type="checkbox" name={`flag-${right}`} value={right} />
                    {t(`right.${right}`)}
                  </label>
                ))}
              </fieldset>
              <Field {...of('note')} label={t('flag.note')} hint={t('ticketFlag.noteHint')}>
                {(wiring) => <textarea class="input" rows={3} maxLength={2000} {...wiring} />}
              </Field>
            </>
          )}
        </FormDialog>
      )}
    </section>
  );
}
