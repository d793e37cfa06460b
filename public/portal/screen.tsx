import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiProblem, ask } from '../api/client.js';
import { longDay } from '../format.js';
import { language, t } from '../i18n.js';
import { Field, type Faults } from '../parts/field.js';
import { type Read, useForm, WrongField } from '../parts/form.js';
import { Icon, Mark } from '../parts/icon.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import { LanguageSwitch, ThemeSwitch } from '../shell/switches.js';
import './portal.css';

interface Portal {
  controller: string;
  address: string;
  privacyEmail: string;
  rights: readonly Right[];
}

interface Receipt {
  receipt: string;
  dueAt: string;
}

const kinds = ['person', 'representative', 'parent', 'employee'] as const;
type Kind = (typeof kinds)[number];
type Right = 'access' | 'rectification' | 'erasure' | 'restriction' | 'portability' | 'objection';

/** The public form by which anybody asks for their rights. It tells nothing of what is held, before or after. */
export function PrivacyPortal() {
  const loaded = useLoaded('portal', (signal) => ask<Portal>('/privacy-portal', { signal }));
  const [received, setReceived] = useState<Receipt | undefined>();
  useEffect(() => {
    document.title = `${t('portal.title')} · Opname`;
  }, [language.value]);
  const off = loaded.state === 'failed' && loaded.problem.status === 404;
  return (
    <div class="entrance portal">
      <header class="header">
        <LanguageSwitch />
        <ThemeSwitch />
      </header>
      <main>
        <div class="card">
          <span class="brand">
            <Mark />
            {loaded.state === 'ready' && loaded.value.controller !== '' ? loaded.value.controller : 'Opname'}
          </span>
          <h1>{t('portal.title')}</h1>
          {loaded.state === 'loading' && <Bones count={6} />}
          {off && (
            <State icon="mail" title={t('portal.off')}>
              <p>{t('portal.offWhy')}</p>
            </State>
          )}
          {loaded.state === 'failed' && !off && <Failure problem={loaded.problem} again={loaded.again} />}
          {loaded.state === 'ready' &&
            (received ? (
              <Received portal={loaded.value} received={received} />
            ) : (
              <Form portal={loaded.value} done={setReceived} />
            ))}
        </div>
      </main>
    </div>
  );
}

/** What happens now, and what to quote. The same whatever is held. */
function Received({ portal, received }: { portal: Portal; received: Receipt }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div class="form">
      <h2 ref={heading} tabIndex={-1}>
        {t('portal.received')}
      </h2>
      <dl class="receipt">
        <dt>{t('portal.receipt')}</dt>
        <dd>
          <code>{received.receipt}</code>
        </dd>
        <dt>{t('portal.due')}</dt>
        <dd>{longDay(received.dueAt)}</dd>
      </dl>
      <p>{t('portal.next')}</p>
      {portal.privacyEmail !== '' && <p>{t('portal.contact', { email: portal.privacyEmail })}</p>}
    </div>
  );
}

function Form({ portal, done }: { portal: Portal; done: (received: Receipt) => void }) {
  const [kind, setKind] = useState<Kind>('person');
  const behalf = kind === 'representative' || kind === 'parent';
  const form = useForm({
    prefix: 'portal-',
    fields: ['name', 'email', 'phone', 'address', 'rights', 'repName', 'repEmail', 'details'],
    check: (read) => faultsIn(read, portal.rights, behalf),
    send: async (read) => {
      try {
        done(await ask<Receipt>('/privacy-portal', { method: 'POST', body: bodyOf(read, portal.rights, kind) }));
        window.scrollTo({ top: 0 });
      } catch (error) {
        throw error instanceof ApiProblem ? inWords(error, behalf) : error;
      }
    },
  });
  return (
    <form
      class="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(event.currentTarget);
      }}
    >
      <p>{t('portal.lead')}</p>
      <p class="muted">{t('portal.promise')}</p>
      {form.summary}
      <fieldset class="form" id={form.of('rights').name} tabIndex={-1}>
        <legend>{t('portal.rights')}</legend>
        {portal.rights.map((right) => (
          <label key={right} class="check">
            <input type="checkbox" name={`portal-right-${right}`} />
            <span>
              {t(`portal.${right}`)}
              <small>{t(`portal.${right}.hint`)}</small>
            </span>
          </label>
        ))}
        {form.of('rights').fault && (
          <span class="fault">
            <Icon name="error" />
            {form.of('rights').fault}
          </span>
        )}
      </fieldset>
      <Field {...form.of('kind')} label={t('portal.kind')}>
        {(wiring) => (
          <select class="input" value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)} {...wiring}>
            {kinds.map((each) => (
              <option key={each} value={each}>
                {t(`portal.kind.${each}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {behalf && (
        <fieldset class="form">
          <legend>{t('portal.you')}</legend>
          <p class="muted">{t('portal.mandate')}</p>
          <Field {...form.of('repName')} label={t('portal.yourName')}>
            {(wiring) => <input class="input" autocomplete="name" maxLength={200} aria-required="true" {...wiring} />}
          </Field>
          <Field {...form.of('repEmail')} label={t('portal.yourEmail')}>
            {(wiring) => <input class="input" type="email" autocomplete="email" aria-required="true" {...wiring} />}
          </Field>
        </fieldset>
      )}
      <fieldset class="form">
        <legend>{t(behalf ? 'portal.them' : 'portal.you')}</legend>
        <Field {...form.of('name')} label={t('portal.name')}>
          {(wiring) => (
            <input class="input" autocomplete={behalf ? 'off' : 'name'} maxLength={200} aria-required="true" {...wiring} />
          )}
        </Field>
        <Field {...form.of('email')} label={t('portal.email')} hint={t('portal.emailHint')}>
          {(wiring) => <input class="input" type="email" autocomplete={behalf ? 'off' : 'email'} {...wiring} />}
        </Field>
        <Field {...form.of('phone')} label={t('portal.phone')} hint={t('portal.phoneHint')}>
          {(wiring) => (
            <input class="input" type="tel" autocomplete={behalf ? 'off' : 'tel'} maxLength={40} {...wiring} />
          )}
        </Field>
        <Field {...form.of('organisation')} label={t('portal.organisation')}>
          {(wiring) => <input class="input" autocomplete="off" maxLength={200} {...wiring} />}
        </Field>
        <Field {...form.of('address')} label={t('portal.address')} hint={t('portal.addressHint')}>
          {(wiring) => <textarea class="input" rows={3} maxLength={1000} {...wiring} />}
        </Field>
      </fieldset>
      <Field {...form.of('details')} label={t('portal.details')} hint={t('portal.detailsHint')}>
        {(wiring) => <textarea class="input" rows={5} maxLength={5000} {...wiring} />}
      </Field>
      {/* For programs that fill in all they find: people, and screen readers, do not meet it. */}
      <div class="trap" aria-hidden="true">
        <input name="portal-website" tabIndex={-1} autocomplete="off" />
      </div>
      <p class="muted">{t('portal.use')}</p>
      <button type="submit" class="button primary">
        {t('portal.send')}
      </button>
    </form>
  );
}

const chosen = (read: Read, rights: readonly Right[]) => rights.filter((right) => read(`right-${right}`) === 'on');

function faultsIn(read: Read, rights: readonly Right[], behalf: boolean): Faults {
  const unreachable = !behalf && ['email', 'phone', 'address'].every((field) => read(field) === '');
  return {
    ...(chosen(read, rights).length === 0 ? { rights: t('portal.rightsMissing') } : {}),
    ...(behalf && read('repName') === '' ? { repName: t('portal.nameMissing') } : {}),
    ...(behalf && read('repEmail') === '' ? { repEmail: t('portal.reachMissing') } : {}),
    ...(read('name') === '' ? { name: t('portal.nameMissing') } : {}),
    ...(unreachable ? { email: t('portal.reachMissing') } : {}),
  };
}

/** The service speaks to programs; a person reads this. */
function inWords(problem: ApiProblem, behalf: boolean): Error {
  const paths = problem.faults.map(({ path }) => path);
  if (problem.status === 429) return new WrongField('rights', t('portal.tooMany'));
  if (paths.includes('phone')) return new WrongField('phone', t('portal.phoneWrong'));
  if (paths.includes('representative.email')) return new WrongField('repEmail', t('portal.emailWrong'));
  if (paths.includes('email')) return new WrongField(behalf ? 'repEmail' : 'email', t('portal.emailWrong'));
  return problem;
}

function bodyOf(read: Read, rights: readonly Right[], kind: Kind): Record<string, unknown> {
  const behalf = kind === 'representative' || kind === 'parent';
  return {
    name: read('name'),
    email: read('email') || null,
    phone: read('phone') || null,
    address: read('address') || null,
    organisation: read('organisation') || null,
    rights: chosen(read, rights),
    details: read('details') || null,
    requesterKind: kind,
    representative: behalf ? { name: read('repName'), email: read('repEmail') } : null,
    locale: language.value,
    website: read('website'),
  };
}
