import { useSignalEffect } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { clock, clockWords, decimal } from '../format.js';
import { t } from '../i18n.js';
import { Dialog } from '../parts/dialog.js';
import { Field } from '../parts/field.js';
import { Icon, type IconName } from '../parts/icon.js';
import { say } from '../shell/toast.js';
import type { KeyTargets } from './keys.js';
import { speeds } from './memory.js';
import type { Playback } from './playback.js';
import type { Purpose } from './purpose.js';

/** The real control of the position: a native slider that says the time in words. */
export function Slider({ playback }: { playback: Playback }) {
  const input = useRef<HTMLInputElement>(null);
  const [second, setSecond] = useState(0);
  const durationMs = playback.durationMs.value;
  // The knob moves with every frame, but only a new second is told: aria-valuetext at 60 Hz floods a screen reader.
  useSignalEffect(() => {
    const ms = playback.positionMs.value;
    if (input.current) {
      input.current.value = String(Math.round(ms));
      input.current.style.setProperty('--done', `${(ms / Math.max(1, playback.durationMs.value)) * 100}%`);
    }
    setSecond(Math.floor(ms / 1000));
  });
  return (
    <div class="slider">
      <span class="slider-time" aria-hidden="true">
        {clock(second * 1000)}
      </span>
      <input
        ref={input}
        type="range"
        min={0}
        max={Math.round(durationMs)}
        step={100}
        aria-label={t('player.place')}
        aria-valuetext={t('player.placeOf', { place: clockWords(second * 1000), length: clockWords(durationMs) })}
        onInput={(event) => playback.seek(Number(event.currentTarget.value))}
      />
      <span class="slider-time muted" aria-hidden="true">
        {clock(durationMs)}
      </span>
    </div>
  );
}

interface Props {
  playback: Playback;
  targets: KeyTargets;
  purpose: Purpose | undefined;
  changePurpose: () => void;
}

/** Play, jumps, speed, silence and the rest of what hands reach for. */
export function Transport({ playback, targets, purpose, changePurpose }: Props) {
  const playing = playback.playing.value;
  const trouble = playback.trouble.value;
  const savedMs = playback.savedMs.value;
  const saving = savedMs < 1000 ? t('player.savesNothing') : t('player.saves', { time: clock(savedMs) });
  const jump = (ms: number) => playback.seek(playback.positionMs.peek() + ms);
  return (
    <div class="transport">
      <div class="transport-row">
        <div class="jumps" role="group" aria-label={t('player.jumps')}>
          <Jump ms={-30_000} jump={jump} />
          <Jump ms={-10_000} jump={jump} />
          <Jump ms={-5000} jump={jump} />
          <button
            type="button"
            class="button primary play"
            aria-label={t(playing ? 'player.pause' : 'player.play')}
            onClick={targets.play}
          >
            <Icon name={playing ? 'pause' : 'play'} />
          </button>
          <Jump ms={5000} jump={jump} />
          <Jump ms={10_000} jump={jump} />
          <Jump ms={30_000} jump={jump} />
        </div>
        <label class="speed">
          <span>{t('player.speed')}</span>
          <select
            class="input"
            value={String(playback.speed.value)}
            onChange={(event) => targets.setSpeed(Number(event.currentTarget.value))}
          >
            {speeds.map((speed) => (
              <option key={speed} value={String(speed)} selected={speed === playback.speed.value}>
                {decimal(speed)}×
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={playback.skipSilence.value}
            onChange={(event) => targets.setSkipSilence(event.currentTarget.checked)}
          />
          <span>
            {t('player.skipSilence')} <span class="muted nowrap">{saving}</span>
          </span>
        </label>
      </div>
      {purpose && (
        <p class="muted purpose-line">
          {t('purpose.stated', { purpose: t(`purpose.${purpose}`) })}{' '}
          <button type="button" class="button quiet small" onClick={changePurpose}>
            {t('purpose.change')}
          </button>
        </p>
      )}
      <p class="trouble" role="status">
        {trouble === 'recovering' && (
          <span class="badge warn">
            <Icon name="offline" />
            <span>{t('player.recovering')}</span>
          </span>
        )}
      </p>
    </div>
  );
}

function Jump({ ms, jump }: { ms: number; jump: (ms: number) => void }) {
  const seconds = Math.abs(ms) / 1000;
  const label = ms < 0 ? t('player.backBy', { seconds }) : t('player.onBy', { seconds });
  return (
    <button type="button" class="button jump" aria-label={label} title={label} onClick={() => jump(ms)}>
      <span aria-hidden="true">
        {ms < 0 ? '−' : '+'}
        {seconds}
      </span>
    </button>
  );
}

/** What belongs to the recording rather than to playing it. */
export function Tools({
  playback,
  targets,
  recordingId,
}: {
  playback: Playback;
  targets: KeyTargets;
  recordingId: string;
}) {
  const [byHand, setByHand] = useState<string | undefined>();
  const copy = async () => {
    const ms = playback.positionMs.peek();
    const link = `${location.origin}/recordings/${recordingId}?t=${Math.floor(ms / 1000)}`;
    try {
      await navigator.clipboard.writeText(link);
      say(t('player.copied', { time: clock(ms) }));
    } catch {
      // Without https a page may not write the clipboard: the link is shown, to be copied by hand.
      setByHand(link);
    }
  };
  return (
    <>
      <Small icon="link" label={t('player.copyLink')} act={() => void copy()} />
      <Small icon="help" label={t('player.help')} act={targets.help} />
      {byHand !== undefined && (
        <Dialog title={t('player.copyLink')} close={() => setByHand(undefined)}>
          <Field name="link" label={t('player.copyByHand')}>
            {(wiring) => (
              <input
                class="input"
                readOnly
                value={byHand}
                onFocus={(event) => event.currentTarget.select()}
                {...wiring}
              />
            )}
          </Field>
        </Dialog>
      )}
    </>
  );
}

function Small({ icon, label, act }: { icon: IconName; label: string; act: () => void }) {
  return (
    <button type="button" class="button small" onClick={act}>
      <Icon name={icon} />
      {label}
    </button>
  );
}

/** Says that the player took up where this person left off. */
export function Resumed({ atMs, restart }: { atMs: number; restart: () => void }) {
  return (
    <div class="notice" role="status">
      <Icon name="clock" />
      <div>
        {t('player.resumed', { time: clock(atMs) })}{' '}
        <button type="button" class="button quiet small" onClick={restart}>
          {t('player.restart')}
        </button>
      </div>
    </div>
  );
}
