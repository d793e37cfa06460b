import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { AddToCollection } from '../collections/add.js';
import type { Recording } from '../api/types.js';
import { clock, moment } from '../format.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, State } from '../parts/state.js';
import type { Playback } from '../player/playback.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
import type { Remarks } from './remarks.js';
import { Shares } from './shares.js';
import type { Comment, Reply } from './types.js';
import { WriteComment } from './write.js';
import './remarks.css';

interface Props {
  recording: Recording;
  playback: Playback;
  remarks: Remarks;
}

type Act = { act: 'change' | 'delete' | 'reply'; comment: Reply };

/** The comments on a call, in its order: where, who, what, and the answers. */
export function Comments({ recording, playback, remarks }: Props) {
  const user = useUser();
  const [act, setAct] = useState<Act | undefined>();
  const list = remarks.list.value;
  const problem = remarks.problem.value;
  const begin = () => {
    const region = playback.region.peek();
    remarks.writing.value =
      region?.endMs === undefined
        ? { startMs: playback.positionMs.peek(), endMs: undefined }
        : { startMs: region.startMs, endMs: region.endMs };
  };
  const done = (said: string) => {
    setAct(undefined);
    say(said);
    void remarks.load();
  };
  return (
    <div class="remarks">
      <p class="remarks-add">
        <button type="button" class="button small" onClick={begin}>
          <Icon name="plus" />
          {t('remarks.addHere')} <kbd>C</kbd>
        </button>
      </p>
      {problem && <Failure problem={problem} again={() => void remarks.load()} />}
      {!problem && list === undefined && <Bones count={3} />}
      {list?.length === 0 && (
        <State icon="mail" title={t('remarks.none')}>
          <p>{t('remarks.noneWhy')}</p>
        </State>
      )}
      {list && list.length > 0 && (
        <ol class="remark-list">
          {list.map((comment) => (
            <Remark key={comment.id} comment={comment} playback={playback} decide={(next) => setAct(next)} />
          ))}
        </ol>
      )}
      {user.role === 'trainer' && (
        <>
          <p class="remarks-add">
            <AddToCollection recordingId={recording.id} playback={playback} />
          </p>
          <Shares recording={recording} playback={playback} />
        </>
      )}
      {remarks.writing.value && (
        <WriteComment
          recordingId={recording.id}
          place={remarks.writing.value}
          durationMs={playback.durationMs.peek()}
          agent={user.role === 'agent'}
          close={() => (remarks.writing.value = undefined)}
          done={() => {
            remarks.writing.value = undefined;
            done(t('remarks.saved'));
          }}
        />
      )}
      {act && <Act {...act} close={() => setAct(undefined)} done={done} />}
    </div>
  );
}

interface RemarkProps {
  comment: Comment;
  playback: Playback;
  decide: (act: Act) => void;
}

function Remark({ comment, playback, decide }: RemarkProps) {
  const at = clock(comment.startMs);
  const place = comment.endMs === null ? at : `${at} – ${clock(comment.endMs)}`;
  return (
    <li class="remark">
      <div class="remark-head">
        <button
          type="button"
          class="button small"
          aria-label={t('remarks.play', { time: place })}
          onClick={() => {
            playback.seek(comment.startMs);
            if (playback.hasSource && !playback.playing.peek()) void playback.play();
          }}
        >
          <Icon name="play" />
          {place}
        </button>
        <strong>{comment.author.name}</strong>
        <Badge icon={comment.visibility === 'private' ? 'hidden' : 'users'} plain>
          {t(comment.visibility === 'private' ? 'remarks.isPrivate' : 'remarks.isShared')}
        </Badge>
      </div>
      <Words reply={comment} />
      <div class="actions">
        {comment.text !== null && (
          <Small label={t('remarks.reply')} of={t('remarks.replyOf', { time: at })} act={() => decide({ act: 'reply', comment })} />
        )}
        <Own reply={comment} decide={decide} />
      </div>
      {comment.replies.length > 0 && (
        <ul class="replies">
          {comment.replies.map((reply) => (
            <li key={reply.id}>
              <div class="remark-head">
                <strong>{reply.author.name}</strong>
                <span class="muted">{moment(reply.createdAt)}</span>
              </div>
              <Words reply={reply} />
              <Own reply={reply} decide={decide} />
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function Words({ reply }: { reply: Reply }) {
  if (reply.text === null) return <p class="muted">{t('remarks.gone')}</p>;
  return (
    <p class="remark-text">
      {reply.text} {reply.editedAt && <span class="muted">({t('remarks.edited')})</span>}
    </p>
  );
}

function Own({ reply, decide }: { reply: Reply; decide: (act: Act) => void }) {
  if (!reply.own || reply.text === null) return null;
  const time = clock(reply.startMs);
  return (
    <>
      <Small label={t('remarks.change')} of={t('remarks.changeOf', { time })} act={() => decide({ act: 'change', comment: reply })} />
      <Small label={t('remarks.delete')} of={t('remarks.deleteOf', { time })} act={() => decide({ act: 'delete', comment: reply })} />
    </>
  );
}

function Small({ label, of, act }: { label: string; of: string; act: () => void }) {
  return (
    <button type="button" class="button quiet small" aria-label={of} onClick={act}>
      {label}
    </button>
  );
}

function Act({ act, comment, close, done }: Act & { close: () => void; done: (said: string) => void }) {
  const time = clock(comment.startMs);
  const title =
    act === 'delete'
      ? t('remarks.deleteTitle')
      : act === 'reply'
        ? t('remarks.replyOf', { time })
        : t('remarks.changeTitle');
  return (
    <FormDialog
      title={title}
      label={t(`remarks.${act}`)}
      danger={act === 'delete'}
      prefix="remark-"
      fields={['text']}
      check={(read) => (act !== 'delete' && read('text') === '' ? { text: t('remarks.textMissing') } : {})}
      send={async (read) => {
        const body = { text: read('text') };
        if (act === 'delete') await ask(`/comments/${comment.id}`, { method: 'DELETE' });
        else if (act === 'reply') await ask(`/comments/${comment.id}/replies`, { method: 'POST', body });
        else await ask(`/comments/${comment.id}`, { method: 'PATCH', body });
        done(t(act === 'delete' ? 'remarks.deleted' : act === 'reply' ? 'remarks.replied' : 'remarks.changed'));
      }}
      close={close}
    >
      {(of) =>
        act === 'delete' ? (
          <p id="remark-text" tabIndex={-1}>
            {t('remarks.deleteWhy')}
          </p>
        ) : (
          <Field {...of('text')} label={t(act === 'reply' ? 'remarks.replyText' : 'remarks.text')}>
            {(wiring) => (
              <textarea
                class="input"
                rows={4}
                maxLength={5000}
                aria-required="true"
                defaultValue={act === 'change' ? (comment.text ?? '') : ''}
                {...wiring}
              />
            )}
          </Field>
        )
      }
    </FormDialog>
  );
}
