import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Account, Page } from '../api/types.js';
import { moment } from '../format.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { asProblem, BoneRows, Failure, problemText, useLoaded } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
import { SecretShown } from './secret.js';
import { UserDialog } from './user-form.js';
import './admin.css';

const columns = ['name', 'email', 'role', 'extensions', 'state', 'actions'] as const;

/** Who may sign in, and as what. */
export function Users() {
  const me = useUser();
  const found = useLoaded('users', (signal) => ask<Page<Account>>('/users', { query: { limit: 200 }, signal }));
  const [editing, setEditing] = useState<Account | 'new' | undefined>();
  const [secret, setSecret] = useState<{ account: Account; password: string; expiresAt: string } | undefined>();

  async function setDisabled(account: Account, disabled: boolean) {
    try {
      await ask(`/users/${account.id}`, { method: 'PATCH', body: { disabled } });
      say(t(disabled ? 'users.disabledNow' : 'users.enabledNow', { name: account.name }));
      found.again();
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  }

  return (
    <>
      <PageHead title={t('users.title')} lead={t('users.lead')}>
        <button type="button" class="button primary" onClick={() => setEditing('new')}>
          <Icon name="plus" />
          {t('users.new')}
        </button>
      </PageHead>
      <div class="panel">
        {found.state === 'failed' ? (
          <Failure problem={found.problem} again={found.again} />
        ) : (
          <table class="table" role="table" aria-label={t('users.title')} aria-busy={found.state === 'loading'}>
            <thead role="rowgroup">
              <tr role="row">
                {columns.map((column) => (
                  <th key={column} role="columnheader" scope="col">
                    {column === 'actions' ? <span class="unseen">{t('users.actions')}</span> : t(`users.${column}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody role="rowgroup">
              {found.state === 'loading' && <BoneRows rows={4} columns={[70, 80, 50, 40, 40, 60]} />}
              {found.state === 'ready' &&
                found.value.items.map((account) => (
                  <Row
                    key={account.id}
                    account={account}
                    isMe={account.id === me.id}
                    edit={() => setEditing(account)}
                    setDisabled={(disabled) => void setDisabled(account, disabled)}
                  />
                ))}
            </tbody>
          </table>
        )}
      </div>
      {editing && (
        <UserDialog
          account={editing === 'new' ? undefined : editing}
          isMe={editing !== 'new' && editing.id === me.id}
          close={() => setEditing(undefined)}
          saved={() => {
            setEditing(undefined);
            found.again();
          }}
          handedOut={(account, password, expiresAt) => {
            setEditing(undefined);
            setSecret({ account, password, expiresAt });
            found.again();
          }}
        />
      )}
      {secret && (
        <SecretShown
          title={t('users.resetTitle', { name: secret.account.name })}
          warning={t('users.resetOnce', { when: moment(secret.expiresAt) })}
          label={t('signIn.password')}
          secret={secret.password}
          close={() => setSecret(undefined)}
        />
      )}
    </>
  );
}

interface RowProps {
  account: Account;
  isMe: boolean;
  edit: () => void;
  setDisabled: (disabled: boolean) => void;
}

function Row({ account, isMe, edit, setDisabled }: RowProps) {
  const { disabled } = account;
  return (
    <tr role="row">
      <td role="cell" class="wide">
        <strong>{account.name}</strong> {isMe && <span class="muted">{t('users.you')}</span>}
      </td>
      <td role="cell" class="wide">
        {account.email}
      </td>
      <td role="cell" data-label={t('users.role')}>
        {t(`role.${account.role}`)}
      </td>
      <td role="cell" data-label={account.extensions.length > 0 ? t('users.extensions') : undefined}>
        {account.extensions.join(', ')}
      </td>
      <td role="cell">
        <AccountState account={account} />
      </td>
      <td role="cell" class="row-actions">
        <button
          type="button"
          class="button small"
          aria-label={t('users.editOf', { name: account.name })}
          onClick={edit}
        >
          {t('users.edit')}
        </button>
        {!isMe && (
          <button
            type="button"
            class={disabled ? 'button small' : 'button small danger'}
            aria-label={t(disabled ? 'users.enableOf' : 'users.disableOf', { name: account.name })}
            onClick={() => setDisabled(!disabled)}
          >
            {t(disabled ? 'users.enable' : 'users.disable')}
          </button>
        )}
      </td>
    </tr>
  );
}

function AccountState({ account }: { account: Account }) {
  if (account.disabled) {
    return (
      <Badge icon="restricted" tone="error" plain>
        {t('users.disabled')}
      </Badge>
    );
  }
  if (account.passwordExpiresAt !== null) {
    return (
      <Badge icon="clock" tone="warn" plain>
        {t('users.handedOut')}
      </Badge>
    );
  }
  return (
    <Badge icon="ok" tone="ok" plain>
      {t('users.active')}
    </Badge>
  );
}
