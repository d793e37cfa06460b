import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { MadeKey } from '../api/types.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { useForm } from '../parts/form.js';
import { PageHead } from '../parts/heading.js';
import { go } from '../shell/router.js';
import { handOver } from './handed.js';
import { vendorNames, vendors, type Vendor } from './lines.js';
import { Pulled } from './pulled.js';
import '../admin/admin.css';
import './connect.css';

export const vendorName = (vendor: Vendor) => (vendor === 'curl' ? t('connect.other') : vendorNames[vendor]);

/** The first half of connecting a PBX: which one, and how what comes of it is read. */
export function Connect() {
  const [vendor, setVendor] = useState<Vendor>('asterisk');
  const [asked, setAsked] = useState<string | undefined>();
  // A PBX that is asked has no key of ours, and becomes a source with its first answer: how it is read is set then.
  const isAsked = vendor === '3cx';
  const form = useForm({
    prefix: 'connect-',
    fields: ['name', 'timezone', 'channels'],
    check: (read) => ({
      ...(read('name') === '' ? { name: t('connect.nameMissing') } : {}),
      ...(!isAsked && read('timezone') === '' ? { timezone: t('sources.timezoneMissing') } : {}),
    }),
    async send(read) {
      const name = read('name');
      if (isAsked) {
        setAsked(name);
        return;
      }
      const channels = read('channels') === 'agent' ? ['agent', 'caller'] : ['caller', 'agent'];
      const body = { name, role: 'pbx', timezone: read('timezone'), channels };
      const made = await ask<MadeKey & { sourceId: string }>('/keys', { method: 'POST', body });
      handOver(made.sourceId, made.key);
      go(`/admin/connect/${made.sourceId}?pbx=${vendor}`, { replace: true });
    },
  });
  if (asked !== undefined) return <Pulled name={asked} />;
  return (
    <>
      <PageHead title={t('connect.title')} lead={t('connect.lead')} />
      <form
        class="form panel settings"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void form.submit(event.currentTarget);
        }}
      >
        {form.summary}
        <fieldset class="vendors">
          <legend>{t('connect.which')}</legend>
          <div>
            {vendors.map((each) => (
              <label key={each} class="vendor">
                <input
                  type="radio"
                  name="vendor"
                  value={each}
                  checked={vendor === each}
                  onChange={() => setVendor(each)}
                />
                <span>{vendorName(each)}</span>
              </label>
            ))}
          </div>
        </fieldset>
        <Field {...form.of('name')} label={t('connect.name')} hint={t('keysScreen.nameHint')}>
          {(wiring) => <input class="input" autocomplete="off" aria-required="true" {...wiring} />}
        </Field>
        {!isAsked && (
          <div class="pair">
            <Field {...form.of('timezone')} label={t('sources.timezone')} hint={t('sources.timezoneHint')}>
              {(wiring) => (
                <input
                  class="input"
                  autocomplete="off"
                  aria-required="true"
                  defaultValue="Europe/Amsterdam"
                  {...wiring}
                />
              )}
            </Field>
            <Field {...form.of('channels')} label={t('sources.channels')} hint={t('sources.channelsHint')}>
              {(wiring) => (
                <select class="input" {...wiring}>
                  <option value="caller">{t('sources.callerLeft')}</option>
                  <option value="agent">{t('sources.agentLeft')}</option>
                </select>
              )}
            </Field>
          </div>
        )}
        <div class="actions">
          <button type="submit" class="button primary">
            {t('connect.on')}
          </button>
          <a class="button" href="/admin/ingest">
            {t('dialog.cancel')}
          </a>
        </div>
      </form>
    </>
  );
}
