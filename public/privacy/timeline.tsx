import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { moment } from '../format.js';
import { t, textOf } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { countsOf } from './item.js';
import type { PartProps, RequestFile, TimelineEntry } from './types.js';

/** What happened to the request, newest first, with notes and correspondence. */
export function Timeline({ file, officer, changed }: PartProps) {
  const [writing, setWriting] = useState(false);
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
        {file.timeline.toReversed().map((entry, index) => (
          <li key={`${entry.at} ${index}`}>
            <span class="muted">{moment(entry.at)}</span>
            <span>
              <strong>{eventText(entry)}</strong>
              <span class="muted"> · {entry.by === null ? t('timeline.system') : (entry.byName ?? '…')}</span>
            </span>
            {entry.note && <p>{entry.note}</p>}
          </li>
        ))}
      </ol>
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
  return event;
}
