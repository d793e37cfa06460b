import { ask } from '../api/client.js';
import type { Recording } from '../api/types.js';
import { t } from '../i18n.js';
import { useForm } from '../parts/form.js';
import type { Playback } from '../player/playback.js';
import { say } from '../shell/toast.js';
import { checkWording, readWording, WordingFields } from './wording.js';

interface Props {
  recording: Recording;
  playback: Playback;
  close: () => void;
  done: () => void;
}

/** Marks an agreement beside the player, so that one can listen while writing. */
export function Mark({ recording, playback, close, done }: Props) {
  const form = useForm({
    prefix: 'mark-',
    fields: ['summary', 'startMs', 'endMs', 'parties', 'ticket'],
    check: (read) => checkWording(read, true),
    send: async (read) => {
      await ask(`/recordings/${recording.id}/agreements`, { method: 'POST', body: readWording(read, true) });
      say(t('agreement.marked'));
      done();
    },
  });
  const region = playback.region.value;
  const { caller, agentName, tickets } = recording;
  const known = {
    startMs: region?.startMs,
    endMs: region?.endMs,
    summary: '',
    parties: [caller.name, agentName].filter((name): name is string => Boolean(name)),
    ticket: tickets[0]?.number ?? null,
  };
  const here = () => playback.positionMs.peek();
  const startHere = () => (playback.region.value = { startMs: here(), endMs: undefined });
  const endHere = () => {
    const startMs = playback.region.peek()?.startMs ?? 0;
    if (here() > startMs) playback.region.value = { startMs, endMs: here() };
  };
  return (
    <form
      class="form mark"
      aria-label={t('agreement.mark')}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(event.currentTarget);
      }}
    >
      {form.summary}
      <p class="muted">{t('agreement.passageHint')}</p>
      <div class="actions">
        <button type="button" class="button small" onClick={startHere}>
          {t('agreement.startHere')} <kbd>I</kbd>
        </button>
        <button type="button" class="button small" onClick={endHere}>
          {t('agreement.endHere')} <kbd>O</kbd>
        </button>
      </div>
      <WordingFields of={form.of} known={known} />
      <div class="actions">
        <button type="submit" class="button primary">
          {t('agreement.markThis')}
        </button>
        <button type="button" class="button" onClick={close}>
          {t('dialog.cancel')}
        </button>
      </div>
    </form>
  );
}
