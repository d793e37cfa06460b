import { useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { moment } from '../format.js';
import { t } from '../i18n.js';
import { FaultSummary, Field, type Faults } from '../parts/field.js';
import { Icon } from '../parts/icon.js';
import { asProblem, problemText } from '../parts/state.js';
import { refreshAccount } from '../shell/session.js';
import { say } from '../shell/toast.js';

/** Replaces one's own password; other sessions end. */
export function PasswordForm({ email, handedOut }: { email: string; handedOut: string | null }) {
  const [faults, setFaults] = useState<Faults>({});
  const [round, setRound] = useState(0);
  const busy = useRef(false);

  async function submit(form: HTMLFormElement) {
    if (busy.current) return;
    const data = new FormData(form);
    const read = (name: string) => String(data.get(name) ?? '');
    const wrong: Faults = {};
    if (read('currentPassword') === '') wrong['currentPassword'] = t('account.currentMissing');
    if (read('newPassword').length < 12) wrong['newPassword'] = t('users.passwordShort');
    setFaults(wrong);
    setRound(round + 1);
    if (Object.keys(wrong).length > 0) return;
    busy.current = true;
    try {
      const body = { currentPassword: read('currentPassword'), newPassword: read('newPassword') };
      await ask('/session/password', { method: 'PUT', body });
      form.reset();
      say(t('account.passwordChanged'));
      await refreshAccount();
    } catch (error) {
      const problem = asProblem(error);
      const field = problem.faults[0]?.path === 'newPassword' ? 'newPassword' : 'currentPassword';
      const words = problem.status === 422 || problem.status === 409 ? t('account.refused') : problemText(problem);
      setFaults({ [field]: words });
      setRound(round + 1);
    } finally {
      busy.current = false;
    }
  }

  return (
    <form
      class="form panel"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      <h2>{t('account.password')}</h2>
      {handedOut && (
        <div class="notice warn">
          <Icon name="key" />
          <div>{t('shell.handedOut', { when: moment(handedOut) })}</div>
        </div>
      )}
      <FaultSummary faults={faults} round={round} />
      {/* For password managers: whose password this is. */}
      <input type="email" name="email" autocomplete="username" value={email} readOnly hidden />
      <Field name="currentPassword" label={t('account.current')} fault={faults['currentPassword']}>
        {(wiring) => (
          <input class="input" type="password" autocomplete="current-password" aria-required="true" {...wiring} />
        )}
      </Field>
      <Field name="newPassword" label={t('account.new')} hint={t('account.newHint')} fault={faults['newPassword']}>
        {(wiring) => (
          <input class="input" type="password" autocomplete="new-password" aria-required="true" {...wiring} />
        )}
      </Field>
      <div class="actions">
        <button type="submit" class="button primary">
          {t('account.change')}
        </button>
      </div>
    </form>
  );
}
