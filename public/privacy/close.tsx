import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import type { PartProps, RequestFile } from './types.js';

const outcomes = ['answered', 'forwarded', 'withdrawn', 'no_answer'] as const;
type Outcome = (typeof outcomes)[number];

/** Closes a request: answered, or without an answer for a reason. */
export function CloseDialog({ file, close, changed }: Pick<PartProps, 'file' | 'changed'> & { close: () => void }) {
  const approved = file.state === 'answer';
  const isOut = file.timeline.some(({ kind }) => kind.endsWith('_handed_out'));
  const offered = outcomes.filter((outcome) => outcome !== 'answered' || approved);
  const [outcome, setOutcome] = useState<Outcome>(approved ? 'answered' : 'withdrawn');
  return (
    <FormDialog
      title={t('close.title')}
      label={t('close.act')}
      prefix="close-"
      fields={['reason', 'forwardedTo', 'outcome']}
      check={(read) => (outcome !== 'answered' && read('reason') === '' ? { reason: t('close.reasonMissing') } : {})}
      send={async (read) => {
        const body = {
          outcome,
          reason: read('reason') || undefined,
          forwardedTo: read('forwardedTo') || undefined,
        };
        const next = await ask<RequestFile>(`/privacy-requests/${file.id}/close`, { method: 'POST', body });
        changed(next, t('close.acted'));
      }}
      close={close}
    >
      {(of) => (
        <>
          <p class="muted">{t('close.why')}</p>
          {outcome === 'answered' && !isOut && (
            <p class="notice warn">
              <Icon name="warning" />
              <span>{t('close.notOut')}</span>
            </p>
          )}
          <Field {...of('outcome')} label={t('close.outcome')}>
            {(wiring) => (
              <select
                class="input"
                value={outcome}
                onChange={(event) => setOutcome(event.currentTarget.value as Outcome)}
                {...wiring}
              >
                {offered.map((each) => (
                  <option key={each} value={each} selected={each === outcome}>
                    {t(`closed.${each}`)}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {outcome === 'forwarded' && (
            <Field {...of('forwardedTo')} label={t('close.forwardedTo')}>
              {(wiring) => <input class="input" autocomplete="off" maxLength={500} {...wiring} />}
            </Field>
          )}
          <Field {...of('reason')} label={t('close.reason')} hint={t('close.reasonHint')}>
            {(wiring) => (
              <textarea
                class="input"
                rows={3}
                maxLength={4000}
                aria-required={outcome === 'answered' ? undefined : 'true'}
                {...wiring}
              />
            )}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
