import { useState } from 'preact/hooks';
import { ApiProblem, ask } from '../api/client.js';
import { moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { useUser } from '../shell/user.js';
import { inOrder, type PartProps, type RequestFile } from './types.js';

/** Four eyes: how each right turned out, and another person who stands behind it. */
export function ApprovalPart({ file, officer, nameOf, changed }: PartProps) {
  const user = useUser();
  const [act, setAct] = useState<'approve' | 'back' | undefined>();
  const [overtaken, setOvertaken] = useState(false);
  const own = file.items.some(({ decisions }) => decisions.some(({ decidedBy }) => decidedBy === user.id));
  const waiting = file.state === 'approval' || (file.state === 'answer' && file.processes.some(({ state }) => state === 'decided'));
  const path = `/privacy-requests/${file.id}`;
  return (
    <section class={`panel padded part${waiting ? ' now' : ''}`} id="part-approval" aria-labelledby="approval-title">
      <h2 id="approval-title" tabIndex={-1}>
        {t('approve.title')}
      </h2>
      {waiting && <p class="muted">{t('approve.why')}</p>}
      <ul class="checks">
        {inOrder(file.processes).map(({ right, outcome, approvedBy, approvedAt, approvedAlone }) => (
          <li key={right}>
            <Badge icon={approvedAt ? 'ok' : 'clock'} tone={approvedAt ? 'ok' : 'neutral'} plain>
              {t(`right.${right}`)}
              {outcome && `: ${t(`outcome.${outcome}`)}`}
            </Badge>
            {approvedBy && approvedAt && (
              <span class="muted">
                {t('approve.by', { name: nameOf(approvedBy), when: moment(approvedAt) })}
                {approvedAlone && `, ${t('approve.alone')}`}
              </span>
            )}
          </li>
        ))}
      </ul>
      {file.erasuresWaiting > 0 && (
        <div class="notice">
          <Icon name="hold" />
          <div>{plural('approve.waiting', file.erasuresWaiting)}</div>
        </div>
      )}
      {overtaken && waiting && (
        <div class="notice warn" role="alert">
          <Icon name="warning" />
          <div>{t('approve.overtaken')}</div>
        </div>
      )}
      {waiting && officer && own && (
        <div class="notice warn">
          <Icon name="warning" />
          <div>{t('approve.own')}</div>
        </div>
      )}
      {officer && (
        <div class="actions">
          {waiting && (
            <button type="button" class={`button${own ? '' : ' primary'}`} onClick={() => setAct('approve')}>
              {t('approve.act')}
            </button>
          )}
          {file.state === 'answer' && !file.timeline.some(({ kind }) => kind.endsWith('_handed_out')) && (
            <button type="button" class="button" onClick={() => setAct('back')}>
              {t('approve.back')}
            </button>
          )}
        </div>
      )}
      {act === 'approve' && (
        <FormDialog
          title={t('approve.title')}
          label={t('approve.act')}
          prefix="approve-"
          fields={['reason', 'all']}
          send={async (read) => {
            const body = { reason: read('reason') || undefined, revision: file.revision };
            try {
              const next = await ask<RequestFile>(`${path}/approve`, { method: 'POST', body });
              setOvertaken(false);
              changed(next, t('approve.acted'));
            } catch (error) {
              if (!(error instanceof ApiProblem) || error.code !== 'changed-meanwhile') throw error;
              // What stands there now is shown, and has to be looked at before it can be approved.
              setOvertaken(true);
              changed(await ask<RequestFile>(path), t('approve.overtaken'));
            }
            setAct(undefined);
          }}
          close={() => setAct(undefined)}
        >
          {(of) => (
            <>
              <p id={own ? undefined : of('reason').name} tabIndex={-1}>
                {t('approve.why')}
              </p>
              {own && (
                <>
                  <p class="notice warn">
                    <Icon name="warning" />
                    <span>{t('approve.ownAnyway')}</span>
                  </p>
                  <Field {...of('reason')} label={t('approve.reason')}>
                    {(wiring) => <textarea class="input" rows={3} maxLength={2000} {...wiring} />}
                  </Field>
                </>
              )}
            </>
          )}
        </FormDialog>
      )}
      {act === 'back' && (
        <FormDialog
          title={t('approve.backTitle')}
          label={t('approve.back')}
          prefix="back-"
          fields={['reason']}
          check={(read) => (read('reason') === '' ? { reason: t('clock.reasonMissing') } : {})}
          send={async (read) => {
            const body = { reason: read('reason') };
            const next = await ask<RequestFile>(`${path}/send-back`, { method: 'POST', body });
            setAct(undefined);
            changed(next, t('approve.backed'));
          }}
          close={() => setAct(undefined)}
        >
          {(of) => (
            <Field {...of('reason')} label={t('approve.backReason')}>
              {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
            </Field>
          )}
        </FormDialog>
      )}
    </section>
  );
}
