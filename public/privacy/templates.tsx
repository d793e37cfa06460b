import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { useForm } from '../parts/form.js';
import { PageHead } from '../parts/heading.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { BackToQueue } from './back.js';
import './privacy.css';

interface Template {
  opening: string;
  closing: string;
  revision: number;
}

const locales = ['nl', 'en'] as const;

/** How the organisation opens and closes its letters, in each language; what a letter must say stands between. */
export function Templates() {
  return (
    <>
      <BackToQueue />
      <PageHead title={t('templates.title')} lead={t('templates.lead')} />
      {locales.map((locale) => (
        <section key={locale} class="panel padded part template" aria-labelledby={`template-${locale}`}>
          <h2 id={`template-${locale}`}>{t(`intake.locale.${locale}`)}</h2>
          <OneTemplate locale={locale} />
        </section>
      ))}
    </>
  );
}

function OneTemplate({ locale }: { locale: (typeof locales)[number] }) {
  const path = `/privacy-letter-templates/${locale}`;
  const loaded = useLoaded(path, (signal) => ask<Template>(path, { signal }));
  const [renewed, setRenewed] = useState<Template | undefined>();
  if (loaded.state === 'failed') return <Failure problem={loaded.problem} again={loaded.again} />;
  if (loaded.state === 'loading') return <Bones count={3} />;
  const template = renewed ?? loaded.value;
  return <TemplateForm key={template.revision} path={path} locale={locale} template={template} written={setRenewed} />;
}

interface FormProps {
  path: string;
  locale: string;
  template: Template;
  written: (template: Template) => void;
}

function TemplateForm({ path, locale, template, written }: FormProps) {
  const form = useForm({
    prefix: `template-${locale}-`,
    fields: ['opening', 'closing'],
    send: async (read) => {
      const body = { opening: read('opening'), closing: read('closing') };
      written(await ask<Template>(path, { method: 'PUT', body }));
      say(t('templates.saved'));
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
        {template.revision === 0 ? t('templates.none') : t('templates.revision', { revision: template.revision })}
      </p>
      {(['opening', 'closing'] as const).map((part) => (
        <Field key={part} {...form.of(part)} label={t(`templates.${part}`)} hint={t(`templates.${part}Hint`)}>
          {(wiring) => (
            <textarea class="input" rows={4} maxLength={10000} lang={locale} defaultValue={template[part]} {...wiring} />
          )}
        </Field>
      ))}
      <div class="actions">
        <button type="submit" class="button primary" aria-label={t('templates.saveOf', { language: t(`intake.locale.${locale as 'nl' | 'en'}`) })}>
          {t('form.save')}
        </button>
      </div>
    </form>
  );
}
