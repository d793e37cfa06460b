import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { User } from '../api/types.js';
import { moment } from '../format.js';
import { t } from '../i18n.js';
import { Icon, Mark } from '../parts/icon.js';
import { home, navigation } from './navigation.js';
import { place } from './router.js';
import { type OwnAccount, signOut } from './session.js';
import { LanguageSwitch, ThemeSwitch } from './switches.js';
import { say, toast } from './toast.js';

/** What stands around every screen of someone who is signed in. */
export function Shell({
  user,
  account,
  children,
}: {
  user: User;
  account: OwnAccount | undefined;
  children: ComponentChildren;
}) {
  const expiresAt = account?.passwordExpiresAt;
  const [open, setOpen] = useState(false);
  const nav = useRef<HTMLElement>(null);
  const menu = useRef<HTMLButtonElement>(null);
  const { path } = place.value;
  useEffect(() => setOpen(false), [path]);
  useEffect(() => {
    if (open) nav.current?.querySelector<HTMLElement>('a')?.focus();
  }, [open]);
  const closeMenu = () => {
    setOpen(false);
    menu.current?.focus();
  };
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={skipToMain}>
        {t('shell.skip')}
      </a>
      <nav
        ref={nav}
        id="navigation"
        class={open ? 'nav open' : 'nav'}
        aria-label={t('shell.navigation')}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && open) closeMenu();
        }}
      >
        <a class="brand" href={home(user.role)}>
          <Mark />
          Opname
        </a>
        {navigation[user.role].map((group) => (
          <section key={group.label}>
            <h2>{t(group.label)}</h2>
            <ul>
              {group.entries.map((entry) => (
                <li key={entry.path}>
                  <a href={entry.path} aria-current={current(path, entry.path)}>
                    <Icon name={entry.icon} />
                    {t(entry.label)}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        ))}
        <div class="who">
          <a
            href="/account"
            aria-current={path === '/account' ? 'page' : undefined}
            aria-label={`${t('shell.account')}: ${user.name}`}
          >
            {user.name}
          </a>
          <span>{t(`role.${user.role}`)}</span>
          <button
            type="button"
            class="button quiet small"
            onClick={() => void signOut().catch(() => say(t('problem.network')))}
          >
            <Icon name="out" />
            {t('shell.signOut')}
          </button>
        </div>
      </nav>
      <div class="column" onClickCapture={open ? closeMenu : undefined}>
        <header class="header">
          <button
            ref={menu}
            type="button"
            class="button icon-only menu-button"
            aria-label={t('shell.menu')}
            aria-expanded={open}
            aria-controls="navigation"
            onClick={() => setOpen(!open)}
          >
            <Icon name="menu" />
          </button>
          <span class="trail" />
          <LanguageSwitch />
          <ThemeSwitch />
        </header>
        <main id="main" class="main" tabIndex={-1}>
          {expiresAt && path !== '/account' && (
            <div class="notice warn handed-out">
              <Icon name="key" />
              <div>
                {t('shell.handedOut', { when: moment(expiresAt) })} <a href="/account">{t('shell.choosePassword')}</a>
              </div>
            </div>
          )}
          {children}
        </main>
      </div>
      <div class="toast" role="status">
        {toast}
      </div>
    </div>
  );
}

function current(path: string, entry: string): 'page' | 'true' | undefined {
  if (path === entry) return 'page';
  return path.startsWith(`${entry}/`) ? 'true' : undefined;
}

function skipToMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
