import { useEffect } from 'preact/hooks';
import { t } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, State } from '../parts/state.js';
import { SignIn } from '../sign-in/screen.js';
import { home } from './navigation.js';
import { go, match, place } from './router.js';
import { openScreens, screens } from './screens.js';
import { openSession, session } from './session.js';
import { Shell } from './shell.js';

/** The whole page: who is there decides between the entrance and the screens. */
export function App() {
  const now = session.value;
  const open = openScreens.find(({ pattern }) => match(pattern, place.value.path));
  if (open) return <open.Component id="" />;
  if (now.state === 'loading') return <Bones count={1} />;
  if (now.state === 'unreachable') {
    return (
      <main>
        <h1 class="unseen">Opname</h1>
        <Failure problem={now.problem} again={() => void openSession()} />
      </main>
    );
  }
  if (now.state === 'anonymous') return <SignIn expired={now.expired} />;
  return (
    <Shell user={now.user} account={now.account}>
      <Screen home={home(now.user.role)} />
    </Shell>
  );
}

function Screen({ home: start }: { home: string }) {
  const { path } = place.value;
  useEffect(() => {
    if (path === '/') go(start, { replace: true });
  }, [path]);
  if (path === '/') return null;
  for (const { pattern, Component } of screens) {
    const values = match(pattern, path);
    // The key makes another recording another screen, with nothing left of the one before.
    if (values) return <Component key={pattern + (values['id'] ?? '')} id={values['id'] ?? ''} />;
  }
  return (
    <>
      <PageHead title={t('state.notFound')} />
      <State
        icon="search"
        title={t('state.nothingHere')}
        actions={
          <a class="button" href={start}>
            <Icon name="back" />
            {t('state.home')}
          </a>
        }
      >
        <p>{t('problem.not-found')}</p>
      </State>
    </>
  );
}
