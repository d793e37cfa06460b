import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Page } from '../api/types.js';
import { longDay } from '../format.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { Bones, problemText, useLoaded } from '../parts/state.js';
import { PlaceHold } from './place.js';
import { HoldState } from './state.js';
import type { Hold, HoldSubject } from './types.js';
import './holds.css';

/** The holds on one item, for officers, with the way to place one. `changed` tells the screen that it is held now. */
export function HoldsHere({ subject, changed }: { subject: HoldSubject; changed: () => void }) {
  const [placing, setPlacing] = useState(false);
  const key = JSON.stringify(subject);
  const found = useLoaded(key, (signal) =>
    ask<Page<Hold>>('/holds', { query: { ...subject, inForce: true, limit: 20 }, signal }),
  );
  const holds = found.state === 'ready' ? found.value.items : [];
  return (
    <section class="holds-here" aria-labelledby="holds-here">
      <h2 id="holds-here">{t('holds.here')}</h2>
      {found.state === 'loading' && <Bones count={1} />}
      {found.state === 'failed' && <p role="alert">{problemText(found.problem)}</p>}
      {found.state === 'ready' && holds.length === 0 && <p class="muted">{t('holds.noneHere')}</p>}
      {holds.length > 0 && (
        <ul>
          {holds.map((hold) => (
            <li key={hold.id}>
              <strong>{t(`ground.${hold.ground}`)}</strong>
              <HoldState hold={hold} />
              <span class="muted">
                {t('holds.review')}: {longDay(hold.reviewAt)}
              </span>
            </li>
          ))}
        </ul>
      )}
      <div class="actions">
        <button type="button" class="button small" onClick={() => setPlacing(true)}>
          <Icon name="hold" />
          {t(holds.length > 0 ? 'holds.placeMore' : 'holds.place')}
        </button>
        {holds.length > 0 && <a href="/holds">{t('holds.open')}</a>}
      </div>
      {placing && (
        <PlaceHold
          subject={subject}
          close={() => setPlacing(false)}
          placed={() => {
            setPlacing(false);
            found.again();
            changed();
          }}
        />
      )}
    </section>
  );
}
