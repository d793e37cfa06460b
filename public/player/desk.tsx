import { effect } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { address, type ApiProblem } from '../api/client.js';
import type { Recording, Waveform as Peaks } from '../api/types.js';
import { openEntry, turnOf } from '../collections/queue.js';
import { QueueBar } from '../collections/queue-bar.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { problemText } from '../parts/state.js';
import { reportHeard } from '../remarks/heard.js';
import { Markers } from '../remarks/markers.js';
import { Remarks } from '../remarks/remarks.js';
import { markOpened, neighboursOf, nextAfter } from '../recordings/listing.js';
import { go, place } from '../shell/router.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
import { diagnose } from './diagnose.js';
import { FlagBar } from './flag.js';
import { Help } from './help.js';
import { Objected } from './gone.js';
import { Header } from './header.js';
import { type KeyTargets, pressed } from './keys.js';
import { Lanes, type LegName } from './lanes.js';
import { keepHabits, keepSpot, readHabits, readSpot } from './memory.js';
import { Playback } from './playback.js';
import { type Purpose, PurposeDialog, readPurpose } from './purpose.js';
import { Region } from './region.js';
import { Side, type Tab, tabsOf } from './side.js';
import { Resumed, Slider, Tools, Transport } from './transport.js';

interface Props {
  recording: Recording;
  waveform: Peaks | undefined;
  waveformComing: boolean;
  /** Something beside the call was changed: a ticket, an agreement, a hold. */
  changed: () => void;
}

/** The player itself. */
export function Desk({ recording, waveform, waveformComing, changed }: Props) {
  const user = useUser();
  const root = useRef<HTMLElement>(null);
  const [habits, setHabits] = useState(() => readHabits(user.id));
  const [dialog, setDialog] = useState<'help' | 'purpose' | undefined>();
  const [objected, setObjected] = useState(false);
  const [refusal, setRefusal] = useState<ApiProblem | undefined>();
  const states = user.role === 'privacy_officer';
  const [purpose, setPurpose] = useState<Purpose | undefined>(() => (states ? readPurpose(recording.id) : undefined));
  const legs = Math.max(1, Math.min(2, recording.channels));
  const asked = readTime(place.peek().query.get('t'));
  const [resumedMs, setResumedMs] = useState(() => (asked === undefined ? readSpot(user.id, recording.id) : undefined));

  const playback = useMemo(() => {
    const made = new Playback({ durationMs: recording.durationMs ?? waveform?.durationMs ?? 0, legs, diagnose: (src) => diagnose(src, setRefusal) });
    made.setSpeed(habits.speed);
    made.skipSilence.value = habits.skipSilence;
    made.seek(asked ?? resumedMs ?? 0);
    return made;
  }, [recording.id, legs]);

  // Whoever stepped on from call to call comes back to the row of the last.
  useEffect(() => markOpened(recording.id), [recording.id]);

  const remarks = useMemo(() => new Remarks(recording.id), [recording.id]);
  const comments = user.role === 'trainer' || user.role === 'agent';
  const [tab, setTab] = useState<Tab>(() => {
    const tabs = tabsOf(user.role);
    return tabs.find((each) => each === place.peek().query.get('tab')) ?? tabs[0] ?? 'details';
  });
  useEffect(() => {
    if (comments) void remarks.load();
    return () => remarks.close();
  }, [remarks]);
  const heardFor = useRef<Purpose | undefined>(purpose);
  heardFor.current = purpose;
  useEffect(() => reportHeard(recording.id, playback, () => heardFor.current), [playback]);

  useEffect(() => {
    if (waveform) playback.gaps.value = waveform.gaps;
  }, [waveform, playback]);

  useEffect(() => {
    playback.agreed.value = recording.agreements;
  }, [recording.agreements, playback]);

  useEffect(() => {
    if (!states || purpose) playback.setSource(address(`/recordings/${recording.id}/audio`, { purpose }));
  }, [purpose, playback]);

  useEffect(() => {
    const keep = () => {
      const ms = playback.positionMs.peek();
      const done = ms < 2000 || ms >= playback.durationMs.peek() - 1500;
      if (playback.started) keepSpot(user.id, recording.id, done ? undefined : ms);
    };
    const every = setInterval(() => playback.playing.peek() && keep(), 3000);
    const onPause = effect(() => {
      if (!playback.playing.value) keep();
    });
    addEventListener('pagehide', keep);
    return () => {
      clearInterval(every);
      onPause();
      removeEventListener('pagehide', keep);
      keep();
      playback.close();
    };
  }, [playback]);

  const change = (next: Partial<typeof habits>) => {
    const all = { ...habits, ...next };
    setHabits(all);
    keepHabits(user.id, all);
    if (all.speed !== playback.speed.peek()) playback.setSpeed(all.speed);
    playback.skipSilence.value = all.skipSilence;
  };
  const play = () => {
    setResumedMs(undefined);
    if (states && !purpose) setDialog('purpose');
    else playback.toggle();
  };
  const { previous } = neighboursOf(recording.id);
  const turn = turnOf(place.value.query.get('item'));
  const open = (id: string | undefined) => {
    if (id !== undefined) go(`/recordings/${id}`);
    else say(t('player.noFurther'));
  };
  const turnTo = (index: number) => {
    if (turn?.queue.entries[index]) openEntry(index, playback.playing.peek());
    else say(t('player.noFurther'));
  };
  const targets: KeyTargets = {
    playback,
    play,
    setSpeed: (speed) => change({ speed }),
    setSkipSilence: (skipSilence) => change({ skipSilence }),
    markStart: () => (playback.region.value = { startMs: playback.positionMs.peek(), endMs: undefined }),
    markEnd: () => {
      const startMs = playback.region.peek()?.startMs ?? 0;
      const endMs = playback.positionMs.peek();
      if (endMs > startMs) playback.region.value = { startMs, endMs };
    },
    comment: () => {
      if (!comments) return;
      setTab('comments');
      const region = playback.region.peek();
      remarks.writing.value =
        region?.endMs === undefined
          ? { startMs: playback.positionMs.peek(), endMs: undefined }
          : { startMs: region.startMs, endMs: region.endMs };
    },
    toMarker: (step) => {
      const agreed = recording.agreements.map(({ startMs }) => startMs);
      const ms = remarks.marker(playback.positionMs.peek(), step, agreed);
      if (ms === undefined) say(t('remarks.noMarker'));
      else playback.seek(ms);
    },
    openNext: () => (turn ? turnTo(turn.index + 1) : void nextAfter(recording.id).then(open)),
    openPrevious: () => (turn ? turnTo(turn.index - 1) : open(previous)),
    help: () => setDialog('help'),
  };
  const playable = recording.state === 'ready' && recording.durationMs !== null;
  if (objected) return <Objected />;

  return (
    <section
      ref={root}
      class="player"
      aria-label={t('player.title')}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (habits.shortcuts && playable && dialog === undefined) pressed(event, targets);
      }}
    >
      <Header recording={recording}>
        {playable && <Tools playback={playback} targets={targets} recordingId={recording.id} />}
      </Header>
      <div class="player-columns">
        <div class="player-main">
          {!playable && <NotPlayable state={recording.state} />}
          {playable && (
            <div class="panel console">
              <Lanes playback={playback} waveform={waveform} coming={waveformComing} names={legNames(recording)} />
              <Markers remarks={remarks} agreements={recording.agreements} playback={playback} />
              <Slider playback={playback} />
              <Transport
                playback={playback}
                targets={targets}
                purpose={purpose}
                changePurpose={() => setDialog('purpose')}
              />
            </div>
          )}
          {turn && playable && <QueueBar turn={turn} playback={playback} />}
          {refusal && (
            <div class="notice error" role="alert">
              <Icon name="error" />
              <div>{refusal.status === 410 ? t('gone.titleUndated') : problemText(refusal)}</div>
            </div>
          )}
          {resumedMs !== undefined && playable && (
            <Resumed
              atMs={resumedMs}
              restart={() => {
                playback.seek(0);
                setResumedMs(undefined);
              }}
            />
          )}
          {playable && <Region playback={playback} targets={targets} />}
          {playable && (
            <FlagBar
              recording={recording}
              playback={playback}
              closed={() => {
                playback.pause();
                setObjected(true);
              }}
            />
          )}
          <p class="muted spoken">
            {t(user.role === 'trainer' || user.role === 'agent' ? 'player.spokenNames' : 'player.noted')}
          </p>
        </div>
        <Side
          recording={recording}
          waveform={waveform}
          playback={playback}
          purpose={purpose}
          remarks={remarks}
          open={tab}
          setOpen={setTab}
          changed={changed}
        />
      </div>
      {dialog === 'help' && (
        <Help
          shortcuts={habits.shortcuts}
          change={(shortcuts) => change({ shortcuts })}
          close={() => setDialog(undefined)}
        />
      )}
      {dialog === 'purpose' && (
        <PurposeDialog
          recordingId={recording.id}
          chosen={purpose}
          close={() => setDialog(undefined)}
          choose={(chosen) => {
            setDialog(undefined);
            setPurpose(chosen);
            playback.setSource(address(`/recordings/${recording.id}/audio`, { purpose: chosen }));
            if (!playback.playing.peek()) void playback.play();
          }}
        />
      )}
    </section>
  );
}

function NotPlayable({ state }: { state: Recording['state'] }) {
  const failed = state === 'failed';
  return (
    <div class={`notice ${failed ? 'error' : ''}`} role="status">
      <Icon name={failed ? 'error' : 'clock'} />
      <div>{t(failed ? 'player.failed' : 'player.processing')}</div>
    </div>
  );
}

/** Who is heard on each channel; a single channel holds both. */
function legNames({ channels, channelMap }: Recording): LegName[] {
  return channels < 2 ? ['both'] : [channelMap[0] ?? 'caller', channelMap[1] ?? 'agent'];
}

/** `?t=` in seconds, as milliseconds. */
function readTime(text: string | null): number | undefined {
  const seconds = text === null || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
