import { ask } from '../api/client.js';
import { dateBefore } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { say } from '../shell/toast.js';
import { type FurtherUse, useGrounds, usePurposes } from './types.js';

interface Props {
  use: FurtherUse;
  close: () => void;
  done: () => void;
}

/** Puts on record the act that allows a use; the one in force, if there is one, ends with it. */
export function ActForm({ use: { use, act }, close, done }: Props) {
  const name = t(`use.${use}`);
  const council = use === 'evaluation';
  const speech = use === 'transcription';
  return (
    <FormDialog
      title={t(act ? 'use.replaceTitle' : 'use.onTitle', { use: name })}
      label={t(act ? 'use.replaceSave' : 'use.onSave')}
      prefix="use-"
      fields={['explanation', 'ground', 'date', 'reference', 'consent', 'purposes', 'processor', 'region']}
      check={(read) => {
        const half = (read('date') === '') !== (read('reference') === '');
        return {
          ...(read('explanation') === '' ? { explanation: t('use.explanationMissing') } : {}),
          ...((council || half) && read('date') === '' ? { date: t('use.dateMissing') } : {}),
          ...(read('date') > dateBefore(0) ? { date: t('use.dateFuture') } : {}),
          ...((council || half) && read('reference') === '' ? { reference: t('use.referenceMissing') } : {}),
          ...(speech && usePurposes.every((each) => read(`purpose-${each}`) !== 'on')
            ? { [`purpose-${usePurposes[0]}`]: t('use.purposesMissing') }
            : {}),
          ...(speech && read('processor') === '' ? { processor: t('use.processorMissing') } : {}),
          ...(speech && read('region') === '' ? { region: t('use.regionMissing') } : {}),
        };
      }}
      send={async (read) => {
        const body = {
          ground: read('ground'),
          explanation: read('explanation'),
          consent: read('date') === '' ? null : { date: read('date'), reference: read('reference') },
          purposes: usePurposes.filter((each) => read(`purpose-${each}`) === 'on'),
          processor: speech ? { name: read('processor'), region: read('region') } : null,
        };
        await ask(`/further-uses/${use}`, { method: 'PUT', body });
        say(t('use.switchedOn', { use: name }));
        done();
      }}
      close={close}
    >
      {(of) => (
        <>
          <Field {...of('ground')} label={t('use.ground')}>
            {(wiring) => (
              <select class="input" {...wiring}>
                {useGrounds.map((ground) => (
                  <option key={ground} value={ground} selected={ground === (act?.ground ?? useGrounds[0])}>
                    {t(`ground.${ground}`)}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field {...of('explanation')} label={t('use.explanation')} hint={t(`use.hint.${use}`)}>
            {(wiring) => (
              <textarea
                class="input"
                rows={4}
                maxLength={2000}
                aria-required="true"
                defaultValue={act?.explanation ?? ''}
                {...wiring}
              />
            )}
          </Field>
          <fieldset>
            <legend>{t(council ? 'use.consent' : 'use.consentOptional')}</legend>
            <div class="pair">
              <Field {...of('date')} label={t('use.date')}>
                {(wiring) => (
                  <input
                    class="input"
                    type="date"
                    max={dateBefore(0)}
                    aria-required={council}
                    defaultValue={act?.consent?.date ?? ''}
                    {...wiring}
                  />
                )}
              </Field>
              <Field {...of('reference')} label={t('use.reference')} hint={t('use.referenceHint')}>
                {(wiring) => (
                  <input
                    class="input"
                    maxLength={200}
                    autocomplete="off"
                    aria-required={council}
                    defaultValue={act?.consent?.reference ?? ''}
                    {...wiring}
                  />
                )}
              </Field>
            </div>
          </fieldset>
          {speech && (
            <>
              <fieldset>
                <legend>{t('use.purposes')}</legend>
                {usePurposes.map((purpose, index) => {
                  const { name: id, fault } = of(`purpose-${purpose}`);
                  return (
                    <label key={purpose} class="check use-purpose">
                      <input
                        type="checkbox"
                        id={id}
                        name={id}
                        defaultChecked={act?.purposes.includes(purpose) ?? false}
                        aria-invalid={fault ? 'true' : undefined}
                        aria-describedby={index === 0 && fault ? 'use-purposes-fault' : undefined}
                      />
                      <span>{t(`usePurpose.${purpose}`)}</span>
                    </label>
                  );
                })}
                {of(`purpose-${usePurposes[0]}`).fault && (
                  <span class="field">
                    <span class="fault" id="use-purposes-fault">
                      {t('use.purposesMissing')}
                    </span>
                  </span>
                )}
              </fieldset>
              <div class="pair">
                <Field {...of('processor')} label={t('use.processor')} hint={t('use.processorHint')}>
                  {(wiring) => (
                    <input
                      class="input"
                      maxLength={200}
                      autocomplete="off"
                      aria-required="true"
                      defaultValue={act?.processor?.name ?? ''}
                      {...wiring}
                    />
                  )}
                </Field>
                <Field {...of('region')} label={t('use.region')} hint={t('use.regionHint')}>
                  {(wiring) => (
                    <input
                      class="input"
                      maxLength={200}
                      autocomplete="off"
                      aria-required="true"
                      defaultValue={act?.processor?.region ?? ''}
                      {...wiring}
                    />
                  )}
                </Field>
              </div>
            </>
          )}
        </>
      )}
    </FormDialog>
  );
}
