import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { longDay, moment } from '../format.js';
import { t, textOf } from '../i18n.js';
import { Fact } from '../parts/fact.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { asProblem, problemText } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { Left } from './due.js';
import { handedOut } from './stepper.js';
import type { PartProps, RequestFile } from './types.js';

/** The period: the date that counts, the one it began with, and the acts that move it. */
export function Clock({ file, officer, nameOf, changed }: PartProps) {
  const [act, setAct] = useState<'extend' | 'pause' | undefined>();
  const { clock, dueAt, paused, extended } = file;
  const path = `/privacy-requests/${file.id}`;
  const moved = clock.originalDueAt !== dueAt;
  const mayExtend = officer && !extended && handedOut(file) === undefined;
  const mayPause = officer && !paused && file.state !== 'draft' && file.state !== 'answer';
  const late = Date.now() > Date.parse(clock.firstMonthEndsAt);
  async function resume() {
    try {
      changed(await ask<RequestFile>(`${path}/resume`, { method: 'POST' }), t('clock.resumedNow'));
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  }
  return (
    <section class="panel" aria-labelledby="clock-title">
      <h2 id="clock-title">{t('clock.title')}</h2>
      <dl class="details">
        <Fact name={t('privacy.due')}>
          <strong class="due">{longDay(dueAt)}</strong>
          <span class="line">
            <Left request={file} plain />
          </span>
        </Fact>
        {moved && <Fact name={t('facts.original')}>{longDay(clock.originalDueAt)}</Fact>}
        {mayExtend && <Fact name={t('facts.firstMonth')}>{longDay(clock.firstMonthEndsAt)}</Fact>}
        {clock.extension && (
          <Fact name={t('facts.extension')}>
            {moment(clock.extension.at)}, {nameOf(clock.extension.by)}
            {clock.extension.late && <span class="line late">{t('facts.extensionLate')}</span>}
            <span class="line muted">{clock.extension.reason}</span>
          </Fact>
        )}
        {clock.pausedDays > 0 && <Fact name={t('facts.pausedDays')}>{clock.pausedDays}</Fact>}
        {clock.pauses.map((pause) => (
          <Fact key={pause.pausedAt} name={textOf(`clock.ground.${pause.ground}`) ?? pause.ground}>
            {longDay(pause.pausedAt)} – {pause.resumedAt ? longDay(pause.resumedAt) : '…'}
            <span class="line muted">{pause.reason}</span>
          </Fact>
        ))}
      </dl>
      {clock.warnings.includes('received_in_future') && <p class="late clock-warning">{t('facts.inFuture')}</p>}
      {clock.warnings.includes('refusal_late') && <p class="late clock-warning">{t('facts.refusalLate')}</p>}
      {(mayExtend || mayPause || (officer && paused)) && (
        <div class="actions facts-acts">
          {mayExtend && (
            <button type="button" class="button small" onClick={() => setAct('extend')}>
              {t('clock.extend')}
            </button>
          )}
          {mayPause && (
            <button type="button" class="button small" onClick={() => setAct('pause')}>
              {t('clock.pause')}
            </button>
          )}
          {officer && paused && (
            <button type="button" class="button small primary" onClick={() => void resume()}>
              {t('clock.resume')}
            </button>
          )}
        </div>
      )}
      {act !== undefined && (
        <FormDialog
          title={t(`clock.${act}Title`)}
          label={t(`clock.${act}`)}
          prefix="clock-"
          fields={['reason', 'ground']}
          check={(read) => (read('reason') === '' ? { reason: t('clock.reasonMissing') } : {})}
          send={async (read) => {
            const ground = read('ground') || undefined;
            const body = { reason: read('reason'), ...(act === 'pause' ? { ground } : {}) };
            const next = await ask<RequestFile>(`${path}/${act}`, { method: 'POST', body });
            setAct(undefined);
            changed(next, t(act === 'extend' ? 'clock.extendedNow' : 'clock.pausedNow'));
          }}
          close={() => setAct(undefined)}
        >
          {(of) => (
            <>
              <p class="muted">
                {act === 'extend'
                  ? t('clock.extendWhy', { date: longDay(clock.firstMonthEndsAt) })
                  : t('clock.pauseWhy')}
              </p>
              {act === 'extend' && late && <p class="late">{t('clock.extendLate')}</p>}
              {act === 'pause' && (
                <Field {...of('ground')} label={t('clock.ground')}>
                  {(wiring) => (
                    <select class="input" {...wiring}>
                      {(file.identity.verifiedAt === null
                        ? (['identity', 'clarification'] as const)
                        : (['clarification'] as const)
                      ).map((ground) => (
                        <option key={ground} value={ground}>
                          {t(`clock.ground.${ground}`)}
                        </option>
                      ))}
                    </select>
                  )}
                </Field>
              )}
              <Field {...of('reason')} label={t('clock.reason')}>
                {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
              </Field>
            </>
          )}
        </FormDialog>
      )}
    </section>
  );
}
