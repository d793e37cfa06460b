import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { FaultSummary, Field, type Faults } from '../parts/field.js';
import { asProblem, problemText } from '../parts/state.js';
import { refreshAccount } from '../shell/session.js';
import { say } from '../shell/toast.js';

interface Beginning {
  secret: string;
  uri: string;
}

/** One-time codes from an authenticator app: set up, or done away with. */
export function SecondFactor({ on }: { on: boolean }) {
  const [beginning, setBeginning] = useState<Beginning | undefined>();
  const [faults, setFaults] = useState<Faults>({});
  const [round, setRound] = useState(0);
  const field = on ? 'factorPassword' : 'factorCode';

  async function attempt(work: () => Promise<void>) {
    try {
      await work();
      setFaults({});
    } catch (error) {
      const problem = asProblem(error);
      const told = problem.status === 429 || problem.status === 0 || problem.status >= 500;
      setFaults({ [field]: told ? problemText(problem) : t('account.factorRefused') });
      setRound(round + 1);
    }
  }
  const begin = () =>
    attempt(async () => setBeginning(await ask<Beginning>('/session/second-factor', { method: 'POST' })));
  const finish = (text: string) =>
    attempt(async () => {
      if (on) await ask('/session/second-factor', { method: 'DELETE', body: { password: text } });
      else await ask('/session/second-factor', { method: 'PUT', body: { code: text.replace(/\s/g, '') } });
      setBeginning(undefined);
      say(t(on ? 'account.factorOff' : 'account.factorOn'));
      await refreshAccount();
    });

  return (
    <form
      class="form panel"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!on && !beginning) void begin();
        else void finish(String(new FormData(event.currentTarget).get(field) ?? ''));
      }}
    >
      <h2>{t('account.factor')}</h2>
      <div class="actions">
        <Badge icon={on ? 'ok' : 'info'} tone={on ? 'ok' : 'neutral'}>
          {t(on ? 'account.factorIsOn' : 'account.factorIsOff')}
        </Badge>
      </div>
      <p class="muted">{t('account.factorWhy')}</p>
      <FaultSummary faults={faults} round={round} />
      {!on && beginning && (
        <>
          <p>{t('account.factorSecret')}</p>
          <p>
            <code class="secret">{beginning.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>
          </p>
          <p>
            <a href={beginning.uri}>{t('account.factorOpen')}</a>
          </p>
          <Field name="factorCode" label={t('signIn.code')} fault={faults['factorCode']}>
            {(wiring) => (
              <input class="input" inputMode="numeric" autocomplete="one-time-code" maxLength={7} {...wiring} />
            )}
          </Field>
        </>
      )}
      {on && (
        <Field
          name="factorPassword"
          label={t('signIn.password')}
          hint={t('account.factorPasswordHint')}
          fault={faults['factorPassword']}
        >
          {(wiring) => <input class="input" type="password" autocomplete="current-password" {...wiring} />}
        </Field>
      )}
      <div class="actions">
        <button type="submit" class={on ? 'button danger' : 'button primary'}>
          {t(on ? 'account.factorRemove' : beginning ? 'account.factorConfirm' : 'account.factorBegin')}
        </button>
      </div>
    </form>
  );
}
