import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { longDay, moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Fact } from '../parts/fact.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { PageHead } from '../parts/heading.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
import { ActForm } from './act-form.js';
import type { FurtherUse, UseAct } from './types.js';
import './further-uses.css';

/** Uses beyond training and evidence: which are on, by which act, and every act before it. */
export function FurtherUses() {
  const loaded = useLoaded('further-uses', (signal) => ask<{ items: FurtherUse[] }>('/further-uses', { signal }));
  return (
    <>
      <PageHead title={t('uses.title')} lead={t('uses.lead')} />
      {loaded.state === 'failed' && <Failure problem={loaded.problem} again={loaded.again} />}
      {loaded.state === 'loading' && <Bones count={6} />}
      {loaded.state === 'ready' &&
        loaded.value.items.map((use) => <Use key={use.use} use={use} changed={loaded.again} />)}
    </>
  );
}

function Use({ use, changed }: { use: FurtherUse; changed: () => void }) {
  const user = useUser();
  const [acting, setActing] = useState<'on' | 'off' | undefined>();
  const name = t(`use.${use.use}`);
  const heading = `use-title-${use.use}`;
  const done = () => {
    setActing(undefined);
    changed();
  };
  return (
    <section class="panel use" aria-labelledby={heading}>
      <div class="use-head">
        <h2 id={heading}>{name}</h2>
        <Badge icon={use.on ? 'ok' : 'restricted'} tone={use.on ? 'ok' : 'neutral'}>
          {t(use.on ? 'uses.on' : 'uses.off')}
        </Badge>
      </div>
      <p>{t(`use.what.${use.use}`)}</p>
      {use.act && <Act act={use.act} />}
      {user.role === 'administrator' && (
        <div class="actions">
          <button type="button" class={use.on ? 'button' : 'button primary'} onClick={() => setActing('on')}>
            {t(use.on ? 'use.replace' : 'use.switchOn')}
            <span class="unseen"> {name}</span>
          </button>
          {use.on && (
            <button type="button" class="button danger" onClick={() => setActing('off')}>
              {t('use.switchOff')}
              <span class="unseen"> {name}</span>
            </button>
          )}
        </div>
      )}
      {use.history.length > 0 && (
        <details>
          <summary>{plural('uses.history', use.history.length)}</summary>
          <ol class="use-history">
            {use.history.map((act) => (
              <li key={act.id}>
                <Act act={act} />
              </li>
            ))}
          </ol>
        </details>
      )}
      {acting === 'on' && <ActForm use={use} close={() => setActing(undefined)} done={done} />}
      {acting === 'off' && (
        <FormDialog
          title={t('use.offTitle', { use: name })}
          label={t('use.switchOff')}
          danger
          prefix="off-"
          fields={['reason']}
          check={(read) => (read('reason') === '' ? { reason: t('use.reasonMissing') } : {})}
          send={async (read) => {
            await ask(`/further-uses/${use.use}/end`, { method: 'POST', body: { reason: read('reason') } });
            say(t('use.switchedOff', { use: name }));
            done();
          }}
          close={() => setActing(undefined)}
        >
          {(of) => (
            <>
              <p>{t(`use.offWhat.${use.use}`)}</p>
              <Field {...of('reason')} label={t('use.reason')}>
                {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
              </Field>
            </>
          )}
        </FormDialog>
      )}
    </section>
  );
}

/** An act as it was recorded. */
function Act({ act }: { act: UseAct }) {
  const { consent, processor, purposes, endedAt, endedBy, endReason } = act;
  const facts: [name: string, value: ComponentChildren][] = [
    [t('use.ground'), t(`ground.${act.ground}`)],
    ...(consent
      ? [[t('use.consent'), t('use.consentOf', { date: longDay(consent.date), reference: consent.reference })] as const]
      : []),
    ...(purposes.length > 0
      ? [[t('use.purposes'), purposes.map((each) => t(`usePurpose.${each}`)).join(', ')] as const]
      : []),
    ...(processor ? [[t('use.processor'), `${processor.name}, ${processor.region}`] as const] : []),
    [t('use.recorded'), t('use.recordedBy', { name: act.switchedOnBy.name, when: moment(act.switchedOnAt) })],
    ...(endedAt !== null
      ? [
          [
            t('use.ended'),
            t('use.recordedBy', { name: endedBy?.name ?? t('value.unknown'), when: moment(endedAt) }),
          ] as const,
        ]
      : []),
    ...(endReason !== null
      ? [[t('use.endReason'), endReason === 'replaced by a newer act' ? t('use.replaced') : endReason] as const]
      : []),
  ].map(([name, value]) => [String(name), value]);
  return (
    <>
      <p class="use-explanation">{act.explanation}</p>
      <dl class="use-facts">
        {facts.map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      </dl>
    </>
  );
}
