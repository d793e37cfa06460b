import type { ComponentChildren } from 'preact';
import type { Recording } from '../api/types.js';
import { day, moment, phone, time } from '../format.js';
import { t } from '../i18n.js';
import { RetentionBadge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { goingBack, neighboursOf, nextAfter } from '../recordings/listing.js';
import { Flags } from '../recordings/row.js';
import { go } from '../shell/router.js';

/** Which call this is, how long it is kept, and the way back and on. */
export function Header({ recording, children }: { recording: Recording; children: ComponentChildren }) {
  const { previous, next, position, count, more, back } = neighboursOf(recording.id);
  const { caller, agent, agentName, queue, startedAt } = recording;
  const when = `${day(startedAt)} ${time(startedAt)}`;
  const from = caller.number === null ? t('value.noNumber') : phone(caller.number);
  return (
    <div class="player-head">
      <div class="way">
        <a
          href={back.to}
          class="button quiet small"
          onClick={(event) => {
            event.preventDefault();
            goingBack();
            go(back.to, { kept: back.kept });
          }}
        >
          <Icon name="back" />
          {t('player.back')}
        </a>
        <span class="actions">
          {children}
          {position > 0 && (
            <>
              <span class="muted">{t('player.position', { position, count: more ? `${count}+` : count })}</span>
              <Step id={previous} label={t('player.previous')} icon="back" />
              {next === undefined && more ? (
                <button
                  type="button"
                  class="button small icon-only"
                  aria-label={t('player.next')}
                  title={t('player.next')}
                  onClick={() => void nextAfter(recording.id).then((id) => id !== undefined && go(`/recordings/${id}`))}
                >
                  <Icon name="next" />
                </button>
              ) : (
                <Step id={next} label={t('player.next')} icon="next" />
              )}
            </>
          )}
        </span>
      </div>
      <PageHead title={t('player.heading', { caller: caller.name ?? from, when })} tab={t('player.tab', { when })}>
        <RetentionBadge retainUntil={recording.retainUntil} held={recording.held} />
        <Flags recording={recording} plain={false} />
      </PageHead>
      <dl class="facts">
        <Fact name={t('column.caller')} value={from} />
        <Fact name={t('column.agent')} value={[agentName, agent].filter(Boolean).join(' · ') || t('value.unknown')} />
        {queue && <Fact name={t('filters.queue')} value={queue} />}
        <Fact name={t('column.start')} value={moment(startedAt)} />
        <Fact name={t('filters.direction')} value={t(`direction.${recording.direction}`)} />
      </dl>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Step({ id, label, icon }: { id: string | undefined; label: string; icon: 'back' | 'next' }) {
  if (id === undefined) {
    return (
      <span class="button small icon-only" role="link" aria-label={label} aria-disabled="true">
        <Icon name={icon} />
      </span>
    );
  }
  return (
    <a class="button small icon-only" aria-label={label} title={label} href={`/recordings/${id}`}>
      <Icon name={icon} />
    </a>
  );
}
