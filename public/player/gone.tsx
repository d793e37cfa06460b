import type { ApiProblem } from '../api/client.js';
import { longDay } from '../format.js';
import { t } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { State } from '../parts/state.js';
import { neighboursOf } from '../recordings/listing.js';
import { go } from '../shell/router.js';

/** After a caller's objection was flagged: nobody goes on training with this call. */
export function Objected() {
  const back = neighboursOf('').back;
  return (
    <>
      <PageHead title={t('player.title')} />
      <State
        icon="restricted"
        title={t('flag.closed')}
        actions={
          <button type="button" class="button" onClick={() => go(back.to, { kept: back.kept })}>
            <Icon name="back" />
            {t('player.back')}
          </button>
        }
      >
        <p>{t('flag.closedWhy')}</p>
      </State>
    </>
  );
}

/** What is left of a recording whose period is over: when it went, and why. */
export function Gone({ problem }: { problem: ApiProblem }) {
  const at = problem.member('deletedAt') ?? problem.member('retainUntil');
  const back = neighboursOf('').back;
  return (
    <>
      <PageHead title={t('player.title')} />
      <State
        icon="bin"
        title={at === undefined ? t('gone.titleUndated') : t('gone.title', { date: longDay(at) })}
        actions={
          <button type="button" class="button" onClick={() => go(back.to, { kept: back.kept })}>
            <Icon name="back" />
            {t('player.back')}
          </button>
        }
      >
        <p>{t('gone.why')}</p>
      </State>
    </>
  );
}
