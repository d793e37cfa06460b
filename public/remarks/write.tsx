import { ask } from '../api/client.js';
import { clock, readClock } from '../format.js';
import { t } from '../i18n.js';
import { Field, type Faults } from '../parts/field.js';
import { FormDialog, type Read } from '../parts/form.js';

interface Props {
  recordingId: string;
  place: { startMs: number; endMs: number | undefined };
  durationMs: number;
  /** What agents write is there for their trainers. */
  agent: boolean;
  close: () => void;
  done: () => void;
}

/** Writes a comment at a moment or a stretch; both times can be typed. */
export function WriteComment({ recordingId, place, durationMs, agent, close, done }: Props) {
  const passage = (read: Read) => {
    const told = readClock(read('startMs'));
    // The field shows whole seconds: left as it was, the place itself counts.
    const startMs = told !== undefined && clock(told) === clock(place.startMs) ? place.startMs : told;
    const endMs = read('endMs') === '' ? null : readClock(read('endMs'));
    return { startMs, endMs };
  };
  const check = (read: Read): Faults => {
    const { startMs, endMs } = passage(read);
    return {
      ...(read('text') === '' ? { text: t('remarks.textMissing') } : {}),
      ...(startMs === undefined ? { startMs: t('remarks.momentWrong') } : {}),
      ...(endMs === undefined ? { endMs: t('remarks.momentWrong') } : {}),
      ...(startMs !== undefined && typeof endMs === 'number' && endMs <= startMs ? { endMs: t('remarks.endWrong') } : {}),
    };
  };
  return (
    <FormDialog
      title={t('remarks.add', { time: clock(place.startMs) })}
      label={t('remarks.save')}
      prefix="comment-"
      fields={['text', 'startMs', 'endMs', 'visibility']}
      check={check}
      send={async (read) => {
        const { startMs = 0, endMs } = passage(read);
        const most = Math.floor(durationMs);
        const body = {
          startMs: Math.min(Math.round(startMs), most),
          endMs: typeof endMs === 'number' ? Math.min(Math.round(endMs), most) : null,
          text: read('text'),
          ...(agent ? {} : { visibility: read('visibility') }),
        };
        await ask(`/recordings/${recordingId}/comments`, { method: 'POST', body });
        done();
      }}
      close={close}
    >
      {(of) => (
        <>
          <Field {...of('text')} label={t('remarks.text')}>
            {(wiring) => (
              <textarea class="input" rows={4} maxLength={5000} aria-required="true" autofocus {...wiring} />
            )}
          </Field>
          <div class="pair">
            <Field {...of('startMs')} label={t('remarks.from')}>
              {(wiring) => (
                <input
                  class="input"
                  inputMode="numeric"
                  autocomplete="off"
                  aria-required="true"
                  defaultValue={clock(place.startMs)}
                  {...wiring}
                />
              )}
            </Field>
            <Field {...of('endMs')} label={t('remarks.to')} hint={t('remarks.toHint')}>
              {(wiring) => (
                <input
                  class="input"
                  inputMode="numeric"
                  autocomplete="off"
                  defaultValue={place.endMs === undefined ? '' : clock(place.endMs)}
                  {...wiring}
                />
              )}
            </Field>
          </div>
          {agent ? (
            <p class="muted">{t('remarks.alwaysShared')}</p>
          ) : (
            <Field {...of('visibility')} label={t('remarks.visibility')}>
              {(wiring) => (
                <select class="input" {...wiring}>
                  <option value="private">{t('remarks.private')}</option>
                  <option value="shared">{t('remarks.shared')}</option>
                </select>
              )}
            </Field>
          )}
        </>
      )}
    </FormDialog>
  );
}
