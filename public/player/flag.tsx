import { useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Recording } from '../api/types.js';
import { clock } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { asProblem, problemText, useLoaded } from '../parts/state.js';
import { rights, type Right } from '../privacy/types.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
import type { Playback } from './playback.js';

interface Flag {
  reference: string;
  rights: Right[];
  atMs: number | null;
}

interface Flagged {
  reference: string;
  closedToTraining: boolean;
}

/** What callers ask for most: one click each. */
const quick = ['access', 'erasure', 'objection'] as const;

/** Tells the officer that the caller asks for a right, at the place that is being heard. */
export function FlagBar({ recording, playback, closed }: { recording: Recording; playback: Playback; closed: () => void }) {
  const user = useUser();
  const path = `/recordings/${recording.id}/flags`;
  const told = useLoaded(path, (signal) => ask<{ items: Flag[] }>(path, { signal }));
  const [added, setAdded] = useState<Flag[]>([]);
  const [atMs, setAtMs] = useState<number | undefined>();
  const busy = useRef(false);
  const flags = [...(told.state === 'ready' ? told.value.items : []), ...added];
  /** One click is one request, however the hand trembles. */
  async function sendOnce(right: Right) {
    if (busy.current) return;
    busy.current = true;
    try {
      await send([right], playback.positionMs.peek());
    } catch (error) {
      say(problemText(asProblem(error)));
    } finally {
      busy.current = false;
    }
  }
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
          onClick={() => void sendOnce(right)}
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
              {flag.rights.length === 0 ? t('flag.unclear') : flag.rights.map((right) => t(`right.${right}`)).join(', ')}
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
        <FormDialog
          title={t('flag.otherTitle', { time: clock(atMs) })}
          label={t('flag.send')}
          prefix="flag-"
          fields={['rights', 'note']}
          check={(read) =>
            read('note') === '' && rights.every((right) => read(right) === '') ? { note: t('flag.nothing') } : {}
          }
          send={async (read) => {
            await send(rights.filter((right) => read(right) !== ''), atMs, read('note'));
            setAtMs(undefined);
          }}
          close={() => setAtMs(undefined)}
        >
          {(of) => (
            <>
              <p class="muted">{t('flag.otherWhy')}</p>
              <fieldset class="flag-rights">
                <legend>{t('flag.rights')}</legend>
                {rights.map((right) => (
                  <label key={right} class="check">
                    <input type="checkbox" name={`flag-${right}`} value={right} />
                    {t(`right.${right}`)}
                  </label>
                ))}
              </fieldset>
              <Field {...of('note')} label={t('flag.note')} hint={t('flag.noteHint')}>
                {(wiring) => <textarea class="input" rows={3} maxLength={2000} {...wiring} />}
              </Field>
            </>
          )}
        </FormDialog>
      )}
    </div>
  );
}
