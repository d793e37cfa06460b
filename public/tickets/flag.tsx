import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Ticket } from '../api/types.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { askedFor, FlagDialog, quick, useOnce, type Flagged } from '../privacy/flagging.js';
import type { Right } from '../privacy/types.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';

/** Tells the officer that somebody asks for a right in this ticket: that moment is its receipt. */
export function FlagTicket({ ticket, closed }: { ticket: Ticket; closed: () => void }) {
  const user = useUser();
  const [told, setTold] = useState<{ reference: string; asked: Right[] }[]>([]);
  const [other, setOther] = useState(false);
  const once = useOnce();

  async function send(asked: Right[], note = '') {
    const { reference, closedToTraining } = await ask<Flagged>(`/tickets/${ticket.id}/flags`, {
      method: 'POST',
      body: { rights: asked, note },
    });
    setTold((before) => [...before, { reference, asked }]);
    say(t('ticketFlag.sent', { reference }));
    if (closedToTraining && user.role !== 'privacy_officer') closed();
  }
  return (
    <section class="panel" aria-labelledby="flag-title">
      <h2 id="flag-title">{t('ticketFlag.title')}</h2>
      <p class="muted side-note">{t('ticketFlag.why')}</p>
      <div class="actions ticket-flags">
        {quick.map((right) => (
          <button key={right} type="button" class="button small" onClick={() => void once(() => send([right]))}>
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
                {askedFor(asked)}{' '}
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
        <FlagDialog
          title={t('ticketFlag.title')}
          legend={t('ticketFlag.rights')}
          hint={t('ticketFlag.noteHint')}
          send={send}
          close={() => setOther(false)}
        />
      )}
    </section>
  );
}
