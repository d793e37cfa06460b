import { useRef } from 'preact/hooks';
import { clock } from '../format.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import type { Playback } from '../player/playback.js';
import { say } from '../shell/toast.js';
import { Jump, Now } from './moment.js';
import type { Content } from './types.js';

type Note = Content['notes'][number];

interface Props {
  notes: Note[];
  recordingId: string;
  playback: Playback;
  change: (notes: Note[]) => void;
}

/**
 * Notes at moments of the call, in its order. A note without words is not sent: the service wants words, and the person
 * may still be thinking of them.
 */
export function Notes({ notes, recordingId, playback, change }: Props) {
  const list = useRef<HTMLUListElement>(null);
  const focusOn = (index: number) =>
    requestAnimationFrame(() => list.current?.querySelectorAll<HTMLElement>('textarea')[index]?.focus());
  const add = () => {
    const atMs = Math.round(playback.positionMs.peek());
    const index = notes.filter((note) => note.atMs <= atMs).length;
    change([...notes.slice(0, index), { atMs, text: '' }, ...notes.slice(index)]);
    focusOn(index);
  };
  const remove = (index: number) => {
    change(notes.filter((_, place) => place !== index));
    say(t('evaluation.noteRemoved'));
    if (notes.length > 1) focusOn(Math.max(0, index - 1));
    else document.getElementById('add-note')?.focus();
  };
  return (
    <section class="draft-section">
      <h2>{t('evaluation.notes')}</h2>
      <ul class="notes" ref={list}>
        {notes.map((note, index) => (
          <li key={index}>
            <Jump atMs={note.atMs} recordingId={recordingId} playback={playback} />
            <textarea
              class="input growing"
              rows={1}
              maxLength={2000}
              aria-label={t('evaluation.noteTextAt', { time: clock(note.atMs) })}
              placeholder={t('evaluation.noteHint')}
              value={note.text}
              onInput={(event) => {
                const text = event.currentTarget.value;
                change(notes.map((each, place) => (place === index ? { ...each, text } : each)));
              }}
            />
            <button
              type="button"
              class="button quiet small icon-only"
              aria-label={t('evaluation.noteAway', { time: clock(note.atMs) })}
              onClick={() => remove(index)}
            >
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
      <div class="actions">
        <button type="button" id="add-note" class="button small" onClick={add}>
          <Icon name="plus" />
          {t('evaluation.addNote')} <Now playback={playback} />
        </button>
      </div>
    </section>
  );
}
