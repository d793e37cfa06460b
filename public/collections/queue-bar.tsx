import { useEffect, useRef, useState } from 'preact/hooks';
import { plural, t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import type { Playback } from '../player/playback.js';
import { autoplay, openEntry, setAutoplay, starting, type Turn } from './queue.js';
import './collections.css';

const waitSeconds = 5;

/** Playing a collection: where one is in it, and what comes next, by itself only where that was asked for. */
export function QueueBar({ turn, playback }: { turn: Turn; playback: Playback }) {
  const { queue, index, entry } = turn;
  const listening = queue.kind === 'collection';
  const title = listening ? t('queue.title', { name: queue.name }) : queue.name;
  const last = index === queue.entries.length - 1;
  const [ended, setEnded] = useState(false);
  const [left, setLeft] = useState<number | undefined>();
  const heard = useRef(false);

  useEffect(() => {
    setEnded(false);
    setLeft(undefined);
    heard.current = false;
    if (entry.startMs !== null) playback.seek(entry.startMs);
    if (starting.peek() !== entry.itemId) return;
    starting.value = undefined;
    // The source is named by the player itself, a moment after its parts are drawn.
    const soon = setTimeout(() => void playback.play(), 0);
    return () => clearTimeout(soon);
  }, [entry.itemId, playback]);

  const playing = playback.playing.value;
  const positionMs = playback.positionMs.value;
  useEffect(() => {
    if (playing) {
      heard.current = true;
      setEnded(false);
      setLeft(undefined);
    }
  }, [playing]);
  useEffect(() => {
    if (!heard.current || ended) return;
    const endMs = entry.endMs ?? playback.durationMs.peek();
    const clipOver = entry.endMs !== null && playing && positionMs >= endMs && positionMs < endMs + 2000;
    if (clipOver) playback.pause();
    if (clipOver || (!playing && positionMs >= endMs - 60)) {
      heard.current = false;
      setEnded(true);
      if (listening && autoplay.peek() && !last) setLeft(waitSeconds);
    }
  }, [positionMs, playing]);
  useEffect(() => {
    if (left === undefined) return undefined;
    if (left === 0) {
      openEntry(index + 1, true);
      return undefined;
    }
    const second = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(second);
  }, [left]);

  return (
    <section class="panel queue-bar" aria-label={title}>
      <span class="queue-name">
        <Icon name="recordings" />
        <a href={queue.path}>{title}</a>
        <span class="muted">{t('queue.place', { position: index + 1, count: queue.entries.length })}</span>
      </span>
      <span class="actions">
        {index > 0 && (
          <button type="button" class="button small" onClick={() => openEntry(index - 1, playing)}>
            <Icon name="back" />
            {t('queue.previous')}
          </button>
        )}
        {!last && (
          <button type="button" class="button small" onClick={() => openEntry(index + 1, playing)}>
            {t('queue.next')}
            <Icon name="next" />
          </button>
        )}
        {listening && (
          <label class="check">
            <input
              type="checkbox"
              checked={autoplay.value}
              onChange={(event) => setAutoplay(event.currentTarget.checked)}
            />
            <span>{t('collections.autoplay')}</span>
          </label>
        )}
      </span>
      <p role="status" class="queue-status">
        {left !== undefined && plural('queue.soon', left)}
        {left === undefined && listening && ended && last && t('queue.over')}
      </p>
      {left !== undefined && (
        <button type="button" class="button small" onClick={() => setLeft(undefined)}>
          {t('queue.stay')}
        </button>
      )}
    </section>
  );
}
