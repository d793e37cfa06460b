import { useEffect, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Field } from '../parts/field.js';
import { useForm } from '../parts/form.js';
import { asProblem, Bones, Failure, problemText, useLoaded } from '../parts/state.js';
import { say } from '../shell/toast.js';
import type { PartProps } from './types.js';

interface Draft {
  locale: 'nl' | 'en';
  text: string;
  edited: boolean;
  /** Complaint and petition, in every letter. */
  fixed: string;
}

/** The letter as it would be now; it can be written in other words until it is approved. */
export function LetterPart({ file }: PartProps) {
  const [open, setOpen] = useState(false);
  return (
    <section class="panel padded part" aria-labelledby="letter-title">
      <h2 id="letter-title">{t('letter.title')}</h2>
      <details onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}>
        <summary>{t('letter.open')}</summary>
        {open && <Letter key={file.timeline.length} file={file} />}
      </details>
    </section>
  );
}

function Letter({ file }: Pick<PartProps, 'file'>) {
  const path = `/privacy-requests/${file.id}/letter/draft`;
  const loaded = useLoaded(path, (signal) => ask<Draft>(path, { signal }));
  const [renewed, setRenewed] = useState<Draft | undefined>();
  useEffect(() => setRenewed(undefined), [path]);
  if (loaded.state === 'failed') return <Failure problem={loaded.problem} again={loaded.again} />;
  if (loaded.state === 'loading') return <Bones count={4} />;
  const draft = renewed ?? loaded.value;
  return (
    <LetterForm
      key={draft.text}
      path={path}
      draft={draft}
      written={setRenewed}
      // An objection that is decided later has a letter of its own.
      fixed={file.state === 'answer' && !file.processes.some(({ state }) => state === 'decided')}
    />
  );
}

interface FormProps {
  path: string;
  draft: Draft;
  /** Approved: it is read, not written. */
  fixed: boolean;
  written: (draft: Draft) => void;
}

function LetterForm({ path, draft, fixed, written }: FormProps) {
  const form = useForm({
    prefix: 'letter-',
    fields: ['text'],
    check: (read) => (read('text') === '' ? { text: t('letter.textMissing') } : {}),
    send: async (read) => {
      written(await ask<Draft>(path, { method: 'PUT', body: { text: read('text') } }));
      say(t('letter.saved'));
    },
  });
  const compose = async () => {
    try {
      written(await ask<Draft>(path, { method: 'PUT', body: { text: null } }));
      say(t('letter.composed'));
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  };
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
      <p class="muted">{t('letter.why', { language: t(`intake.locale.${draft.locale}`) })}</p>
      {draft.edited && (
        <p>
          <Badge icon="info">{t('letter.edited')}</Badge>
        </p>
      )}
      <Field {...form.of('text')} label={t('letter.text')} {...(fixed ? {} : { hint: t('letter.textHint') })}>
        {(wiring) => (
          <textarea
            class="input letter-text"
            rows={16}
            readOnly={fixed}
            lang={draft.locale}
            maxLength={50000}
            defaultValue={draft.text}
            {...wiring}
          />
        )}
      </Field>
      <details>
        <summary>{t('letter.fixed')}</summary>
        <p class="letter-fixed" lang={draft.locale}>
          {draft.fixed}
        </p>
      </details>
      {!fixed && (
        <div class="actions">
          <button type="submit" class="button">
            {t('letter.save')}
          </button>
          {draft.edited && (
            <button type="button" class="button quiet" onClick={() => void compose()}>
              {t('letter.compose')}
            </button>
          )}
        </div>
      )}
    </form>
  );
}
