import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Recording } from '../api/types.js';
import { clock, moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { asProblem, Bones, Failure, problemText, State, useLoaded } from '../parts/state.js';
import type { Playback } from '../player/playback.js';
import type { Purpose } from '../player/purpose.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
import { readLines, writeLines } from './lines.js';
import { History } from './history.js';
import type { Segment, Transcript } from './types.js';
import './remarks.css';

interface Props {
  recording: Recording;
  playback: Playback;
  /** What an officer stated to listen for: a transcript is fetched for that, where an act allows it. */
  purpose: Purpose | undefined;
}

/** What was said, following the sound; typed, corrected or imported by who may. */
export function TranscriptTab({ recording, playback, purpose }: Props) {
  const user = useUser();
  const path = `/recordings/${recording.id}/transcript`;
  const loaded = useLoaded(path, (signal) => ask<Transcript>(path, { query: { purpose }, signal }));
  const [renewed, setRenewed] = useState<Transcript | undefined>();
  const [act, setAct] = useState<'edit' | 'import' | 'history' | undefined>();
  const waiting = (renewed ?? (loaded.state === 'ready' ? loaded.value : undefined))?.request?.state === 'waiting';
  // What a speech-to-text server makes comes while someone looks.
  useEffect(() => {
    if (!waiting) return undefined;
    const every = setInterval(() => {
      ask<Transcript>(path, { query: { purpose } }).then(setRenewed, () => undefined);
    }, 4000);
    return () => clearInterval(every);
  }, [path, waiting]);
  if (loaded.state === 'failed') return <Failure problem={loaded.problem} again={loaded.again} />;
  if (loaded.state === 'loading') return <Bones count={5} />;
  const transcript = renewed ?? loaded.value;
  const writer = user.role === 'trainer' || user.role === 'privacy_officer';
  const written = (next: Transcript) => {
    setRenewed(next);
    setAct(undefined);
    say(t('transcript.saved'));
  };
  async function fetchIt() {
    try {
      await ask(`${path}/fetch`, { method: 'POST', body: { revision: transcript.revision, purpose } });
      setRenewed(await ask<Transcript>(path, { query: { purpose } }));
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  }
  const { revision, origin, changedAt, segments, request } = transcript;
  return (
    <div class="remarks">
      {revision === 0 ? (
        <State icon="audit" title={t('transcript.none')}>
          <p>{t(writer ? 'transcript.noneWhy' : 'transcript.noneWhyReader')}</p>
        </State>
      ) : (
        <Lines segments={segments} playback={playback} />
      )}
      {request?.state === 'waiting' && (
        <p class="muted" role="status">
          {t('transcript.fetching')}
        </p>
      )}
      {request?.state === 'failed' && <p class="muted">{t('transcript.fetchFailed')}</p>}
      {revision > 0 && (
        <p class="muted small-note">
          {origin && changedAt && t('transcript.by', { revision, origin: t(`transcript.origin.${origin}`), when: moment(changedAt) })}.{' '}
          {t('transcript.spoken')}
        </p>
      )}
      {writer && (
        <div class="actions">
          <button type="button" class="button small" onClick={() => setAct('edit')}>
            {t(revision === 0 ? 'transcript.type' : 'transcript.edit')}
          </button>
          <button type="button" class="button small" onClick={() => setAct('import')}>
            {t('transcript.import')}
          </button>
          {transcript.fetchable && request?.state !== 'waiting' && (
            <button type="button" class="button small" onClick={() => void fetchIt()}>
              {t('transcript.fetch')}
            </button>
          )}
          {revision > 0 && (
            <button type="button" class="button small" onClick={() => setAct('history')}>
              <Icon name="clock" />
              {t('transcript.history')}
            </button>
          )}
        </div>
      )}
      {act === 'history' && <History path={path} playback={playback} close={() => setAct(undefined)} />}
      {act === 'edit' && (
        <EditTranscript path={path} transcript={transcript} close={() => setAct(undefined)} written={written} />
      )}
      {act === 'import' && (
        <ImportTranscript path={path} revision={revision} close={() => setAct(undefined)} written={written} />
      )}
    </div>
  );
}

function Lines({ segments, playback }: { segments: Segment[]; playback: Playback }) {
  const list = useRef<HTMLOListElement>(null);
  const [sought, setSought] = useState('');
  const [follow, setFollow] = useState(true);
  const at = playback.positionMs.value;
  const now = segments.findLastIndex(({ startMs }) => startMs <= at);
  const wanted = sought.trim().toLowerCase();
  const shown = segments.filter(({ text }) => text.toLowerCase().includes(wanted));
  useEffect(() => {
    if (!follow || !playback.playing.peek() || wanted !== '') return;
    const line = list.current?.children[now];
    const frame = list.current;
    if (line instanceof HTMLElement && frame)
      frame.scrollTop = line.offsetTop - frame.offsetTop - frame.clientHeight / 3;
  }, [now, follow, wanted]);
  return (
    <>
      <Field name="transcript-search" label={t('transcript.search')}>
        {(wiring) => (
          <input
            class="input"
            type="search"
            autocomplete="off"
            value={sought}
            onInput={(event) => setSought(event.currentTarget.value)}
            {...wiring}
          />
        )}
      </Field>
      <div class="transcript-head">
        <label class="check">
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
          <span>{t('transcript.follow')}</span>
        </label>
        <span class="muted" role="status">
          {wanted !== '' && plural('transcript.hits', shown.length)}
        </span>
      </div>
      <ol class="transcript" ref={list}>
        {shown.map((segment) => (
          <li key={`${segment.startMs} ${segment.text}`} aria-current={segment === segments[now] ? 'true' : undefined}>
            <button
              type="button"
              class="button quiet small"
              aria-label={t('remarks.play', { time: clock(segment.startMs) })}
              onClick={() => playback.seek(segment.startMs)}
            >
              {clock(segment.startMs)}
            </button>
            <span>
              {segment.speaker && <strong class={`${segment.speaker}-words`}>{t(`lane.${segment.speaker}`)}: </strong>}
              {segment.text}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

interface WriteProps {
  path: string;
  close: () => void;
  written: (transcript: Transcript) => void;
}

function EditTranscript({ path, transcript, close, written }: WriteProps & { transcript: Transcript }) {
  return (
    <FormDialog
      title={t('transcript.editTitle')}
      label={t('transcript.save')}
      prefix="transcript-"
      fields={['lines', 'reason']}
      check={(read) => {
        const { segments, wrongLine } = readLines(read('lines'));
        if (wrongLine !== undefined) return { lines: t('transcript.lineWrong', { line: wrongLine }) };
        return segments.length === 0 ? { lines: t('transcript.linesMissing') } : {};
      }}
      send={async (read) => {
        const { segments } = readLines(read('lines'), transcript.segments);
        const body = { revision: transcript.revision, reason: read('reason') || null, segments };
        written(await ask<Transcript>(path, { method: 'PUT', body }));
      }}
      close={close}
    >
      {(of) => (
        <>
          <Field {...of('lines')} label={t('transcript.lines')} hint={t('transcript.linesHint')}>
            {(wiring) => (
              <textarea
                class="input"
                rows={14}
                aria-required="true"
                defaultValue={writeLines(transcript.segments)}
                {...wiring}
              />
            )}
          </Field>
          {transcript.revision > 0 && (
            <Field {...of('reason')} label={t('transcript.reason')}>
              {(wiring) => <input class="input" maxLength={2000} autocomplete="off" {...wiring} />}
            </Field>
          )}
        </>
      )}
    </FormDialog>
  );
}

function ImportTranscript({ path, revision, close, written }: WriteProps & { revision: number }) {
  const [file, setFile] = useState<File | undefined>();
  return (
    <FormDialog
      title={t('transcript.importTitle')}
      label={t('transcript.import')}
      prefix="import-"
      fields={['content']}
      check={() => (file ? {} : { content: t('transcript.fileMissing') })}
      send={async () => {
        const body = { revision, content: (await file?.text()) ?? '' };
        written(await ask<Transcript>(`${path}/import`, { method: 'POST', body }));
      }}
      close={close}
    >
      {(of) => (
        <Field {...of('content')} label={t('transcript.file')}>
          {(wiring) => (
            <input
              class="input"
              type="file"
              accept=".vtt,.srt,.json"
              onChange={(event) => setFile(event.currentTarget.files?.[0])}
              {...wiring}
            />
          )}
        </Field>
      )}
    </FormDialog>
  );
}
