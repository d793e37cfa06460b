import { Fragment } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Report } from '../../src/packages/verifier/check.js';
import { verdictBy } from '../../src/packages/verifier/verdict.js';
import { address } from '../api/client.js';
import { moment, share } from '../format.js';
import { t } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { Field } from '../parts/field.js';
import { Icon, type IconName } from '../parts/icon.js';
import { Fact } from '../parts/fact.js';
import { dropped, packageOf } from '../verifier/chosen.js';
import { OwnKeys, readKeys } from './keys.js';
import './evidence.css';

type Progress =
  | { state: 'idle' | 'unreadable' | 'none' }
  | { state: 'checking'; done: number }
  | { state: 'done'; report: Report };

/** Checks a package in this browser, with the verifier that is in every package. Nothing is sent anywhere. */
export function Verify() {
  const [progress, setProgress] = useState<Progress>({ state: 'idle' });
  const [over, setOver] = useState(false);
  const [typed, setTyped] = useState('');
  const round = useRef(0);

  async function check(choose: Promise<{ path: string; file: File }[]>) {
    round.current += 1;
    const mine = round.current;
    const tell = (next: Progress) => mine === round.current && setProgress(next);
    tell({ state: 'checking', done: 0 });
    try {
      const [{ checkPackage }, keys] = await Promise.all([
        import('../../src/packages/verifier/check.js'),
        // A package is checked without them, too; then whose it is stays unknown.
        readKeys().catch(() => []),
      ]);
      const report = await checkPackage(await packageOf(await choose), {
        trustedKeyIds: keys.map(({ keyId }) => keyId),
        onProgress: (done, total) => tell({ state: 'checking', done: total === 0 ? 1 : done / total }),
      });
      const none = report.faults.some(({ what }) => what === 'no_package');
      tell(none ? { state: 'none' } : { state: 'done', report });
    } catch {
      tell({ state: 'unreadable' });
    }
  }

  return (
    <>
      <PageHead title={t('verify.title')} lead={t('verify.lead')} />
      <div class="verify">
        <div
          class={over ? 'drop over' : 'drop'}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => {
            event.preventDefault();
            setOver(false);
            if (event.dataTransfer) void check(dropped(event.dataTransfer.items));
          }}
        >
          <div class="field">
            <label for="package">{t('verify.file')}</label>
            <input
              class="input"
              id="package"
              type="file"
              accept=".zip,application/zip"
              onChange={(event) => {
                const files = [...(event.currentTarget.files ?? [])].map((file) => ({ path: file.name, file }));
                if (files.length > 0) void check(Promise.resolve(files));
              }}
            />
          </div>
          <p class="muted">{t('verify.drop')}</p>
          <Field name="fingerprint" label={t('verify.typed')} hint={t('verify.typedHint')}>
            {(wiring) => (
              <input
                class="input"
                autocomplete="off"
                spellcheck={false}
                value={typed}
                onInput={(event) => setTyped(event.currentTarget.value)}
                {...wiring}
              />
            )}
          </Field>
          <p role="status">
            {progress.state === 'checking' && t('verify.checking', { percent: share(progress.done) })}
          </p>
          {(progress.state === 'unreadable' || progress.state === 'none') && (
            <p class="notice error" role="alert">
              <Icon name="error" />
              <span>{t(progress.state === 'none' ? 'verifyFault.no_package' : 'verify.unreadable')}</span>
            </p>
          )}
        </div>
        {progress.state === 'done' && <Outcome report={progress.report} typed={typed} />}
        <p class="muted">{t('verify.claim')}</p>
        <OwnKeys />
        <section class="panel" aria-labelledby="offline">
          <h2 id="offline" class="panel-title">
            {t('verify.offline')}
          </h2>
          <div class="form panel-body">
            <p class="muted">{t('verify.offlineWhy')}</p>
            <div class="actions">
              <a class="button" href={address('/evidence/verifier')} download="verify.html">
                {t('packages.download')}
              </a>
            </div>
          </div>
        </section>
      </div>
    </>
  );
}

const marks: Record<Report['verdict'], IconName> = { unchanged: 'ok', changed: 'error', unknown_sender: 'help' };

function Outcome({ report, typed }: { report: Report; typed: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [report]);
  const verdict = verdictBy(report, typed);
  const why = typed.trim() === '' || verdict === 'changed' ? (`verify.${verdict}Why` as const) : (`verify.${verdict}Typed` as const);
  const { faults, missing, ignored, recordings, fingerprint, sealedAt } = report;
  const when = (instant: string | null) =>
    instant === null || Number.isNaN(Date.parse(instant)) ? t('value.unknown') : moment(instant);
  return (
    <section class="panel" aria-labelledby="verdict">
      <h2 id="verdict" ref={heading} tabIndex={-1} class={`verdict ${verdict}`}>
        <Icon name={marks[verdict]} />
        {t(`verify.${verdict}`)}
      </h2>
      <p class="panel-lead">{t(why)}</p>
      {verdict !== 'changed' && recordings.some(({ provenAt }) => provenAt === null) && (
        <p class="panel-lead">{t('verify.unproven')}</p>
      )}
      {faults.length > 0 && (
        <Listed title={t('verify.faults')} lines={faults.map(({ what, path }) => [t(`verifyFault.${what}`), path])} />
      )}
      {missing.length > 0 && <Listed title={t('verify.missing')} lines={missing.map((path) => ['', path])} />}
      {ignored.length > 0 && <Listed title={t('verify.ignored')} lines={ignored.map((path) => ['', path])} />}
      <dl class="details">
        <Fact name={t('verify.reference')}>{report.reference ?? t('value.unknown')}</Fact>
        <Fact name={t('verify.sealedAt')}>{when(sealedAt)}</Fact>
        <Fact name={t('verify.fingerprint')}>
          <code class="fingerprint">{fingerprint ?? t('value.unknown')}</code>
        </Fact>
        <Fact name={t('verify.files')}>{report.files}</Fact>
        <Fact name={t('verify.stamped')}>{t(report.timeStamped ? 'verify.stampedYes' : 'verify.stampedNo')}</Fact>
        {recordings.map((recording, index) => (
          <Fragment key={index}>
            <Fact name={t('verify.received', { number: index + 1 })}>{when(recording.receivedAt)}</Fact>
            <Fact name={t('verify.proven', { number: index + 1 })}>
              {recording.provenAt === null ? t('verify.notProven') : when(recording.provenAt)}
            </Fact>
            <Fact name={t('verify.receiptStamp', { number: index + 1 })}>
              {t(recording.stamps > 0 ? 'verify.stampedYes' : 'verify.stampedNo')}
            </Fact>
          </Fragment>
        ))}
      </dl>
    </section>
  );
}

function Listed({ title, lines }: { title: string; lines: [words: string, path: string | null][] }) {
  return (
    <div class="panel-lead">
      <h3>{title}</h3>
      <ul>
        {lines.map(([words, path]) => (
          <li key={words + (path ?? '')}>
            {words} {path && <code>{path}</code>}
          </li>
        ))}
      </ul>
    </div>
  );
}
