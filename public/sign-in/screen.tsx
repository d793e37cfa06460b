import { useRef, useState } from 'preact/hooks';
import { ApiProblem, ask } from '../api/client.js';
import { plural, t } from '../i18n.js';
import { FaultSummary, Field, type Faults } from '../parts/field.js';
import { Icon, Mark } from '../parts/icon.js';
import { problemText, useLoaded } from '../parts/state.js';
import { place } from '../shell/router.js';
import { signIn } from '../shell/session.js';
import { LanguageSwitch, ThemeSwitch } from '../shell/switches.js';

interface Ways {
  identityProvider: { host: string; href: string } | null;
}

const ssoFaults = ['cancelled', 'unreachable', 'failed', 'unknown'] as const;
const faultOf = (told: string | null) => ssoFaults.find((fault) => fault === told);

/** One card. Paste and password managers work; a refusal never says which part was wrong. */
export function SignIn({ expired }: { expired: boolean }) {
  const [faults, setFaults] = useState<Faults>({});
  const [refusal, setRefusal] = useState<ApiProblem | undefined>();
  const [round, setRound] = useState(0);
  const busy = useRef(false);
  const fault = faultOf(place.value.query.get('sign-in'));
  const ways = useLoaded('ways to sign in', (signal) => ask<Ways>('/session/ways', { signal }));
  const provider = ways.state === 'ready' ? ways.value.identityProvider : null;
  const to = place.value.query.has('sign-in') ? '/' : location.pathname + location.search;
  document.title = `${t('signIn.title')} · Opname`;

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    if (busy.current || !(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    const read = (name: string) => String(form.get(name) ?? '');
    const email = read('email').trim();
    const wrong: Faults = {};
    if (email === '') wrong['email'] = t('signIn.emailMissing');
    if (read('password') === '') wrong['password'] = t('signIn.passwordMissing');
    setFaults(wrong);
    setRefusal(undefined);
    setRound(round + 1);
    if (Object.keys(wrong).length > 0) return;
    busy.current = true;
    try {
      await signIn(email, read('password'), read('code').replace(/\s/g, ''));
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setRefusal(error);
      if (error.document['codeRequired'] === true) document.getElementById('code')?.focus();
    } finally {
      busy.current = false;
    }
  }

  return (
    <div class="entrance">
      <header class="header">
        <LanguageSwitch />
        <ThemeSwitch />
      </header>
      <main>
        <div class="card">
          <span class="brand">
            <Mark />
            Opname
          </span>
          <h1>{t('signIn.title')}</h1>
          <form class="form" noValidate onSubmit={(event) => void submit(event)}>
            {fault && !refusal && <Notice tone="error" text={t(`signIn.fault.${fault}`)} />}
            {expired && !refusal && <Notice tone="warn" text={t('signIn.expired')} />}
            {refusal && <Notice tone="error" text={refusalText(refusal)} />}
            {provider && (
              <>
                <a class="button primary" href={`${provider.href}?${new URLSearchParams({ to }).toString()}`}>
                  {t('signIn.with', { host: provider.host })}
                </a>
                <p class="muted either">{t('signIn.or')}</p>
              </>
            )}
            <FaultSummary faults={faults} round={round} />
            <Field name="email" label={t('signIn.email')} fault={faults['email']}>
              {(wiring) => (
                <input class="input" type="email" autocomplete="username" aria-required="true" autoFocus {...wiring} />
              )}
            </Field>
            <Field name="password" label={t('signIn.password')} fault={faults['password']}>
              {(wiring) => (
                <input class="input" type="password" autocomplete="current-password" aria-required="true" {...wiring} />
              )}
            </Field>
            <Field name="code" label={t('signIn.code')} hint={t('signIn.codeHint')}>
              {(wiring) => (
                <input class="input" inputMode="numeric" autocomplete="one-time-code" maxLength={12} {...wiring} />
              )}
            </Field>
            <button type="submit" class={provider ? 'button' : 'button primary'}>
              {t('signIn.submit')}
            </button>
          </form>
        </div>
      </main>
    </div>
  );
}

function Notice({ tone, text }: { tone: 'warn' | 'error'; text: string }) {
  return (
    <div class={`notice ${tone}`} role="alert">
      <Icon name={tone === 'error' ? 'error' : 'clock'} />
      <div>{text}</div>
    </div>
  );
}

function refusalText(problem: ApiProblem): string {
  if (problem.status === 429) {
    const seconds = Number(problem.member('retryAfter'));
    if (seconds > 0) return plural('signIn.wait', Math.max(1, Math.ceil(seconds / 60)));
  }
  if (problem.document['codeRequired'] === true) return t('signIn.codeRequired');
  return problem.status === 401 ? t('signIn.refused') : problemText(problem);
}
