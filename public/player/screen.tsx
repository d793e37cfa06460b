import { useEffect, useState } from 'preact/hooks';
import { ApiProblem, ask } from '../api/client.js';
import type { Recording, Waveform } from '../api/types.js';
import { PassedOver } from '../collections/passed.js';
import { PageHead } from '../parts/heading.js';
import { t } from '../i18n.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';
import type { ScreenProps } from '../shell/screens.js';
import { Desk } from './desk.js';
import { Gone } from './gone.js';
import './lanes.css';
import './player.css';

/** One recording: found, gone (410) or not there. */
export function Player({ id }: ScreenProps) {
  const path = `/recordings/${encodeURIComponent(id)}`;
  const loaded = useLoaded(path, (signal) => ask<Recording>(path, { signal }));
  const [renewed, setRenewed] = useState<Recording | undefined>();
  const recording = loaded.state === 'ready' && renewed ? { ...loaded, value: renewed } : loaded;
  const waiting = recording.state === 'ready' && recording.value.state === 'received';
  // The lanes are a help: without them the slider still works, so a failure here is no failure of the screen.
  const waveform = useLoaded(`${path}/waveform${waiting ? '?' : ''}`, (signal) =>
    ask<Waveform>(`${path}/waveform`, { signal }).catch((error: unknown) => {
      if (error instanceof ApiProblem) return undefined;
      throw error;
    }),
  );
  // One that is being made playable becomes so while someone looks.
  useEffect(() => {
    if (!waiting) return undefined;
    const every = setInterval(() => {
      ask<Recording>(path).then(setRenewed, () => undefined);
    }, 3000);
    return () => clearInterval(every);
  }, [path, waiting]);
  if (recording.state === 'failed') {
    if (recording.problem.status === 410) {
      return (
        <>
          <PassedOver />
          <Gone problem={recording.problem} />
        </>
      );
    }
    return (
      <>
        <PassedOver />
        <PageHead title={t('player.title')} />
        <Failure problem={recording.problem} again={recording.again} />
      </>
    );
  }
  if (recording.state === 'loading') {
    return (
      <>
        <PageHead title={t('player.title')} />
        <Bones count={6} />
      </>
    );
  }
  return (
    <Desk
      recording={recording.value}
      changed={() => void ask<Recording>(path).then(setRenewed, () => undefined)}
      waveform={waveform.state === 'ready' ? waveform.value : undefined}
      waveformComing={waveform.state === 'loading'}
    />
  );
}
