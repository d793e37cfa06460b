import { useEffect } from 'preact/hooks';
import { t } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { refreshAccount, session } from '../shell/session.js';
import { useUser } from '../shell/user.js';
import { PasswordForm } from './password.js';
import { SecondFactor } from './second-factor.js';
import './account.css';

/** One's own way in: password and one-time codes. */
export function Account() {
  const user = useUser();
  const now = session.value;
  const account = now.state === 'signed-in' ? now.account : undefined;
  useEffect(() => {
    void refreshAccount().catch(() => undefined);
  }, []);
  return (
    <>
      <PageHead title={t('account.title')} lead={`${user.name}, ${user.email}. ${t(`role.${user.role}`)}.`} />
      <div class="account">
        <PasswordForm email={user.email} handedOut={account?.passwordExpiresAt ?? null} />
        {account && <SecondFactor on={account.secondFactor} />}
      </div>
    </>
  );
}
