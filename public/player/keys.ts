import type { PlainKey } from '../i18n.js';
import { speeds } from './memory.js';
import type { Playback } from './playback.js';

/** What the keys reach besides the playback itself. */
export interface KeyTargets {
  playback: Playback;
  play: () => void;
  setSpeed: (speed: number) => void;
  setSkipSilence: (skip: boolean) => void;
  markStart: () => void;
  markEnd: () => void;
  comment: () => void;
  toMarker: (step: 1 | -1) => void;
  openNext: () => void;
  openPrevious: () => void;
  help: () => void;
}

interface Shortcut {
  /** As drawn in the help. */
  shown: string[];
  label: PlainKey;
  /** Names of the key: `KeyboardEvent.key` in lower case, or `mute-1`, `solo-1` for digits without and with shift. */
  keys: string[];
  act: (targets: KeyTargets, key: string) => void;
}

const by = (ms: number) => (targets: KeyTargets) => targets.playback.seek(targets.playback.positionMs.peek() + ms);

function faster(steps: number) {
  return (targets: KeyTargets) => {
    const at = speeds.findIndex((speed) => speed === targets.playback.speed.peek());
    const next = speeds[at + steps];
    if (next !== undefined) targets.setSpeed(next);
  };
}

const legOf = (key: string) => Number(key.slice(-1)) - 1;

/** Every key of the player: the help shows this same list. */
export const shortcuts: Shortcut[] = [
  { shown: ['␣', 'K'], label: 'keys.play', keys: [' ', 'k'], act: (targets) => targets.play() },
  { shown: ['←'], label: 'keys.back5', keys: ['arrowleft'], act: by(-5000) },
  { shown: ['→'], label: 'keys.on5', keys: ['arrowright'], act: by(5000) },
  { shown: ['J'], label: 'keys.back10', keys: ['j'], act: by(-10_000) },
  { shown: ['L'], label: 'keys.on10', keys: ['l'], act: by(10_000) },
  { shown: ['PgUp'], label: 'keys.back30', keys: ['pageup'], act: by(-30_000) },
  { shown: ['PgDn'], label: 'keys.on30', keys: ['pagedown'], act: by(30_000) },
  { shown: [','], label: 'keys.slower', keys: [','], act: faster(-1) },
  { shown: ['.'], label: 'keys.faster', keys: ['.'], act: faster(1) },
  {
    shown: ['S'],
    label: 'keys.skip',
    keys: ['s'],
    act: (targets) => targets.setSkipSilence(!targets.playback.skipSilence.peek()),
  },
  {
    shown: ['1', '2'],
    label: 'keys.mute',
    keys: ['mute-1', 'mute-2'],
    act: (targets, key) => targets.playback.legs.toggleMute(legOf(key)),
  },
  {
    shown: ['⇧ 1', '⇧ 2'],
    label: 'keys.solo',
    keys: ['solo-1', 'solo-2'],
    act: (targets, key) => targets.playback.legs.toggleSolo(legOf(key)),
  },
  { shown: ['I'], label: 'keys.start', keys: ['i'], act: (targets) => targets.markStart() },
  { shown: ['O'], label: 'keys.end', keys: ['o'], act: (targets) => targets.markEnd() },
  { shown: ['C'], label: 'keys.comment', keys: ['c'], act: (targets) => targets.comment() },
  {
    shown: ['[', ']'],
    label: 'keys.markers',
    keys: ['[', ']'],
    act: (targets, key) => targets.toMarker(key === '[' ? -1 : 1),
  },
  { shown: ['N'], label: 'keys.next', keys: ['n'], act: (targets) => targets.openNext() },
  { shown: ['P'], label: 'keys.previous', keys: ['p'], act: (targets) => targets.openPrevious() },
  { shown: ['?'], label: 'keys.help', keys: ['?'], act: (targets) => targets.help() },
];

/**
 * Acts on a key pressed inside the player. Not in a field, not with a modifier; a focused button or checkbox keeps its
 * space bar. The slider is no field here: its arrows do what the map says.
 */
export function pressed(event: KeyboardEvent, targets: KeyTargets): void {
  const target = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof HTMLElement)) return;
  if (target.matches('input:not([type="range"], [type="checkbox"]), textarea, select, [role="tab"]')) return;
  if (event.key === ' ' && target.matches('button, a, summary, [type="checkbox"]')) return;
  const key = nameOf(event);
  const shortcut = shortcuts.find((known) => known.keys.includes(key));
  if (!shortcut) return;
  event.preventDefault();
  shortcut.act(targets, key);
}

/** Digits are told by their place on the keyboard, for with shift they are other characters. */
function nameOf(event: KeyboardEvent): string {
  const digit = /^(?:Digit|Numpad)([12])$/.exec(event.code)?.[1];
  if (digit !== undefined) return `${event.shiftKey ? 'solo' : 'mute'}-${digit}`;
  return event.key.toLowerCase();
}
