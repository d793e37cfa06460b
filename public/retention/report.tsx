import { useState } from 'preact/hooks';
import { address } from '../api/client.js';
import { dateBefore } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { Icon } from '../parts/icon.js';

/** As the report itself tells it. */
const commands = `sed -n '/^-----BEGIN PUBLIC KEY-----$/,/^-----END PUBLIC KEY-----$/p' report.txt > key.pem
sed '/^-----BEGIN OPNAME SIGNATURE-----$/,$d' report.txt > signed.txt
sed -n '/^-----BEGIN OPNAME SIGNATURE-----$/,/^-----END OPNAME SIGNATURE-----$/p' report.txt | sed '1d;$d' | openssl base64 -d > signature.der
openssl dgst -sha256 -verify key.pem -signature signature.der signed.txt
openssl pkey -pubin -in key.pem -outform DER | openssl dgst -sha256`;

/** The signed report of a period, and how anyone checks it. */
export function ReportPanel() {
  const [from, setFrom] = useState(dateBefore(30));
  const [to, setTo] = useState(dateBefore(0));
  const fault =
    from === '' || to === '' ? t('report.missing') : from > to ? t('report.backward') : undefined;
  return (
    <section class="panel" aria-labelledby="report">
      <h2 id="report" class="panel-title">
        {t('report.title')}
      </h2>
      <div class="form panel-body">
        <p class="muted">{t('report.why')}</p>
        <div class="pair">
          <Field name="report-from" label={t('report.from')}>
            {(wiring) => (
              <input
                class="input"
                type="date"
                value={from}
                onChange={(event) => setFrom(event.currentTarget.value)}
                {...wiring}
              />
            )}
          </Field>
          <Field name="report-to" label={t('report.to')} fault={fault}>
            {(wiring) => (
              <input
                class="input"
                type="date"
                value={to}
                onChange={(event) => setTo(event.currentTarget.value)}
                {...wiring}
              />
            )}
          </Field>
        </div>
        {fault === undefined && (
          <div class="actions">
            <a class="button" href={address('/retention/report', { from, to })} download>
              <Icon name="audit" />
              {t('report.download')}
            </a>
          </div>
        )}
        <details>
          <summary>{t('report.how')}</summary>
          <p class="muted">{t('report.howWhy')}</p>
          <pre class="commands" tabIndex={0}>
            {commands}
          </pre>
        </details>
      </div>
    </section>
  );
}
