import { signal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { address, type ApiProblem } from '../api/client.js';
import type { TicketRecording } from '../api/types.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { problemText } from '../parts/state.js';
import { diagnose } from '../player/diagnose.js';
import { Playback } from '../player/playback.js';
import { type Purpose, PurposeDialog, readPurpose } from '../player/purpose.js';
import { Slider } from '../player/transport.js';
import { reportHeard } from '../remarks/heard.js';
import { useUser } from '../shell/user.js';
import '../player/lanes.css';
import '../player/player.css';

/** Which call is heard: one at a time. */
const heard = signal<string | undefined>(undefined);

/**
 * Listens to a call beside its ticket, through the service like everywhere else: it opens a listen before the first byte
 * and is told what was heard. A privacy officer says what for; a trainer's purpose is training.
 */
export function MiniPlayer({ call }: { call: TicketRecording }) {
  const { role } = useUser();
  if (role !== 'trainer' && role !== 'privacy_officer') return null;
  if (call.state !== 'ready') {
    return <span class="muted">{t(call.state === 'failed' ? 'player.failed' : 'player.processing')}</span>;
  }
  return <Ready call={call} states={role === 'privacy_officer'} />;
}

function Ready({ call, states }: { call: TicketRecording; states: boolean }) {
  const [asking, setAsking] = useState(false);
  const [refusal, setRefusal] = useState<ApiProblem | undefined>();
  const [purpose, setPurpose] = useState<Purpose | undefined>(() => (states ? readPurpose(call.id) : undefined));
  const playback = useMemo(() => {
    // Two legs: each is heard in both ears.
    return new Playback({ durationMs: call.durationMs, legs: 2, diagnose: (src) => diagnose(src, setRefusal) });
  }, [call.id]);
  const heardFor = useRef<Purpose | undefined>(purpose);
  heardFor.current = purpose;

  useEffect(() => {
    const stopReporting = reportHeard(call.id, playback, () => heardFor.current);
    return () => {
      stopReporting();
      playback.close();
    };
  }, [playback]);
  useSignalEffect(() => {
    if (heard.value !== call.id && playback.playing.peek()) playback.pause();
  });

  const start = (chosen: Purpose | undefined) => {
    playback.setSource(address(`/recordings/${call.id}/audio`, { purpose: chosen }));
    heard.value = call.id;
    void playback.play();
  };
  const press = () => {
    if (playback.playing.peek()) playback.pause();
    else if (states && !purpose) setAsking(true);
    else start(purpose);
  };
  const playing = playback.playing.value;
  return (
    <div class="mini-player">
      <button
        type="button"
        class="button primary icon-only"
        aria-label={t(playing ? 'player.pause' : 'player.play')}
        title={t(playing ? 'player.pause' : 'player.play')}
        onClick={press}
      >
        <Icon name={playing ? 'pause' : 'play'} />
      </button>
      <Slider playback={playback} />
      {purpose && (
        <p class="muted mini-purpose">
          {t('purpose.stated', { purpose: t(`purpose.${purpose}`) })}{' '}
          <button type="button" class="button quiet small" onClick={() => setAsking(true)}>
            {t('purpose.change')}
          </button>
        </p>
      )}
      {playback.trouble.value === 'recovering' && <p class="muted" role="status">{t('player.recovering')}</p>}
      {refusal && (
        <p class="fault" role="alert">
          <Icon name="error" />
          {refusal.status === 410 ? t('gone.titleUndated') : problemText(refusal)}
        </p>
      )}
      {asking && (
        <PurposeDialog
          recordingId={call.id}
          chosen={purpose}
          close={() => setAsking(false)}
          choose={(chosen) => {
            setAsking(false);
            setPurpose(chosen);
            heardFor.current = chosen;
            start(chosen);
          }}
        />
      )}
    </div>
  );
}
