import { useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Account, Role } from '../api/types.js';
import { t } from '../i18n.js';
import { Dialog } from '../parts/dialog.js';
import { FaultSummary, Field, type Faults } from '../parts/field.js';
import { Icon } from '../parts/icon.js';
import { asProblem } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { faultsOf } from './faults.js';

const roles: Role[] = ['trainer', 'agent', 'privacy_officer', 'auditor', 'administrator'];

interface Props {
  /** The person to change; undefined makes a new one. */
  account: Account | undefined;
  isMe: boolean;
  close: () => void;
  saved: () => void;
  /** A new password was made, to be shown once. */
  handedOut: (account: Account, password: string, expiresAt: string) => void;
}

/** Makes or changes a person. */
export function UserDialog({ account, isMe, close, saved, handedOut }: Props) {
  const [faults, setFaults] = useState<Faults>({});
  const [round, setRound] = useState(0);
  const busy = useRef(false);

  async function submit(form: HTMLFormElement) {
    if (busy.current) return;
    const data = new FormData(form);
    const read = (name: string) => String(data.get(name) ?? '').trim();
    const wrong: Faults = {};
    if (read('name') === '') wrong['name'] = t('users.nameMissing');
    if (!account && !/^\S+@\S+\.\S+$/.test(read('email'))) wrong['email'] = t('users.emailWrong');
    if (!account && read('password').length < 12) wrong['password'] = t('users.passwordShort');
    setFaults(wrong);
    setRound(round + 1);
    if (Object.keys(wrong).length > 0) return;
    const common = {
      name: read('name'),
      locale: read('locale'),
      extensions: read('extensions')
        .split(/[\s,;]+/)
        .filter(Boolean),
      ...(isMe ? {} : { role: read('role') }),
    };
    busy.current = true;
    try {
      if (account) await ask(`/users/${account.id}`, { method: 'PATCH', body: common });
      else
        await ask('/users', { method: 'POST', body: { ...common, email: read('email'), password: read('password') } });
      say(t('users.saved', { name: common.name }));
      saved();
    } catch (error) {
      setFaults(faultsOf(asProblem(error), ['name', 'email', 'password', 'role', 'extensions', 'locale']));
      setRound(round + 1);
    } finally {
      busy.current = false;
    }
  }

  const fail = (error: unknown) => {
    setFaults(faultsOf(asProblem(error), ['name']));
    setRound((before) => before + 1);
  };
  async function reset(of: Account) {
    try {
      const made = await ask<{ password: string; expiresAt: string }>(`/users/${of.id}/password`, { method: 'POST' });
      handedOut(of, made.password, made.expiresAt);
    } catch (error) {
      fail(error);
    }
  }
  async function removeFactor(of: Account) {
    try {
      await ask(`/users/${of.id}/second-factor`, { method: 'DELETE' });
      say(t('users.noFactorNow', { name: of.name }));
      saved();
    } catch (error) {
      fail(error);
    }
  }

  async function unbind(of: Account) {
    try {
      await ask(`/users/${of.id}/identity`, { method: 'DELETE' });
      say(t('users.unboundNow', { name: of.name }));
      saved();
    } catch (error) {
      fail(error);
    }
  }

  return (
    <Dialog title={account ? t('users.editOf', { name: account.name }) : t('users.new')} close={close}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <FaultSummary faults={faults} round={round} />
        <Field name="name" label={t('users.name')} fault={faults['name']}>
          {(wiring) => (
            <input
              class="input"
              autocomplete="off"
              aria-required="true"
              defaultValue={account?.name ?? ''}
              {...wiring}
            />
          )}
        </Field>
        {!account && (
          <>
            <Field name="email" label={t('users.email')} fault={faults['email']}>
              {(wiring) => <input class="input" type="email" autocomplete="off" aria-required="true" {...wiring} />}
            </Field>
            <Field
              name="password"
              label={t('users.password')}
              hint={t('users.passwordHint')}
              fault={faults['password']}
            >
              {(wiring) => (
                <input class="input" type="password" autocomplete="new-password" aria-required="true" {...wiring} />
              )}
            </Field>
          </>
        )}
        <div class="pair">
          {isMe ? (
            <p class="muted">{t('users.ownRole')}</p>
          ) : (
            <Field name="role" label={t('users.role')} fault={faults['role']}>
              {(wiring) => (
                <select class="input" {...wiring}>
                  {roles.map((role) => (
                    <option key={role} value={role} selected={role === (account?.role ?? 'trainer')}>
                      {t(`role.${role}`)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          )}
          <Field name="locale" label={t('users.locale')} fault={faults['locale']}>
            {(wiring) => (
              <select class="input" {...wiring}>
                <option value="nl" selected={account?.locale !== 'en'}>
                  Nederlands
                </option>
                <option value="en" selected={account?.locale === 'en'}>
                  English
                </option>
              </select>
            )}
          </Field>
        </div>
        <Field
          name="extensions"
          label={t('users.extensions')}
          hint={t('users.extensionsHint')}
          fault={faults['extensions']}
        >
          {(wiring) => (
            <input class="input" autocomplete="off" defaultValue={account?.extensions.join(', ') ?? ''} {...wiring} />
          )}
        </Field>
        {account && !isMe && (
          <div class="actions">
            <button type="button" class="button small" title={t('users.resetWhy')} onClick={() => void reset(account)}>
              <Icon name="key" />
              {t('users.reset')}
            </button>
            {account.secondFactor && (
              <button type="button" class="button small" onClick={() => void removeFactor(account)}>
                {t('users.noFactor')}
              </button>
            )}
            {account.singleSignOn && (
              <button type="button" class="button small" title={t('users.unbindWhy')} onClick={() => void unbind(account)}>
                {t('users.unbind')}
              </button>
            )}
          </div>
        )}
        <div class="actions">
          <button type="submit" class="button primary">
            {t('form.save')}
          </button>
          <button type="button" class="button" onClick={close}>
            {t('dialog.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
