import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { moment } from '../format.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { asProblem, Failure, problemText, useLoaded } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { LetterDialog } from './notices.js';
import type { PartProps, ToldRecipient } from './types.js';

/** Whoever was handed something that is now corrected, erased or restricted is told so (art. 19), one by one. */
export function RecipientsPart({ file, nameOf, changed }: Pick<PartProps, 'file' | 'nameOf'> & { changed: () => void }) {
  const path = `/privacy-requests/${file.id}/notifications`;
  const loaded = useLoaded(`${path} ${file.state}`, (signal) => ask<{ items: ToldRecipient[] }>(path, { signal }));
  const [renewed, setRenewed] = useState<ToldRecipient[] | undefined>();
  const [writing, setWriting] = useState<ToldRecipient | undefined>();
  const [impossible, setImpossible] = useState<ToldRecipient | undefined>();
  if (loaded.state === 'failed') return <Failure problem={loaded.problem} again={loaded.again} />;
  const list = renewed ?? (loaded.state === 'ready' ? loaded.value.items : []);
  if (list.length === 0) return null;
  const mark = async (id: string, body: object) => {
    const { items } = await ask<{ items: ToldRecipient[] }>(`${path}/${id}`, { method: 'POST', body });
    setRenewed(items);
    say(t('recipients.noted'));
  };
  return (
    <section class="panel padded part" aria-labelledby="recipients-title">
      <h2 id="recipients-title">{t('recipients.title')}</h2>
      <p class="muted">{t('recipients.why')}</p>
      <ul class="corrections">
        {list.map((entry) => (
          <li key={entry.id}>
            <strong>{entry.recipient}</strong>
            <span class="muted">{t(`right.${entry.right}`)}</span>
            {entry.toldAt === null ? (
              <div class="actions">
                <button
                  type="button"
                  class="button small"
                  aria-label={t('recipients.toldOf', { recipient: entry.recipient })}
                  onClick={() => {
                    mark(entry.id, {}).catch((error: unknown) => say(problemText(asProblem(error))));
                  }}
                >
                  {t('recipients.told')}
                </button>
                <button
                  type="button"
                  class="button small"
                  aria-label={t('recipients.letterTo', { recipient: entry.recipient })}
                  onClick={() => setWriting(entry)}
                >
                  {t('recipients.letter')}
                </button>
                <button
                  type="button"
                  class="button small quiet"
                  aria-label={t('recipients.impossibleOf', { recipient: entry.recipient })}
                  onClick={() => setImpossible(entry)}
                >
                  {t('recipients.impossible')}
                </button>
              </div>
            ) : (
              <span>
                <Badge icon={entry.impossibleReason === null ? 'ok' : 'info'} plain>
                  {t(entry.impossibleReason === null ? 'recipients.toldAt' : 'recipients.notTold', {
                    when: moment(entry.toldAt),
                    name: nameOf(entry.toldBy),
                  })}
                </Badge>
                {entry.impossibleReason !== null && <span class="reason">{entry.impossibleReason}</span>}
              </span>
            )}
          </li>
        ))}
      </ul>
      {writing && (
        <LetterDialog
          path={`${path}/${writing.id}/letter`}
          title={t('recipients.letterTo', { recipient: writing.recipient })}
          locale={file.locale}
          close={() => setWriting(undefined)}
          sent={changed}
        />
      )}
      {impossible && (
        <FormDialog
          title={t('recipients.impossibleOf', { recipient: impossible.recipient })}
          label={t('form.save')}
          prefix="recipient-"
          fields={['impossibleReason']}
          check={(read) => (read('impossibleReason') === '' ? { impossibleReason: t('clock.reasonMissing') } : {})}
          send={async (read) => {
            await mark(impossible.id, { impossibleReason: read('impossibleReason') });
            setImpossible(undefined);
          }}
          close={() => setImpossible(undefined)}
        >
          {(of) => (
            <Field {...of('impossibleReason')} label={t('recipients.reason')} hint={t('recipients.reasonHint')}>
              {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
            </Field>
          )}
        </FormDialog>
      )}
    </section>
  );
}
