import { useRef, useState } from 'preact/hooks';
import { clock, readClock } from '../format.js';
import { t } from '../i18n.js';
import { Icon } from './icon.js';

/** Where somebody who is not involved is heard, in milliseconds of the playback copy: on one leg, or on all. */
export interface Stretch {
  startMs: number;
  endMs: number;
  channel?: 'caller' | 'agent';
}

interface Row {
  key: number;
  from: string;
  to: string;
  leg: string;
}

interface Props {
  /** Name and id of the field in the form; its value is what `readMask` reads. */
  id: string;
  name: string;
  'aria-describedby'?: string | undefined;
  known: readonly Stretch[];
  /** More than one voice, each on a channel of its own. */
  legs: boolean;
  /** The recording, to be listened to while its stretches are noted. */
  audio: string;
}

/** Stretches that are to be made inaudible, noted while listening: times can be typed or taken from where one is. */
export function MaskEditor({ id, name, known, legs, audio, ...wiring }: Props) {
  const element = useRef<HTMLAudioElement>(null);
  const next = useRef(known.length);
  const [rows, setRows] = useState<Row[]>(
    known.map(({ startMs, endMs, channel }, key) => ({ key, from: clock(startMs), to: clock(endMs), leg: channel ?? '' })),
  );
  const here = () => clock((element.current?.currentTime ?? 0) * 1000);
  const change = (key: number, told: Partial<Row>) =>
    setRows((before) => before.map((row) => (row.key === key ? { ...row, ...told } : row)));
  const add = () => {
    next.current += 1;
    setRows((before) => [...before, { key: next.current, from: here(), to: '', leg: '' }]);
  };
  return (
    <div class="mask" id={id} tabIndex={-1} role="group" aria-describedby={wiring['aria-describedby']} aria-label={t('mask.title')}>
      <audio ref={element} controls preload="none" src={audio} aria-label={t('mask.listen')} />
      {rows.length > 0 && (
        <ul>
          {rows.map(({ key, from, to, leg }, index) => (
            <li key={key}>
              <input
                class="input"
                aria-label={t('mask.from', { number: index + 1 })}
                placeholder="0:30"
                value={from}
                autocomplete="off"
                onInput={(event) => change(key, { from: event.currentTarget.value })}
              />
              <span aria-hidden="true">–</span>
              <input
                class="input"
                aria-label={t('mask.to', { number: index + 1 })}
                placeholder="0:45"
                value={to}
                autocomplete="off"
                onInput={(event) => change(key, { to: event.currentTarget.value })}
              />
              <button
                type="button"
                class="button small"
                aria-label={t('mask.endHereOf', { number: index + 1 })}
                onClick={() => change(key, { to: here() })}
              >
                {t('mask.endHere')}
              </button>
              {legs && (
                <select
                  class="input"
                  aria-label={t('mask.leg', { number: index + 1 })}
                  value={leg}
                  onChange={(event) => change(key, { leg: event.currentTarget.value })}
                >
                  <option value="">{t('mask.all')}</option>
                  <option value="caller">{t('mask.caller')}</option>
                  <option value="agent">{t('mask.agent')}</option>
                </select>
              )}
              <button
                type="button"
                class="button quiet icon-only small"
                aria-label={t('mask.remove', { number: index + 1 })}
                onClick={() => setRows((before) => before.filter((row) => row.key !== key))}
              >
                <Icon name="bin" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <button type="button" class="button small" onClick={add}>
        <Icon name="plus" />
        {t('mask.add')}
      </button>
      <input type="hidden" name={name} value={rows.map(({ from, to, leg }) => `${from}-${to} ${leg}`.trim()).join('\n')} />
    </div>
  );
}

/** "0:30-0:45", "0:30-0:45 caller", one a line; undefined where a line is no stretch. */
export function readMask(text: string): Stretch[] | undefined {
  const stretches: Stretch[] = [];
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const found = /^([^-–]+)[-–]([^-–]+?)(?:\s+(caller|agent))?$/.exec(line.trim());
    const startMs = readClock(found?.[1] ?? '');
    const endMs = readClock(found?.[2] ?? '');
    if (startMs === undefined || endMs === undefined || endMs <= startMs) return undefined;
    const channel = found?.[3] as Stretch['channel'];
    stretches.push({ startMs, endMs, ...(channel === undefined ? {} : { channel }) });
  }
  return stretches;
}
