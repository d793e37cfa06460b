import { ask } from '../api/client.js';
import { clock, moment } from '../format.js';
import { plural, t } from '../i18n.js';
import { Dialog } from '../parts/dialog.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';
import type { Playback } from '../player/playback.js';
import { changedLines } from './lines.js';
import type { Revision, Segment } from './types.js';

/** Every wording of a transcript, newest first, each with what it changed of the one before. */
export function History({ path, playback, close }: { path: string; playback: Playback; close: () => void }) {
  const history = useLoaded(`${path}/history`, (signal) => ask<{ items: Revision[] }>(`${path}/history`, { signal }));
  return (
    <Dialog title={t('transcript.historyTitle')} close={close}>
      {history.state === 'loading' && <Bones count={4} />}
      {history.state === 'failed' && <Failure problem={history.problem} again={history.again} />}
      {history.state === 'ready' && (
        <ol class="revisions">
          {history.value.items.map((revision, index) => (
            <Wording
              key={revision.revision}
              revision={revision}
              before={history.value.items[index + 1]}
              seek={(ms) => {
                playback.seek(ms);
                close();
              }}
            />
          ))}
        </ol>
      )}
    </Dialog>
  );
}

interface Props {
  revision: Revision;
  before: Revision | undefined;
  seek: (ms: number) => void;
}

function Wording({ revision, before, seek }: Props) {
  const { origin, changedBy, changedAt, reason, segments } = revision;
  const { gone, come } = changedLines(before?.segments ?? [], segments);
  return (
    <li>
      <h3>{t('transcript.version', { revision: revision.revision })}</h3>
      <p class="muted">
        {t('transcript.madeBy', {
          origin: origin === null ? '' : t(`transcript.origin.${origin}`),
          name: changedBy?.name ?? t('transcript.service'),
          when: changedAt === null ? '' : moment(changedAt),
        })}
      </p>
      {reason !== null && <p>{t('transcript.because', { reason })}</p>}
      <details open={before !== undefined}>
        <summary>
          {before ? plural('transcript.changes', Math.max(gone.length, come.length)) : plural('transcript.all', segments.length)}
        </summary>
        <ul class="wordings">
          {before &&
            gone.map((segment) => (
              <Line key={`was ${segment.startMs} ${segment.text}`} label={t('transcript.was')} segment={segment} seek={seek} />
            ))}
          {come.map((segment) => (
            <Line
              key={`is ${segment.startMs} ${segment.text}`}
              label={before ? t('transcript.became') : undefined}
              segment={segment}
              seek={seek}
            />
          ))}
        </ul>
      </details>
    </li>
  );
}

function Line({ label, segment, seek }: { label: string | undefined; segment: Segment; seek: (ms: number) => void }) {
  const at = clock(segment.startMs);
  const words = `${segment.speaker ? `${t(`lane.${segment.speaker}`)}: ` : ''}${segment.text}`;
  return (
    <li>
      <button type="button" class="button quiet small" aria-label={t('remarks.play', { time: at })} onClick={() => seek(segment.startMs)}>
        {at}
      </button>
      <span>
        {label !== undefined && <strong>{label}: </strong>}
        {label === t('transcript.was') ? <del>{words}</del> : words}
      </span>
    </li>
  );
}
