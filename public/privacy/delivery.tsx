import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { longDay } from '../format.js';
import { t } from '../i18n.js';
import { CopyLine } from '../parts/copy-line.js';
import { Dialog } from '../parts/dialog.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import type { PartProps } from './types.js';

interface Delivery {
  url: string;
  code: string;
  expiresAt: string;
}

interface Props extends Pick<PartProps, 'file'> {
  close: () => void;
  /** An address was made: the timeline has more to tell. */
  made: () => void;
}

/** Makes a page from which the person fetches the package once. Its address and its code are shown once. */
export function DeliveryDialog({ file, close, made }: Props) {
  const [delivery, setDelivery] = useState<Delivery | undefined>();
  if (delivery === undefined)
    return (
      <FormDialog
        title={t('delivery.title')}
        label={t('delivery.make')}
        prefix="delivery-"
        fields={['days']}
        check={(read) => (/^([1-9]|[12]\d|30)$/.test(read('days')) ? {} : { days: t('delivery.daysWrong') })}
        send={async (read) => {
          const body = { days: Number(read('days')) };
          setDelivery(await ask<Delivery>(`/privacy-requests/${file.id}/deliveries`, { method: 'POST', body }));
          made();
        }}
        close={close}
      >
        {(of) => (
          <>
            <p class="muted">{t('delivery.why')}</p>
            <Field {...of('days')} label={t('delivery.days')}>
              {(wiring) => <input class="input few" inputmode="numeric" defaultValue="7" {...wiring} />}
            </Field>
          </>
        )}
      </FormDialog>
    );
  return (
    <Dialog title={t('delivery.title')} close={close}>
      <div class="form">
        <p>{t('delivery.once', { date: longDay(delivery.expiresAt) })}</p>
        <ToSend label={t('delivery.url')} value={delivery.url} hint={t('delivery.urlHint')} />
        <ToSend label={t('delivery.code')} value={delivery.code} hint={t('delivery.codeHint')} />
        <div class="actions">
          <button type="button" class="button primary" onClick={close}>
            {t('delivery.done')}
          </button>
        </div>
      </div>
    </Dialog>
  );
}

function ToSend({ label, value, hint }: { label: string; value: string; hint: string }) {
  return (
    <div class="field">
      <strong>{label}</strong>
      <span class="hint">{hint}</span>
      <CopyLine label={label} value={value} name={t('delivery.copyOf', { label })} />
    </div>
  );
}
