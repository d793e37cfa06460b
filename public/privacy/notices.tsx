import { useRef, useState } from 'preact/hooks';
import { ask, saveFile } from '../api/client.js';
import { t } from '../i18n.js';
import { Dialog } from '../parts/dialog.js';
import { Field } from '../parts/field.js';
import { useForm } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';
import { say } from '../shell/toast.js';
import type { PartProps, RequestFile } from './types.js';

const kinds = ['received', 'identity', 'clarification', 'extension', 'forward', 'forwarded', 'lifting', 'held_up', 'erased'] as const;
type Kind = (typeof kinds)[number];

/** Letters that make sense as the request stands; the service has the last word. */
const offered = (file: RequestFile): Kind[] =>
  kinds.filter((kind) => {
    if (kind === 'held_up' || kind === 'erased') return file.lettersDue.includes(kind);
    if (kind === 'identity') return file.identity.verifiedAt === null;
    if (kind === 'extension') return file.extended;
    if (kind === 'lifting') return file.closedAt === null ? file.processes.some(({ right }) => right === 'restriction') : file.restricted.count > 0;
    if (kind === 'forward' || kind === 'forwarded') return file.outcome === 'forwarded' || Boolean(file.subject?.organisation);
    return file.closedAt === null;
  });

/** Letters besides the answer: a receipt, what is asked of the person, an extension, sending on. */
export function NoticesPart({ file, changed }: Pick<PartProps, 'file'> & { changed: () => void }) {
  const choices = offered(file);
  const [chosen, setChosen] = useState<Kind | undefined>();
  const [open, setOpen] = useState(false);
  const first = file.lettersDue[0] ?? choices[0];
  // An order has no other letter than its reply.
  if (first === undefined || file.requesterKind === 'authority') return null;
  const kind = chosen !== undefined && choices.includes(chosen) ? chosen : first;
  return (
    <section class="panel padded part" aria-labelledby="notices-title">
      <h2 id="notices-title">{t('notices.title')}</h2>
      <p class="muted">{t('notices.why')}</p>
      {file.lettersDue.map((due) => (
        <div key={due} class="notice warn">
          <Icon name="warning" />
          <p>{t(`notices.due.${due}`)}</p>
        </div>
      ))}
      <div class="notice-choice">
        <Field name="notice-kind" label={t('notices.kind')}>
          {(wiring) => (
            <select class="input" value={kind} onChange={(event) => setChosen(event.currentTarget.value as Kind)} {...wiring}>
              {choices.map((each) => (
                <option key={each} value={each}>
                  {t(`notices.${each}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <button type="button" class="button" onClick={() => setOpen(true)}>
          <Icon name="mail" />
          {t('notices.write')}
        </button>
      </div>
      {open && (
        <LetterDialog
          path={`/privacy-requests/${file.id}/notices/${kind}`}
          title={t(`notices.${kind}`)}
          locale={file.locale}
          close={() => setOpen(false)}
          sent={changed}
        />
      )}
    </section>
  );
}

interface Draft {
  to: string | null;
  subject: string;
  text: string;
  fixed: string;
}

interface LetterProps {
  /** Read, it is the draft; sent to, it answers the letter and puts it on the timeline. */
  path: string;
  title: string;
  locale: 'nl' | 'en';
  close: () => void;
  sent: () => void;
}

/** A letter as the service composes it, to be worded otherwise and taken as a PDF or a page. */
export function LetterDialog({ path, title, locale, close, sent }: LetterProps) {
  const loaded = useLoaded(path, (signal) => ask<Draft>(path, { signal }));
  return (
    <Dialog title={title} close={close}>
      {loaded.state === 'loading' && <Bones count={4} />}
      {loaded.state === 'failed' && <Failure problem={loaded.problem} again={loaded.again} />}
      {loaded.state === 'ready' && <LetterForm draft={loaded.value} path={path} locale={locale} close={close} sent={sent} />}
    </Dialog>
  );
}

function LetterForm({ draft, path, locale, close, sent }: Omit<LetterProps, 'title'> & { draft: Draft }) {
  // Set by the button that is pressed, and read in the same event: a state would come one drawing later.
  const format = useRef<'pdf' | 'html'>('pdf');
  const form = useForm({
    prefix: 'notice-',
    fields: ['text'],
    check: (read) => (read('text') === '' ? { text: t('letter.textMissing') } : {}),
    send: async (read) => {
      const text = read('text') === draft.text.trim() ? undefined : read('text');
      await saveFile(path, { method: 'POST', body: { text, format: format.current } });
      say(t('notices.made'));
      sent();
      close();
    },
  });
  return (
    <form
      class="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(event.currentTarget);
      }}
    >
      {form.summary}
      <p class="muted">
        {t('notices.to', { name: draft.to ?? t('value.unknown') })} · <span lang={locale}>{draft.subject}</span>
      </p>
      <Field {...form.of('text')} label={t('letter.text')} hint={t('letter.textHint')}>
        {(wiring) => (
          <textarea class="input letter-text" rows={14} lang={locale} maxLength={50000} defaultValue={draft.text} {...wiring} />
        )}
      </Field>
      {draft.fixed !== '' && (
        <details>
          <summary>{t('letter.fixed')}</summary>
          <p class="letter-fixed" lang={locale}>
            {draft.fixed}
          </p>
        </details>
      )}
      <p class="muted">{t('notices.recorded')}</p>
      <div class="actions">
        <button type="submit" class="button primary" onClick={() => (format.current = 'pdf')}>
          {t('answer.pdf')}
        </button>
        <button type="submit" class="button" onClick={() => (format.current = 'html')}>
          {t('answer.html')}
        </button>
        <button type="button" class="button" onClick={close}>
          {t('dialog.cancel')}
        </button>
      </div>
    </form>
  );
}
