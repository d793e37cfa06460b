import { useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Message, Ticket } from '../api/types.js';
import { moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';

/** What of a ticket is made unreadable: characters of a message, or the whole of it (or of an attachment) without them. */
export interface Passage {
  pieceId: string;
  start?: number;
  end?: number;
}

interface Props {
  id: string;
  name: string;
  'aria-describedby'?: string | undefined;
  ticketId: string;
  known: readonly Passage[];
}

/** Chooses what of a ticket is about somebody else: whole messages and attachments, or what is selected in a message. */
export function PassageEditor({ id, name, ticketId, known, ...wiring }: Props) {
  const [open, setOpen] = useState(known.length > 0);
  const [passages, setPassages] = useState<readonly Passage[]>(known);
  return (
    <div class="passages" id={id} tabIndex={-1} role="group" aria-describedby={wiring['aria-describedby']} aria-label={t('passages.title')}>
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{passages.length === 0 ? t('passages.open') : plural('passages.some', passages.length)}</summary>
        {open && <Pieces ticketId={ticketId} passages={passages} change={setPassages} />}
      </details>
      <input type="hidden" name={name} value={JSON.stringify(passages)} />
    </div>
  );
}

interface PiecesProps {
  ticketId: string;
  passages: readonly Passage[];
  change: (passages: readonly Passage[]) => void;
}

function Pieces({ ticketId, passages, change }: PiecesProps) {
  const path = `/tickets/${ticketId}`;
  const loaded = useLoaded(path, (signal) => ask<Ticket>(path, { signal }));
  if (loaded.state === 'failed') return <Failure problem={loaded.problem} again={loaded.again} />;
  if (loaded.state === 'loading') return <Bones count={3} />;
  const others = (pieceId: string) => passages.filter((passage) => passage.pieceId !== pieceId);
  const ofPiece = (pieceId: string) => passages.filter((passage) => passage.pieceId === pieceId);
  return (
    <ol class="pieces">
      {loaded.value.messages.map((message) => (
        <MessagePiece
          key={message.id}
          message={message}
          hidden={ofPiece(message.id)}
          hide={(hidden) => change([...others(message.id), ...hidden])}
        />
      ))}
      {loaded.value.attachments.map(({ id, fileName }) => (
        <li key={id}>
          <label class="check">
            <input
              type="checkbox"
              checked={ofPiece(id).length > 0}
              onChange={(event) => change([...others(id), ...(event.currentTarget.checked ? [{ pieceId: id }] : [])])}
            />
            <span>{t('passages.attachment', { name: fileName })}</span>
          </label>
        </li>
      ))}
    </ol>
  );
}

interface MessageProps {
  message: Message;
  hidden: Passage[];
  hide: (hidden: Passage[]) => void;
}

function MessagePiece({ message, hidden, hide }: MessageProps) {
  const text = useRef<HTMLTextAreaElement>(null);
  const { id, bodyText } = message;
  const title = t('passages.message', { from: t(`ticket.from.${message.from}`), when: moment(message.at) });
  const whole = hidden.some(({ start }) => start === undefined);
  const hideSelection = () => {
    const area = text.current;
    if (area === null || area.selectionStart === area.selectionEnd) return;
    const start = inText(bodyText, area.selectionStart);
    const end = inText(bodyText, area.selectionEnd);
    hide([...hidden, { pieceId: id, start, end }].toSorted((one, other) => (one.start ?? 0) - (other.start ?? 0)));
  };
  return (
    <li>
      <strong>{title}</strong>
      {!whole && (
        <>
          {/* Not `readonly`: browsers then give no caret, and without one nothing is selected by keyboard. */}
          <textarea
            ref={text}
            class="input"
            aria-readonly="true"
            rows={Math.min(8, bodyText.split('\n').length + 1)}
            aria-label={title}
            value={bodyText}
            onBeforeInput={(event) => event.preventDefault()}
            onInput={(event) => (event.currentTarget.value = bodyText)}
          />
          {hidden.length > 0 && (
            <ul>
              {hidden.map((passage, index) => {
                const words = bodyText.slice(passage.start, passage.end);
                return (
                  <li key={`${passage.start ?? 0} ${passage.end ?? 0}`}>
                    <q>{words.length > 60 ? `${words.slice(0, 57)}…` : words}</q>
                    <button
                      type="button"
                      class="button quiet icon-only small"
                      aria-label={t('passages.show', { number: index + 1 })}
                      onClick={() => hide(hidden.filter((each) => each !== passage))}
                    >
                      <Icon name="close" />
                    </button>
                  </li>
                );
              })}
            </ul>
          )}
          <button type="button" class="button small" onClick={hideSelection}>
            {t('passages.selection')}
          </button>
        </>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={whole}
          onChange={(event) => hide(event.currentTarget.checked ? [{ pieceId: id }] : [])}
        />
        <span>{t('passages.whole')}</span>
      </label>
    </li>
  );
}

/** A text area has one character for a line's end where a text may have two: where its offset lies in the text. */
function inText(text: string, offset: number): number {
  let seen = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (seen === offset) return at;
    if (text[at] !== '\r' || text[at + 1] !== '\n') seen += 1;
  }
  return text.length;
}

/** What the editor's field says. */
export const readPassages = (text: string): Passage[] => (text === '' ? [] : (JSON.parse(text) as Passage[]));
