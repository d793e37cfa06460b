import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Recording } from '../api/types.js';
import { clock, longDay } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { asProblem, Bones, problemText, useLoaded } from '../parts/state.js';
import type { Playback } from '../player/playback.js';
import { say } from '../shell/toast.js';
import type { Share } from './types.js';

interface Shared {
  items: Share[];
  agents: { id: string; name: string }[];
}

/** With whom the call is shared: the agents who took it, each by an act of their own. */
export function Shares({ recording, playback }: { recording: Recording; playback: Playback }) {
  const path = `/recordings/${recording.id}/shares`;
  const shared = useLoaded(path, (signal) => ask<Shared>(path, { signal }));
  const [sharing, setSharing] = useState<{ id: string; name: string } | undefined>();
  const region = playback.region.value;
  const clip = region?.endMs === undefined ? undefined : { startMs: region.startMs, endMs: region.endMs };
  async function revoke({ agent }: Share) {
    try {
      await ask(`${path}/${agent.id}`, { method: 'DELETE' });
      say(t('share.revoked'));
      shared.again();
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  }
  return (
    <section class="shares" aria-labelledby="shares-title">
      <h2 id="shares-title">{t('share.title')}</h2>
      {shared.state === 'loading' && <Bones count={1} />}
      {shared.state === 'failed' && <p class="muted">{problemText(shared.problem)}</p>}
      {shared.state === 'ready' && shared.value.agents.length === 0 && <p class="muted">{t('share.nobody')}</p>}
      {shared.state === 'ready' && (
        <ul class="remark-list">
          {shared.value.items.map((share) => (
            <li key={share.agent.id}>
              {t('share.is', { name: share.agent.name, when: longDay(share.sharedAt) })}
              {share.clip && (
                <span class="muted"> · {t('share.clip', { from: clock(share.clip.startMs), to: clock(share.clip.endMs) })}</span>
              )}
              {share.note && <p class="remark-text">{share.note}</p>}
              <button
                type="button"
                class="button quiet small"
                aria-label={t('share.revokeOf', { name: share.agent.name })}
                onClick={() => void revoke(share)}
              >
                {t('share.revoke')}
              </button>
            </li>
          ))}
          {shared.value.agents
            .filter(({ id }) => !shared.value.items.some(({ agent }) => agent.id === id))
            .map((agent) => (
              <li key={agent.id}>
                <button type="button" class="button small" onClick={() => setSharing(agent)}>
                  <Icon name="users" />
                  {t('share.with', { name: agent.name })}
                </button>
              </li>
            ))}
        </ul>
      )}
      {sharing && (
        <FormDialog
          title={t('share.with', { name: sharing.name })}
          label={t('share.act')}
          prefix="share-"
          fields={['note', 'what']}
          send={async (read) => {
            const stretch = read('what') === 'clip' && clip ? rounded(clip) : {};
            await ask(`${path}/${sharing.id}`, { method: 'PUT', body: { ...stretch, note: read('note') || null } });
            say(t('share.acted', { name: sharing.name }));
            setSharing(undefined);
            shared.again();
          }}
          close={() => setSharing(undefined)}
        >
          {(of) => (
            <>
              <p class="muted">{t('share.why')}</p>
              {clip && (
                <Field {...of('what')} label={t('share.what')}>
                  {(wiring) => (
                    <select class="input" {...wiring}>
                      <option value="clip">
                        {t('share.clip', { from: clock(clip.startMs), to: clock(clip.endMs) })}
                      </option>
                      <option value="whole">{t('share.whole')}</option>
                    </select>
                  )}
                </Field>
              )}
              <Field {...of('note')} label={t('share.note')}>
                {(wiring) => <textarea class="input" rows={3} maxLength={2000} {...wiring} />}
              </Field>
            </>
          )}
        </FormDialog>
      )}
    </section>
  );
}

const rounded = ({ startMs, endMs }: { startMs: number; endMs: number }) => ({
  startMs: Math.round(startMs),
  endMs: Math.round(endMs),
});
