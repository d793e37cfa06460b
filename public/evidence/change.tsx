import { ask } from '../api/client.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { say } from '../shell/toast.js';
import type { MarkedAgreement } from './types.js';
import { checkWording, readWording, WordingFields } from './wording.js';

interface Props {
  agreement: MarkedAgreement;
  close: () => void;
  done: () => void;
}

/** Corrects an agreement; the old wording stays on record. */
export function Correct({ agreement, close, done }: Props) {
  const { id, revision, parties, ...known } = agreement;
  const asksParties = parties !== null;
  return (
    <FormDialog
      title={t('agreement.correctTitle')}
      label={t('agreement.correct')}
      prefix="correct-"
      fields={['reason', 'startMs', 'endMs', 'summary', 'parties', 'ticket']}
      check={(read) => ({
        ...checkWording(read, asksParties),
        ...(read('reason') === '' ? { reason: t('agreement.reasonMissing') } : {}),
      })}
      send={async (read) => {
        const { startMs, endMs, ...words } = readWording(read, asksParties);
        // A field shows whole seconds: an unchanged one keeps its milliseconds.
        const moved = startMs !== floor(known.startMs) || endMs !== floor(known.endMs);
        const body = { ...words, ...(moved ? { startMs, endMs } : {}), reason: read('reason'), revision };
        await ask(`/agreements/${id}`, { method: 'PATCH', body });
        say(t('agreement.corrected'));
        done();
      }}
      close={close}
    >
      {(of) => (
        <>
          <p class="muted">{t('agreement.correctWhy')}</p>
          <WordingFields of={of} known={{ ...known, parties: parties ?? undefined }} />
          <Field {...of('reason')} label={t('agreement.reason')}>
            {(wiring) => <textarea class="input" rows={2} maxLength={2000} aria-required="true" {...wiring} />}
          </Field>
        </>
      )}
    </FormDialog>
  );
}

const floor = (ms: number) => Math.floor(ms / 1000) * 1000;

/** Withdraws an agreement that was marked by mistake. */
export function Withdraw({ agreement, close, done }: Props) {
  return (
    <FormDialog
      title={t('agreement.withdrawTitle')}
      label={t('agreement.withdraw')}
      danger
      prefix="withdraw-"
      fields={['reason']}
      check={(read) => (read('reason') === '' ? { reason: t('agreement.reasonMissing') } : {})}
      send={async (read) => {
        await ask(`/agreements/${agreement.id}/withdraw`, { method: 'POST', body: { reason: read('reason') } });
        say(t('agreement.withdrawnNow'));
        done();
      }}
      close={close}
    >
      {(of) => (
        <>
          <p class="muted">{t('agreement.withdrawWhy')}</p>
          <Field {...of('reason')} label={t('agreement.reason')}>
            {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
