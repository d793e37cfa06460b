#!/usr/bin/env bash
# Makes the sample calls again from dialogues.txt: the audio files here, and transcripts.ts.
# Only needed after dialogues.txt has changed; the results are kept in the repository.
# Needs espeak-ng, sox and ffmpeg (FFMPEG=<path> for another than the one on PATH).
set -euo pipefail
cd "$(dirname "$0")"
ffmpeg=${FFMPEG:-ffmpeg}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
spoken=$work/spoken.tsv
: > "$spoken"
rate=8000

# A telephone's band, and a level as of a person who is not shouting.
say() { # voice speed pitch volume text out
  espeak-ng -v "$1" -s "$2" -p "$3" -a "$4" -w "$work/voice.wav" "$5"
  sox -R "$work/voice.wav" -r $rate -c 1 -b 16 "$6" \
    gain -4 highpass 250 lowpass 3300 norm "-$((14 - $4 / 10))" reverse silence 1 0.02 0.5% reverse pad 0 0.05
}

# Music such as one hears on hold: a few plucked chords.
hold_music() { # milliseconds out
  local seconds; seconds=$(awk "BEGIN{print $1/1000}")
  sox -R -n -r $rate -b 16 "$work/bar.wav" synth 2 pluck C4 pluck E4 pluck G4 pluck C5 delay 0 0.4 0.8 1.2 remix - vol 0.5
  sox -R -n -r $rate -b 16 "$work/bar2.wav" synth 2 pluck A3 pluck C4 pluck E4 pluck A4 delay 0 0.4 0.8 1.2 remix - vol 0.5
  sox -R "$work/bar.wav" "$work/bar2.wav" "$2" repeat 10 trim 0 "$seconds" fade t 0.05 "$seconds" 0.2 norm -14
}

length_ms() { awk "BEGIN{printf \"%d\", $(soxi -D "$1") * 1000 + 0.5}"; }

# Puts a sound on one leg at the present moment and moves the moment behind it.
place() { # leg sound
  local count; count=$(ls "$work/legs" | wc -l)
  sox "$2" "$work/legs/$1-$count.wav" pad "$(awk "BEGIN{print $at/1000}")"
  at=$((at + $(length_ms "$2")))
}

leg() { # name out: all of one leg over faint room noise, as long as the call
  local total; total=$(awk "BEGIN{print $at/1000}")
  sox -R -n -r $rate -c 1 -b 16 "$work/room.wav" synth "$total" pinknoise vol 0.004 highpass 250 lowpass 3300
  sox -m -v 1 "$work/room.wav" $(for sound in "$work"/legs/"$1"-*.wav; do echo -v 1 "$sound"; done) "$2" trim 0 "$total"
}

finish() {
  [ -n "${name:-}" ] || return 0
  at=$((at + 600))
  leg caller "$work/caller.wav"
  leg agent "$work/agent.wav"
  if [ "$channels" = stereo ]; then sox -M "$work/caller.wav" "$work/agent.wav" "$work/call.wav"
  else sox -m -v 1 "$work/caller.wav" -v 1 "$work/agent.wav" "$work/call.wav"; fi
  case $codec in
    ulaw) sox "$work/call.wav" -e mu-law "$file" ;;
    pcm) sox "$work/call.wav" -e signed -b 16 "$file" ;;
    gsm) sox "$work/call.wav" -t wav -e gsm-full-rate "$file" ;;
    mp3) "$ffmpeg" -v error -nostdin -y -i "$work/call.wav" -ar 16000 -b:a "$([ $channels = stereo ] && echo 40k || echo 24k)" "$file" ;;
    opus) "$ffmpeg" -v error -nostdin -y -i "$work/call.wav" -c:a libopus -b:a "$([ $channels = stereo ] && echo 24k || echo 16k)" "$file" ;;
  esac
  printf '%s\tend\t%s\n' "$name" "$at" >> "$spoken"
  echo "$file: $((at / 1000)) s, $(stat -c %s "$file") bytes"
}

while IFS= read -r line; do
  case $line in
    '#'*|'') ;;
    '['*) finish; name=${line:1:-1}; at=400; rm -rf "$work/legs"; mkdir "$work/legs" ;;
    'file '*) read -r _ file channels codec <<< "$line" ;;
    'caller '*) read -ra caller <<< "${line#caller }" ;;
    'agent '*) read -ra agent <<< "${line#agent }" ;;
    'C: '*|'A: '*)
      text=${line:3}
      if [ "${line:0:1}" = C ]; then who=caller; voice=("${caller[@]}"); else who=agent; voice=("${agent[@]}"); fi
      say "${voice[@]}" "$text" "$work/line.wav"
      printf '%s\t%s\t%s\t%s\n' "$name" "$who" "$at" "$text" >> "$spoken"
      place "$who" "$work/line.wav"
      at=$((at + 250 + (${#text} * 7) % 400)) ;;
    '-- silence '*) at=$((at + ${line##* })) ;;
    '-- hold '*)
      hold_music "${line##* }" "$work/line.wav"
      printf '%s\thold\t%s\t%s\n' "$name" "$at" "$((at + ${line##* }))" >> "$spoken"
      place agent "$work/line.wav"
      at=$((at + 400)) ;;
    *) echo "not understood: $line" >&2; exit 1 ;;
  esac
done < dialogues.txt
finish

node - "$spoken" > transcripts.ts <<'NODE'
const { readFileSync } = require('node:fs');
const calls = new Map();
for (const row of readFileSync(process.argv[2], 'utf8').trim().split('\n')) {
  const [name, kind, at, text] = row.split('\t');
  if (!calls.has(name)) calls.set(name, { lines: [], holds: [], durationMs: 0 });
  const call = calls.get(name);
  if (kind === 'end') call.durationMs = Number(at);
  else if (kind === 'hold') call.holds.push({ startMs: Number(at), endMs: Number(text) });
  else call.lines.push({ atMs: Number(at), who: kind, text });
}
const quoted = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const parts = [...calls].map(([name, { durationMs, holds, lines }]) => [
  `  ${quoted(name)}: {`,
  `    durationMs: ${durationMs},`,
  `    holds: [${holds.map(({ startMs, endMs }) => `{ startMs: ${startMs}, endMs: ${endMs} }`).join(', ')}],`,
  '    lines: [',
  ...lines.map(({ atMs, who, text }) => `      { atMs: ${atMs}, who: '${who}', text: ${quoted(text)} },`),
  '    ],',
  '  },',
].join('\n'));
console.log(`/** Made by make.sh from dialogues.txt: what is said in the sample calls, and when. */

export interface TranscriptLine {
  /** From the beginning of the recording. */
  atMs: number;
  who: 'caller' | 'agent';
  text: string;
}

export interface Transcript {
  durationMs: number;
  /** Hold music. */
  holds: { startMs: number; endMs: number }[];
  lines: TranscriptLine[];
}

export const transcripts = {
${parts.join('\n')}
} as const satisfies Record<string, Transcript>;`);
NODE
