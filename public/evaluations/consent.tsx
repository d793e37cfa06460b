import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { dateBefore, longDay, moment } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog, useForm } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
import type { FurtherUse } from './types.js';
import './evaluations.css';

/**
 * Shows what is inside once the works council's consent is on record; until then says why not, and what next. `head`
 * stands above that where what is inside brings its own.
 */
export function WithConsent({ head, children }: { head?: ComponentChildren; children: ComponentChildren }) {
  const user = useUser();
  const uses = useLoaded('further-uses', (signal) => ask<{ items: FurtherUse[] }>('/further-uses', { signal }));
  if (uses.state !== 'ready') {
    return (
      <>
        {head}
        {uses.state === 'failed' ? <Failure problem={uses.problem} again={uses.again} /> : <Bones count={4} />}
      </>
    );
  }
  const use = uses.value.items.find((each) => each.use === 'evaluation');
  const administrator = user.role === 'administrator';
  if (!use?.on) {
    return (
      <>
        {head}
        <div class="panel">
          <State icon="hold" title={t('evaluations.off')}>
            <p>{t('evaluations.offWhy')}</p>
            {!administrator && <p>{t('evaluations.offNext')}</p>}
          </State>
          {administrator && <ConsentForm done={uses.again} />}
        </div>
      </>
    );
  }
  return (
    <>
      {administrator && <Recorded use={use} changed={uses.again} />}
      {children}
    </>
  );
}

function ConsentForm({ done }: { done: () => void }) {
  const form = useForm({
    prefix: 'consent-',
    fields: ['date', 'reference', 'explanation', 'consent'],
    check: (read) => ({
      ...(read('date') === '' ? { date: t('consent.dateMissing') } : {}),
      ...(read('reference') === '' ? { reference: t('consent.referenceMissing') } : {}),
      ...(read('explanation') === '' ? { explanation: t('consent.explanationMissing') } : {}),
    }),
    send: async (read) => {
      const consent = { date: read('date'), reference: read('reference') };
      await ask('/further-uses/evaluation', { method: 'PUT', body: { consent, explanation: read('explanation') } });
      say(t('consent.saved'));
      done();
    },
  });
  return (
    <form
      class="form consent-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(event.currentTarget);
      }}
    >
      <h2>{t('consent.title')}</h2>
      {form.summary}
      <div class="pair">
        <Field {...form.of('date')} label={t('consent.date')}>
          {(wiring) => <input class="input" type="date" max={dateBefore(0)} aria-required="true" {...wiring} />}
        </Field>
        <Field {...form.of('reference')} label={t('consent.reference')}>
          {(wiring) => <input class="input" maxLength={200} autocomplete="off" aria-required="true" {...wiring} />}
        </Field>
      </div>
      <Field {...form.of('explanation')} label={t('consent.explanation')} hint={t('consent.explanationHint')}>
        {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
      </Field>
      <div class="actions">
        <button type="submit" class="button primary">
          {t('consent.save')}
        </button>
      </div>
    </form>
  );
}

function Recorded({ use, changed }: { use: FurtherUse; changed: () => void }) {
  const [ending, setEnding] = useState(false);
  const { act } = use;
  return (
    <div class="notice ok">
      <Icon name="ok" />
      <div>
        <strong>{t('evaluations.on')}</strong>
        {act?.consent && (
          <p>
            {t('evaluations.onSince', {
              date: longDay(act.consent.date),
              reference: act.consent.reference,
              name: act.switchedOnBy.name,
              when: moment(act.switchedOnAt),
            })}
          </p>
        )}
        <div class="actions">
          <button type="button" class="button small" onClick={() => setEnding(true)}>
            {t('consent.end')}
          </button>
        </div>
      </div>
      {ending && (
        <FormDialog
          title={t('consent.endTitle')}
          label={t('consent.end')}
          danger
          prefix="end-"
          fields={['reason']}
          check={(read) => (read('reason') === '' ? { reason: t('evaluation.reasonMissing') } : {})}
          send={async (read) => {
            await ask('/further-uses/evaluation/end', { method: 'POST', body: { reason: read('reason') } });
            say(t('consent.ended'));
            setEnding(false);
            changed();
          }}
          close={() => setEnding(false)}
        >
          {(of) => (
            <Field {...of('reason')} label={t('consent.endReason')}>
              {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
            </Field>
          )}
        </FormDialog>
      )}
    </div>
  );
}
