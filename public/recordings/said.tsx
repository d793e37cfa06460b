import type { CallFacts } from '../collections/types.js';
import { clock, clockWords, day, time } from '../format.js';
import { plural, t } from '../i18n.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { Bones, Failure, State } from '../parts/state.js';
import { PartyNumber } from './row.js';

interface Hit {
  recording: CallFacts;
  segments: { startMs: number; speaker: 'caller' | 'agent' | null; text: string }[];
}

/** Calls in which words were said, each with the lines that hold them: a line opens the call there. */
export function Said({ words }: { words: string }) {
  const hits = usePages<Hit>('/transcripts', { q: words });
  const { first, items } = hits;
  if (first.state === 'failed') return <Failure problem={first.problem} again={hits.again} />;
  if (first.state === 'loading') return <Bones count={6} />;
  if (items.length === 0)
    return (
      <State icon="search" title={t('said.none')}>
        <p>{t('said.noneWhy')}</p>
      </State>
    );
  return (
    <>
      <h2 class="panel-title">{t('said.title')}</h2>
      <ul class="said">
        {items.map(({ recording, segments }) => (
          <li key={recording.id}>
            <p class="said-call">
              <a class="row-link" href={`/recordings/${recording.id}`}>
                {day(recording.startedAt)} {time(recording.startedAt)}
              </a>
              <span>
                <span aria-hidden="true">{clock(recording.durationMs)}</span>
                <span class="unseen">{clockWords(recording.durationMs)}</span>
              </span>
              <PartyNumber number={recording.caller} />
              <span class="muted">{recording.agent ?? t('value.unknown')}</span>
            </p>
            <ul>
              {segments.map(({ startMs, speaker, text }) => (
                <li key={startMs} class="said-line">
                  <a
                    href={`/recordings/${recording.id}?t=${startMs / 1000}`}
                    aria-label={t('said.from', { time: clock(startMs) })}
                  >
                    {clock(startMs)}
                  </a>
                  <span>
                    {speaker && <strong class={`${speaker}-words`}>{t(`lane.${speaker}`)}: </strong>}
                    {text}
                  </span>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
      <More pages={hits} shown={plural('said.found', items.length)} />
    </>
  );
}
