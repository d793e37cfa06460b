import { useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { MadeKey } from '../api/types.js';
import { t } from '../i18n.js';
import { Dialog } from '../parts/dialog.js';
import { FaultSummary, Field, type Faults } from '../parts/field.js';
import { asProblem } from '../parts/state.js';
import { faultsOf } from './faults.js';

/** Makes a key for a PBX or a helpdesk. */
export function KeyDialog({ close, made }: { close: () => void; made: (key: MadeKey) => void }) {
  const [faults, setFaults] = useState<Faults>({});
  const [round, setRound] = useState(0);
  const [role, setRole] = useState('pbx');
  const busy = useRef(false);

  async function submit(form: HTMLFormElement) {
    if (busy.current) return;
    const data = new FormData(form);
    const read = (name: string) => String(data.get(name) ?? '').trim();
    const wrong: Faults = read('name') === '' ? { name: t('keysScreen.nameMissing') } : {};
    setFaults(wrong);
    setRound(round + 1);
    if (Object.keys(wrong).length > 0) return;
    const pbx =
      role === 'pbx' ? { channels: read('channels') === 'agent' ? ['agent', 'caller'] : ['caller', 'agent'] } : {};
    const timezone = read('timezone');
    busy.current = true;
    try {
      const body = { name: read('name'), role, ...(timezone === '' ? {} : { timezone }), ...pbx };
      made(await ask<MadeKey>('/keys', { method: 'POST', body }));
    } catch (error) {
      setFaults(faultsOf(asProblem(error), ['name', 'role', 'timezone', 'channels']));
      setRound(round + 1);
    } finally {
      busy.current = false;
    }
  }

  return (
    <Dialog title={t('keysScreen.new')} close={close}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <FaultSummary faults={faults} round={round} />
        <Field name="name" label={t('keysScreen.name')} hint={t('keysScreen.nameHint')} fault={faults['name']}>
          {(wiring) => <input class="input" autocomplete="off" aria-required="true" {...wiring} />}
        </Field>
        <Field name="role" label={t('keysScreen.role')} fault={faults['role']}>
          {(wiring) => (
            <select class="input" {...wiring} onChange={(event) => setRole(event.currentTarget.value)}>
              <option value="pbx">{t('keyRole.pbx')}</option>
              <option value="helpdesk">{t('keyRole.helpdesk')}</option>
            </select>
          )}
        </Field>
        <div class="pair">
          <Field
            name="timezone"
            label={t('keysScreen.timezone')}
            hint={t('keysScreen.timezoneHint')}
            fault={faults['timezone']}
          >
            {(wiring) => <input class="input" autocomplete="off" defaultValue="Europe/Amsterdam" {...wiring} />}
          </Field>
          {role === 'pbx' && (
            <Field
              name="channels"
              label={t('keysScreen.channels')}
              hint={t('keysScreen.channelsHint')}
              fault={faults['channels']}
            >
              {(wiring) => (
                <select class="input" {...wiring}>
                  <option value="caller">{t('lane.caller')}</option>
                  <option value="agent">{t('lane.agent')}</option>
                </select>
              )}
            </Field>
          )}
        </div>
        <div class="actions">
          <button type="submit" class="button primary">
            {t('keysScreen.make')}
          </button>
          <button type="button" class="button" onClick={close}>
            {t('dialog.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
