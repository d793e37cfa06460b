import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { moment } from '../format.js';
import { plural, t, textOf } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { countsOf } from './item.js';
import type { PartProps, RequestFile, TimelineEntry } from './types.js';

const pageLength = 40;

/** Acts of the same kind, by the same person, one after the other at once: a row of the timeline. */
interface EntryRun {
  at: number;
  entries: TimelineEntry[];
}

const judged = (kind: string) => kind === 'decided' || kind === 'item_not_theirs';

/** Decisions on many items that were taken together stand together. */
function runsOf(entries: readonly TimelineEntry[]): EntryRun[] {
  const runs: EntryRun[] = [];
  entries.forEach((entry, at) => {
    const last = runs.at(-1)?.entries.at(-1);
    const together = last && judged(last.kind) && judged(entry.kind) && last.by === entry.by && last.at === entry.at;
    if (together) runs.at(-1)?.entries.push(entry);
    else runs.push({ at, entries: [entry] });
  });
  return runs;
}

function Run({ entries }: { entries: TimelineEntry[] }) {
  const [first] = entries;
  if (first === undefined) return null;
  const by = first.by === null ? t('timeline.system') : (first.byName ?? '…');
  return (
    <li>
      <span class="muted">{moment(first.at)}</span>
      <span>
        <strong>{entries.length === 1 ? eventText(first) : plural('timeline.decisions', entries.length)}</strong>
        <span class="muted"> · {by}</span>
        {entries.length > 1 && (
          <details>
            <summary>{t('timeline.which')}</summary>
            <ul class="checks">
              {[...counted(entries.map(eventText))].map(([text, count]) => (
                <li key={text}>
                  {text} {count > 1 && <span class="muted">{count}×</span>}
                </li>
              ))}
            </ul>
          </details>
        )}
      </span>
      {first.note && <p>{first.note}</p>}
    </li>
  );
}

const counted = (texts: readonly string[]) =>
  texts.reduce((counts, text) => counts.set(text, (counts.get(text) ?? 0) + 1), new Map<string, number>());

/** What happened to the request, newest first, with notes and correspondence. */
export function Timeline({ file, officer, changed }: PartProps) {
  const [writing, setWriting] = useState(false);
  const [shown, setShown] = useState(pageLength);
  const runs = runsOf(file.timeline.toReversed());
  const shownRuns = runs.slice(0, shown);
  return (
    <section class="panel padded part" aria-labelledby="timeline-title">
      <div class="part-head">
        <h2 id="timeline-title">{t('timeline.title')}</h2>
        {officer && (
          <button type="button" class="button small" onClick={() => setWriting(true)}>
            <Icon name="plus" />
            {t('timeline.note')}
          </button>
        )}
      </div>
      <ol class="timeline">
        {shownRuns.map((run) => (
          <Run key={run.at} entries={run.entries} />
        ))}
      </ol>
      {runs.length > shown && (
        <button type="button" class="button small" onClick={() => setShown(shown + pageLength)}>
          {t('recordings.more')}
        </button>
      )}
      {writing && (
        <FormDialog
          title={t('timeline.note')}
          label={t('form.save')}
          prefix="note-"
          fields={['note', 'direction']}
          check={(read) => (read('note') === '' ? { note: t('timeline.noteMissing') } : {})}
          send={async (read) => {
            const body = { direction: read('direction'), note: read('note') };
            const next = await ask<RequestFile>(`/privacy-requests/${file.id}/notes`, { method: 'POST', body });
            setWriting(false);
            changed(next, t('timeline.noted'));
          }}
          close={() => setWriting(false)}
        >
          {(of) => (
            <>
              <Field {...of('direction')} label={t('timeline.direction')}>
                {(wiring) => (
                  <select class="input" {...wiring}>
                    {(['internal', 'received', 'sent'] as const).map((direction) => (
                      <option key={direction} value={direction}>
                        {t(`timeline.direction.${direction}`)}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <Field {...of('note')} label={t('timeline.noteText')}>
                {(wiring) => <textarea class="input" rows={5} maxLength={20000} aria-required="true" {...wiring} />}
              </Field>
            </>
          )}
        </FormDialog>
      )}
    </section>
  );
}

/** What an act came to, in the words of the form it was done with: "Identiteit gecontroleerd: Vastgesteld". */
function resultText(kind: string, details: TimelineEntry['details']): string | undefined {
  const word = (prefix: string, detail: string) => {
    const value = details[detail];
    return typeof value === 'string' ? textOf(`${prefix}.${value}`) : undefined;
  };
  if (kind === 'identity_checked') return word('identity', 'outcome');
  if (kind === 'paused') return word('clock.ground', 'ground');
  if (kind === 'notice_sent') return word('notices', 'notice');
  if (kind === 'closed') return word('closed', 'outcome');
  return undefined;
}

/** "Besluit genomen: Inzage, Verstrekken" */
function eventText({ kind, details }: TimelineEntry): string {
  const { right, decision, direction, recordings, tickets } = details;
  if (kind === 'noted' && typeof direction === 'string') return textOf(`timeline.direction.${direction}`) ?? kind;
  const event = textOf(`event.${kind}`) ?? kind;
  if (kind === 'decided' && typeof right === 'string' && typeof decision === 'string') {
    const verdict = textOf(`decide.${decision}.${right}`) ?? textOf(`decide.${decision}`) ?? decision;
    return `${event}: ${textOf(`right.${right}`) ?? right}, ${verdict}`;
  }
  if (kind === 'searched' && typeof recordings === 'number' && typeof tickets === 'number')
    return `${event}. ${t('find.found', countsOf({ recordings, tickets }))}`;
  const result = resultText(kind, details);
  return result === undefined ? event : `${event}: ${result}`;
}
