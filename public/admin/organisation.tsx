import { useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Organisation } from '../api/types.js';
import { t } from '../i18n.js';
import { FaultSummary, Field, type Faults } from '../parts/field.js';
import { PageHead } from '../parts/heading.js';
import { asProblem, Bones, Failure, useLoaded } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { ExcludedNumbers } from './excluded.js';
import { faultsOf } from './faults.js';
import './admin.css';

/** Who is responsible, which numbers are its own, and the days on which no period ends. */
export function OrganisationScreen() {
  const found = useLoaded('organisation', (signal) => ask<Organisation>('/organisation', { signal }));
  return (
    <>
      <PageHead title={t('organisation.title')} lead={t('organisation.lead')} />
      {found.state === 'failed' && <Failure problem={found.problem} again={found.again} />}
      {found.state === 'loading' && <Bones count={6} />}
      {found.state === 'ready' && <OrganisationForm known={found.value} saved={found.again} />}
      <ExcludedNumbers />
    </>
  );
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

function OrganisationForm({ known, saved }: { known: Organisation; saved: () => void }) {
  const [faults, setFaults] = useState<Faults>({});
  const [round, setRound] = useState(0);
  const busy = useRef(false);

  async function submit(form: HTMLFormElement) {
    if (busy.current) return;
    const data = new FormData(form);
    const read = (name: string) => String(data.get(name) ?? '').trim();
    const wrong: Faults = read('controller') === '' ? { controller: t('organisation.controllerMissing') } : {};
    setFaults(wrong);
    setRound(round + 1);
    if (Object.keys(wrong).length > 0) return;
    busy.current = true;
    try {
      const body = {
        version: known.version,
        controller: read('controller'),
        address: read('address'),
        privacyEmail: read('privacyEmail'),
        ownNumbers: lines(read('ownNumbers')),
        holidays: lines(read('holidays')),
      };
      await ask('/organisation', { method: 'PUT', body });
      say(t('organisation.saved'));
      saved();
    } catch (error) {
      setFaults(faultsOf(asProblem(error), ['controller', 'address', 'privacyEmail', 'ownNumbers', 'holidays']));
      setRound(round + 1);
    } finally {
      busy.current = false;
    }
  }

  return (
    <form
      class="form panel settings"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      <FaultSummary faults={faults} round={round} />
      <Field name="controller" label={t('organisation.controller')} fault={faults['controller']}>
        {(wiring) => <input class="input" aria-required="true" defaultValue={known.controller} {...wiring} />}
      </Field>
      <Field name="address" label={t('organisation.address')} fault={faults['address']}>
        {(wiring) => <textarea class="input" rows={3} defaultValue={known.address} {...wiring} />}
      </Field>
      <Field name="privacyEmail" label={t('organisation.privacyEmail')} fault={faults['privacyEmail']}>
        {(wiring) => <input class="input" type="email" defaultValue={known.privacyEmail} {...wiring} />}
      </Field>
      <div class="pair">
        <Field
          name="ownNumbers"
          label={t('organisation.ownNumbers')}
          hint={t('organisation.ownNumbersHint')}
          fault={faults['ownNumbers']}
        >
          {(wiring) => <textarea class="input" rows={5} defaultValue={known.ownNumbers.join('\n')} {...wiring} />}
        </Field>
        <Field
          name="holidays"
          label={t('organisation.holidays')}
          hint={t('organisation.holidaysHint')}
          fault={faults['holidays']}
        >
          {(wiring) => <textarea class="input" rows={5} defaultValue={known.holidays.join('\n')} {...wiring} />}
        </Field>
      </div>
      <div class="actions">
        <button type="submit" class="button primary">
          {t('form.save')}
        </button>
      </div>
    </form>
  );
}
