import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { startOfDay, dateBefore } from '../format.js';
import { t } from '../i18n.js';
import { Field, type Faults } from '../parts/field.js';
import { type Read, useForm } from '../parts/form.js';
import { PageHead } from '../parts/heading.js';
import { type Colleague, useColleagues } from '../parts/people.js';
import { go } from '../shell/router.js';
import { say } from '../shell/toast.js';
import { BackToQueue } from './back.js';
import { channels, requesterKinds, rights, type RequestFile, type RequesterKind } from './types.js';
import './privacy.css';

/** Takes a request in. */
export function TakeIn() {
  return (
    <>
      <BackToQueue />
      <PageHead title={t('intake.title')} lead={t('intake.lead')} />
      <div class="panel padded intake">
        <IntakeForm
          file={undefined}
          done={(file) => {
            say(t('intake.saved', { reference: file.reference }));
            go(`/privacy/${file.id}`);
          }}
        />
      </div>
    </>
  );
}

interface Props {
  /** The request that is completed; none while it is taken in. */
  file: RequestFile | undefined;
  done: (file: RequestFile) => void;
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Who asks, on whose behalf, for what. Used for taking in and for completing what came from a call or a ticket. */
export function IntakeForm({ file, done }: Props) {
  const [kind, setKind] = useState<RequesterKind>(file?.requesterKind ?? 'person');
  const behalf = kind === 'representative' || kind === 'parent';
  const people = [...useColleagues().values()];
  const form = useForm({
    prefix: 'intake-',
    fields: ['name', 'receivedAt', 'rights', 'subject', 'authority', 'representative', 'details', 'phones', 'emails', 'employee'],
    check: (read) => faultsIn(read, kind, file === undefined),
    send: async (read) => {
      const body = bodyOf(read, kind, file === undefined, people);
      const path = file ? `/privacy-requests/${file.id}` : '/privacy-requests';
      done(await ask<RequestFile>(path, { method: file ? 'PATCH' : 'POST', body }));
    },
  });
  const asked = file?.processes.map(({ right }) => right) ?? [];
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
      {!file && (
        <fieldset class="form">
          <legend>{t('intake.receipt')}</legend>
          <div class="pair">
            <Field {...form.of('receivedAt')} label={t('intake.receivedAt')}>
              {(wiring) => (
                <input
                  class="input"
                  type="date"
                  defaultValue={dateBefore(0)}
                  max={dateBefore(0)}
                  aria-required="true"
                  {...wiring}
                />
              )}
            </Field>
            <Field {...form.of('channel')} label={t('intake.channel')}>
              {(wiring) => (
                <select class="input" {...wiring}>
                  {channels.map((channel) => (
                    <option key={channel} value={channel} selected={channel === 'email'}>
                      {t(`channel.${channel}`)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          </div>
        </fieldset>
      )}
      <fieldset class="form" id={form.of('rights').name} tabIndex={-1}>
        <legend>{t('intake.rights')}</legend>
        <div class="rights-choice">
          {rights.map((right) => (
            <label key={right} class="check">
              <input
                type="checkbox"
                name={`intake-right-${right}`}
                defaultChecked={asked.includes(right)}
                disabled={asked.includes(right)}
              />
              <span>
                {t(`right.${right}`)} <small class="inline">{t(`right.${right}.article`)}</small>
              </span>
            </label>
          ))}
        </div>
        {form.of('rights').fault && <p class="fault-line">{form.of('rights').fault}</p>}
        <p class="muted small-print">{t(file ? 'intake.rightsKept' : 'intake.rightsHint')}</p>
      </fieldset>
      <fieldset class="form">
        <legend>{t('intake.about')}</legend>
        <div class="pair">
          <Field {...form.of('name')} label={t('intake.name')}>
            {(wiring) => (
              <input class="input" autocomplete="off" defaultValue={file?.subject?.name ?? ''} {...wiring} />
            )}
          </Field>
          <Field {...form.of('organisation')} label={t('intake.organisation')}>
            {(wiring) => (
              <input class="input" autocomplete="off" defaultValue={file?.subject?.organisation ?? ''} {...wiring} />
            )}
          </Field>
        </div>
        <div class="pair">
          <Field {...form.of('emails')} label={t('intake.emails')} hint={t('intake.several')}>
            {(wiring) => (
              <textarea class="input short" rows={2} defaultValue={file?.subject?.emails.join('\n') ?? ''} {...wiring} />
            )}
          </Field>
          <Field {...form.of('phones')} label={t('intake.phones')} hint={t('intake.several')}>
            {(wiring) => (
              <textarea class="input short" rows={2} defaultValue={file?.subject?.phones.join('\n') ?? ''} {...wiring} />
            )}
          </Field>
        </div>
        <Field {...form.of('address')} label={t('intake.address')}>
          {(wiring) => (
            <textarea class="input short" rows={2} defaultValue={file?.subject?.address ?? ''} {...wiring} />
          )}
        </Field>
      </fieldset>
      <div class="form">
        <Field {...form.of('requesterKind')} label={t('intake.asker')}>
          {(wiring) => (
            <select
              class="input"
              value={kind}
              onChange={(event) => setKind(event.currentTarget.value as RequesterKind)}
              {...wiring}
            >
              {requesterKinds
                .filter((each) => file === undefined || each !== 'authority' || each === file.requesterKind)
                .map((each) => (
                  <option key={each} value={each} selected={each === kind}>
                    {t(`asker.${each}`)}
                  </option>
                ))}
            </select>
          )}
        </Field>
        {behalf && <Behalf file={file} of={form.of} />}
        {kind === 'authority' && !file && <Authority of={form.of} />}
        {kind === 'employee' && <Employee file={file} people={people} of={form.of} />}
      </div>
      <div class="pair">
        <Field {...form.of('locale')} label={t('intake.locale')}>
          {(wiring) => (
            <select class="input" {...wiring}>
              {(['nl', 'en'] as const).map((locale) => (
                <option key={locale} value={locale} selected={locale === (file?.locale ?? 'nl')}>
                  {t(`intake.locale.${locale}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Field {...form.of('details')} label={t('intake.details')} hint={t('intake.detailsHint')}>
        {(wiring) => (
          <textarea class="input" rows={4} maxLength={20000} defaultValue={file?.details ?? ''} {...wiring} />
        )}
      </Field>
      <div class="actions">
        <button type="submit" class="button primary">
          {t(file ? (file.state === 'draft' ? 'intake.complete' : 'intake.saveChange') : 'intake.save')}
        </button>
        {!file && (
          <a class="button" href="/privacy">
            {t('dialog.cancel')}
          </a>
        )}
      </div>
    </form>
  );
}

type Of = (field: string) => { name: string; fault: string | undefined };

function Behalf({ file, of }: { file: RequestFile | undefined; of: Of }) {
  const told = file?.representative;
  return (
    <>
      <p class="muted small-print">{t('intake.behalfHint')}</p>
      <div class="pair">
        <Field {...of('representative')} label={t('intake.repName')}>
          {(wiring) => (
            <input
              class="input"
              autocomplete="off"
              aria-required="true"
              defaultValue={told?.name ?? ''}
              {...wiring}
            />
          )}
        </Field>
        <Field {...of('repEmail')} label={t('intake.repEmail')}>
          {(wiring) => <input class="input" autocomplete="off" defaultValue={told?.email ?? ''} {...wiring} />}
        </Field>
      </div>
      <div class="pair">
        <Field {...of('repAddress')} label={t('intake.repAddress')}>
          {(wiring) => <textarea class="input short" rows={2} defaultValue={told?.address ?? ''} {...wiring} />}
        </Field>
        <Field {...of('mandate')} label={t('intake.mandate')} hint={t('intake.mandateHint')}>
          {(wiring) => <textarea class="input short" rows={2} defaultValue={told?.mandate ?? ''} {...wiring} />}
        </Field>
      </div>
    </>
  );
}

function Authority({ of }: { of: Of }) {
  return (
    <>
      <div class="pair">
        <Field {...of('authority')} label={t('intake.authorityName')}>
          {(wiring) => <input class="input" autocomplete="off" aria-required="true" {...wiring} />}
        </Field>
        <Field {...of('legalBasis')} label={t('intake.authorityBasis')}>
          {(wiring) => <input class="input" autocomplete="off" aria-required="true" {...wiring} />}
        </Field>
      </div>
      <label class="check">
        <input type="checkbox" name="intake-secret" />
        <span>{t('intake.authoritySecret')}</span>
      </label>
    </>
  );
}

/** Which of us asks, and who leads them: those neither see nor handle it, nor do those who evaluated them. */
function Employee({ file, people, of }: { file: RequestFile | undefined; people: readonly Colleague[]; of: Of }) {
  const officers = officersOf(people);
  const kept = file?.employee?.keptFrom ?? [];
  return (
    <>
      <Field {...of('employee')} label={t('intake.employee')} hint={t('intake.employeeHint')}>
        {(wiring) => (
          <select class="input" aria-required="true" {...wiring}>
            <option value="">{t('intake.employeeNone')}</option>
            {people.map(({ id, name }) => (
              <option key={id} value={id} selected={id === file?.employee?.userId}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {officers.length > 1 && (
        <fieldset class="form tight">
          <legend>{t('intake.keptFrom')}</legend>
          {officers.map(({ id, name }) => (
            <label key={id} class="check">
              <input type="checkbox" name={`intake-kept-${id}`} value={id} defaultChecked={kept.includes(id)} />
              <span>{name}</span>
            </label>
          ))}
        </fieldset>
      )}
    </>
  );
}

const officersOf = (people: readonly Colleague[]) => people.filter(({ role }) => role === 'privacy_officer');

const chosenRights = (read: Read) => rights.filter((right) => read(`right-${right}`) === 'on');

function faultsIn(read: Read, kind: RequesterKind, fresh: boolean): Faults {
  const nobody = [read('name'), read('emails'), read('phones')].every((text) => text === '');
  const behalf = kind === 'representative' || kind === 'parent';
  return {
    ...(fresh && read('receivedAt') === '' ? { receivedAt: t('intake.receivedMissing') } : {}),
    ...(fresh && chosenRights(read).length === 0 ? { rights: t('intake.rightsMissing') } : {}),
    ...(nobody && kind !== 'authority' ? { name: t('intake.whoMissing') } : {}),
    ...(behalf && read('representative') === '' ? { representative: t('intake.repMissing') } : {}),
    ...(kind === 'employee' && read('employee') === '' ? { employee: t('intake.employeeMissing') } : {}),
    ...(fresh && kind === 'authority' && (read('authority') === '' || read('legalBasis') === '')
      ? { authority: t('intake.authorityMissing') }
      : {}),
  };
}

function bodyOf(read: Read, kind: RequesterKind, fresh: boolean, people: readonly Colleague[]): Record<string, unknown> {
  const text = (field: string) => read(field) || null;
  const behalf = kind === 'representative' || kind === 'parent';
  return {
    subject: {
      name: text('name'),
      address: text('address'),
      organisation: text('organisation'),
      emails: lines(read('emails')),
      phones: lines(read('phones')),
    },
    representative: behalf
      ? {
          name: text('representative'),
          email: text('repEmail'),
          address: text('repAddress'),
          mandate: text('mandate'),
        }
      : null,
    ...(fresh || kind !== 'authority' ? { requesterKind: kind } : {}),
    ...(chosenRights(read).length > 0 ? { rights: chosenRights(read) } : {}),
    ...(kind === 'employee'
      ? {
          employee: {
            userId: read('employee'),
            keptFrom: officersOf(people)
              .map(({ id }) => id)
              .filter((id) => read(`kept-${id}`) !== ''),
          },
        }
      : {}),
    locale: read('locale'),
    details: read('details'),
    ...(fresh ? { receivedAt: receipt(read('receivedAt')), channel: read('channel') } : {}),
    ...(fresh && kind === 'authority'
      ? {
          authority: { name: read('authority'), legalBasis: read('legalBasis'), secret: read('secret') === 'on' },
        }
      : {}),
  };
}

/** A day as its beginning, today as this moment: a receipt lies never in the future. */
function receipt(date: string): string {
  return date === dateBefore(0) ? new Date().toISOString() : startOfDay(date);
}
