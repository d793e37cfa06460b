import { ask } from '../api/client.js';
import { moment } from '../format.js';
import { t, textOf } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Field } from '../parts/field.js';
import { useForm } from '../parts/form.js';
import { identityMethods, type PartProps, type RequestFile } from './types.js';

/** The ladder of identity: light checks first, a covered copy last; method, outcome and who, never a document. */
export function IdentityPart({ file, officer, nameOf, changed }: PartProps) {
  const { verifiedAt, checks } = file.identity;
  const waiting = verifiedAt === null && file.closedAt === null;
  return (
    <section class={`panel padded part${waiting ? ' now' : ''}`} id="part-identity" aria-labelledby="identity-title">
      <h2 id="identity-title" tabIndex={-1}>
        {verifiedAt === null ? t('identity.title') : t('identity.done', { when: moment(verifiedAt) })}
      </h2>
      {waiting && <p class="muted">{t('identity.why')}</p>}
      {checks.length === 0 && !officer && <p>{t('identity.none')}</p>}
      {checks.length > 0 && (
        <ul class="checks">
          {checks.map((check) => (
            <li key={check.at}>
              <Badge icon={check.outcome === 'verified' ? 'ok' : 'warning'} tone={check.outcome === 'verified' ? 'ok' : 'warn'} plain>
                {t(`identity.${check.outcome}`)}
              </Badge>
              <span>{textOf(`identity.${check.method}`) ?? check.method}</span>
              <span class="muted">
                {nameOf(check.by)}, {moment(check.at)}
              </span>
              {check.doubt && officer && <span class="muted">{check.doubt}</span>}
            </li>
          ))}
        </ul>
      )}
      {waiting && officer && <CheckForm key={checks.length} file={file} changed={changed} />}
    </section>
  );
}

function CheckForm({ file, changed }: Pick<PartProps, 'file' | 'changed'>) {
  const form = useForm({
    prefix: 'identity-',
    fields: ['method', 'outcome', 'doubt'],
    check: (read) => {
      const needed = read('outcome') === 'doubt' || (read('method') === 'masked_copy' && !file.identity.checks.length);
      return needed && read('doubt') === '' ? { doubt: t('identity.doubtMissing') } : {};
    },
    send: async (read) => {
      const doubt = read('doubt') || undefined;
      const body = { method: read('method'), outcome: read('outcome'), doubt };
      changed(await ask<RequestFile>(`/privacy-requests/${file.id}/identity`, { method: 'POST', body }), t('identity.saved'));
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
      <fieldset id={form.of('method').name} tabIndex={-1}>
        <legend>{t('identity.ladder')}</legend>
        <ol class="ladder">
          {identityMethods.map((method, index) => (
            <li key={method}>
              <label class="check">
                <input type="radio" name="identity-method" value={method} defaultChecked={index === 0} />
                <span>{t(`identity.${method}`)}</span>
              </label>
            </li>
          ))}
        </ol>
      </fieldset>
      <fieldset id={form.of('outcome').name} tabIndex={-1}>
        <legend>{t('identity.outcome')}</legend>
        <div class="choices">
          {(['verified', 'doubt'] as const).map((outcome, index) => (
            <label key={outcome} class="check">
              <input type="radio" name="identity-outcome" value={outcome} defaultChecked={index === 0} />
              <span>{t(`identity.${outcome}`)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <Field {...form.of('doubt')} label={t('identity.doubtWhy')} hint={t('identity.doubtHint')}>
        {(wiring) => <textarea class="input short" rows={2} maxLength={2000} {...wiring} />}
      </Field>
      <div class="actions">
        <button type="submit" class="button primary">
          {t('identity.save')}
        </button>
      </div>
    </form>
  );
}
