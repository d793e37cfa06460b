import { useState } from 'preact/hooks';
import { address } from '../api/client.js';
import { moment } from '../format.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { CloseDialog } from './close.js';
import { DeliveryDialog } from './delivery.js';
import { handedOut, stepOf } from './stepper.js';
import type { PartProps } from './types.js';

/** Package and letter, to be fetched; and the end of the request. Fetching is recorded as the disclosure. */
export function AnswerPart({ file, officer, changed, fetched }: PartProps & { fetched: () => void }) {
  const [closing, setClosing] = useState(false);
  const [delivering, setDelivering] = useState(false);
  const out = handedOut(file);
  const path = `/privacy-requests/${file.id}`;
  // The browser fetches it by itself; a moment later the record of it stands on the timeline.
  const soon = () => setTimeout(fetched, 1500);
  if (file.state === 'closed' && out === undefined) return null;
  return (
    <section
      class={`panel padded part${officer ? ' now' : ''}`}
      id={`part-${stepOf(file) === 'closed' && officer ? 'closed' : 'answer'}`}
      aria-labelledby="answer-title"
    >
      <h2 id="answer-title" tabIndex={-1}>
        {t('answer.title')}
      </h2>
      {officer && <p class="muted">{t('answer.why')}</p>}
      <p>{out === undefined ? t('answer.notOut') : t('answer.out', { when: moment(out) })}</p>
      {officer && (
        <div class="actions">
          <a class="button primary" href={address(`${path}/package`)} download onClick={soon}>
            <Icon name="seal" />
            {t('answer.package')}
          </a>
          <a class="button" href={address(`${path}/letter`, { format: 'pdf' })} download onClick={soon}>
            <Icon name="mail" />
            {t('answer.pdf')}
          </a>
          <a class="button" href={address(`${path}/letter`)} target="_blank" rel="noopener" onClick={soon}>
            {t('answer.html')}
          </a>
          <button type="button" class="button" onClick={() => setDelivering(true)}>
            <Icon name="link" />
            {t('delivery.act')}
          </button>
          <button type="button" class="button" onClick={() => setClosing(true)}>
            {t('close.act')}
          </button>
        </div>
      )}
      {delivering && <DeliveryDialog file={file} close={() => setDelivering(false)} made={fetched} />}
      {closing && (
        <CloseDialog
          file={file}
          close={() => setClosing(false)}
          changed={(next, said) => {
            setClosing(false);
            changed(next, said);
          }}
        />
      )}
    </section>
  );
}
