import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Recording } from '../api/types.js';
import { clock } from '../format.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { useLoaded } from '../parts/state.js';
import { askedFor, FlagDialog, quick, useOnce, type Flagged } from '../privacy/flagging.js';
import type { Right } from '../privacy/types.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
import type { Playback } from './playback.js';

interface Flag {
  reference: string;
  rights: Right[];
  atMs: number | null;
}

/** Tells the officer that the caller asks for a right, at the place that is being heard. */
export function FlagBar({ recording, playback, closed }: { recording: Recording; playback: Playback; closed: () => void }) {
  const user = useUser();
  const path = `/recordings/${recording.id}/flags`;
  const told = useLoaded(path, (signal) => ask<{ items: Flag[] }>(path, { signal }));
  const [added, setAdded] = useState<Flag[]>([]);
  const [atMs, setAtMs] = useState<number | undefined>();
  const once = useOnce();
  const flags = [...(told.state === 'ready' ? told.value.items : []), ...added];
  async function send(asked: Right[], ms: number, note = '') {
    const body = { rights: asked, atMs: Math.floor(ms), note };
    const { reference, closedToTraining } = await ask<Flagged>(path, { method: 'POST', body });
    setAdded((before) => [...before, { reference, rights: asked, atMs: ms }]);
    say(t('flag.sent', { reference, time: clock(ms) }));
    // From here on the service plays it to no trainer or agent.
    if (closedToTraining && user.role !== 'privacy_officer') closed();
  }
  return (
    <div class="panel flag-bar" role="group" aria-labelledby="flag-title">
      <span class="flag-name">
        <Icon name="mail" />
        <strong id="flag-title">{t('flag.title')}</strong>
      </span>
      {quick.map((right) => (
        <button
          key={right}
          type="button"
          class="button small"
          title={t('flag.why')}
          onClick={() => void once(() => send([right], playback.positionMs.peek()))}
        >
          {t(`right.${right}`)}
        </button>
      ))}
      <button type="button" class="button small" onClick={() => setAtMs(playback.positionMs.peek())}>
        {t('flag.other')}
      </button>
      {flags.length > 0 && (
        <ul class="flag-list" role="status">
          {flags.map((flag, index) => (
            <li key={index}>
              <Icon name="ok" />
              {askedFor(flag.rights)}
              {flag.atMs !== null && (
                <button
                  type="button"
                  class="button quiet small"
                  aria-label={t('remarks.play', { time: clock(flag.atMs) })}
                  onClick={() => playback.seek(flag.atMs ?? 0)}
                >
                  {clock(flag.atMs)}
                </button>
              )}
              <span class="muted">{flag.reference}</span>
            </li>
          ))}
        </ul>
      )}
      {atMs !== undefined && (
        <FlagDialog
          title={t('flag.otherTitle', { time: clock(atMs) })}
          legend={t('flag.rights')}
          hint={t('flag.noteHint')}
          send={(asked, note) => send(asked, atMs, note)}
          close={() => setAtMs(undefined)}
        />
      )}
    </div>
  );
}
