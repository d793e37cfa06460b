import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { clock, longDay, moment, phone } from '../format.js';
import { t } from '../i18n.js';
import { Dialog } from '../parts/dialog.js';
import { Fact } from '../parts/fact.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { go } from '../shell/router.js';
import { say } from '../shell/toast.js';
import { CloseDialog } from './close.js';
import { Clock } from './clock.js';
import { IntakeForm } from './intake.js';
import { inOrder, type PartProps, type RequestFile } from './types.js';

/** Who it is about and what they asked, beside the work: with the period on top. */
export function Facts(props: PartProps) {
  const { file, officer, changed } = props;
  const [open, setOpen] = useState<'change' | 'close' | undefined>();
  const [into, setInto] = useState<string | undefined>();
  const { subject, representative, details } = file;
  const editable = officer && file.state !== 'draft' && file.state !== 'answer';
  return (
    <aside class="file-facts">
      <Clock {...props} />
      <section class="panel" aria-labelledby="facts-title">
        <h2 id="facts-title">{t('facts.title')}</h2>
        <dl class="details">
          <Fact name={t('facts.received')}>
            {moment(file.receivedAt)}, {t(`channel.${file.channel}`).toLowerCase()}
          </Fact>
          <Fact name={t('privacy.rights')}>
            {inOrder(file.processes).map(({ right }) => (
              <span key={right} class="line">
                {t(`right.${right}`)} <span class="muted">{t(`right.${right}.article`)}</span>
              </span>
            ))}
          </Fact>
          <Fact name={t('facts.subject')}>
            {subject === null ? (
              <span class="muted">{t('facts.hidden')}</span>
            ) : (
              <>
                {[subject.name ?? (subject.organisation ? null : t('privacy.nameless')), subject.organisation, ...subject.emails].map(
                  (line) =>
                    line && (
                      <span key={line} class="line">
                        {line}
                      </span>
                    ),
                )}
                {subject.phones.map((number) => (
                  <span key={number} class="line">
                    {phone(number)}
                  </span>
                ))}
                {subject.address && <span class="line pre">{subject.address}</span>}
              </>
            )}
          </Fact>
          <Fact name={t('intake.asker')}>
            {t(`asker.${file.requesterKind}`)}
            {file.employee && <span class="line">{props.nameOf(file.employee.userId)}</span>}
            {file.authority && (
              <span class="line">
                {file.authority.name}, {file.authority.legalBasis}
              </span>
            )}
            {representative && (
              <span class="line">
                {[representative.name, representative.email, representative.mandate].filter(Boolean).join(', ')}
              </span>
            )}
            {representative?.address && <span class="line pre">{representative.address}</span>}
          </Fact>
          <Fact name={t('intake.locale')}>{t(`intake.locale.${file.locale}`)}</Fact>
          {details && (
            <Fact name={t('intake.details')}>
              <span class="pre">{details}</span>
            </Fact>
          )}
          {file.origin && (
            <Fact name={t('facts.origin')}>
              {officer ? (
                <a
                  href={`/${file.origin.kind}s/${file.origin.id}${file.origin.atMs === null ? '' : `?t=${Math.floor(file.origin.atMs / 1000)}`}`}
                >
                  {t(`channel.${file.origin.kind === 'recording' ? 'call' : 'ticket'}`)}
                  {file.origin.atMs !== null && ` ${clock(file.origin.atMs)}`}
                </a>
              ) : (
                t(`channel.${file.origin.kind === 'recording' ? 'call' : 'ticket'}`)
              )}
            </Fact>
          )}
          {file.mergedInto && (
            <Fact name={t('closed.merged')}>
              <a href={`/privacy/${file.mergedInto}`}>{t('facts.mergedInto')}</a>
            </Fact>
          )}
          {file.retainUntil && <Fact name={t('facts.retain')}>{longDay(file.retainUntil)}</Fact>}
        </dl>
        {officer && (
          <div class="actions facts-acts">
            {editable && (
              <button type="button" class="button small" onClick={() => setOpen('change')}>
                {t('intake.change')}
              </button>
            )}
            {file.state !== 'answer' && (
              <button type="button" class="button small" onClick={() => setOpen('close')}>
                {t('close.act')}
              </button>
            )}
          </div>
        )}
      </section>
      {officer && file.possibleDuplicates.length > 0 && (
        <section class="notice warn" aria-labelledby="duplicates-title">
          <Icon name="warning" />
          <div>
            <h2 id="duplicates-title">{t('facts.duplicates')}</h2>
            <ul class="checks">
              {file.possibleDuplicates.map(({ id, reference, receivedAt }) => (
                <li key={id}>
                  <span>
                    <a href={`/privacy/${id}`}>{reference}</a>
                    <span class="line muted">{t('facts.duplicateReceived', { date: longDay(receivedAt) })}</span>
                  </span>
                  {/* What was approved stays a request of its own. */}
                  {file.state !== 'answer' && (
                    <button
                      type="button"
                      class="button small"
                      aria-label={t('facts.mergeOf', { id: reference })}
                      onClick={() => setInto(id)}
                    >
                      {t('facts.merge')}
                    </button>
                  )}
                </li>
              ))}
            </ul>
          </div>
        </section>
      )}
      {open === 'change' && (
        <Dialog title={t('intake.change')} close={() => setOpen(undefined)}>
          <IntakeForm
            file={file}
            done={(next) => {
              setOpen(undefined);
              changed(next, t('intake.savedChange'));
            }}
          />
        </Dialog>
      )}
      {open === 'close' && (
        <CloseDialog
          file={file}
          close={() => setOpen(undefined)}
          changed={(next, said) => {
            setOpen(undefined);
            changed(next, said);
          }}
        />
      )}
      {into !== undefined && (
        <FormDialog
          title={t('facts.mergeTitle')}
          label={t('facts.merge')}
          prefix="merge-"
          fields={['into']}
          send={async () => {
            await ask<RequestFile>(`/privacy-requests/${file.id}/merge`, { method: 'POST', body: { into } });
            say(t('facts.merged'));
            go(`/privacy/${into}`);
          }}
          close={() => setInto(undefined)}
        >
          {() => (
            <p id="merge-into" tabIndex={-1}>
              {t('facts.mergeWhy', {
                other: file.possibleDuplicates.find(({ id }) => id === into)?.reference ?? t('value.unknown'),
              })}
            </p>
          )}
        </FormDialog>
      )}
    </aside>
  );
}
