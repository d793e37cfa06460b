import { useState } from 'preact/hooks';
import { ApiProblem, ask } from '../api/client.js';
import { plural, t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog, WrongField } from '../parts/form.js';
import { go } from '../shell/router.js';
import { say } from '../shell/toast.js';
import { type EvidencePackage, restrictionGrounds } from './types.js';

const scopes = ['clips', 'full'] as const;

/** Orders a package: what for, for whom, and how much goes along. */
export function Seal({ recordingIds, close }: { recordingIds: string[]; close: () => void }) {
  const [restricted, setRestricted] = useState(false);
  return (
    <FormDialog
      title={t('seal.title')}
      label={t('seal.submit')}
      prefix="seal-"
      fields={['recipient', 'reason', 'scope', 'restrictionGround']}
      check={(read) => ({
        ...(read('recipient') === '' ? { recipient: t('seal.recipientMissing') } : {}),
        ...(read('reason') === '' ? { reason: t('seal.reasonMissing') } : {}),
        ...(restricted && read('restrictionGround') === '' ? { restrictionGround: t('seal.restrictionNone') } : {}),
      })}
      send={async (read) => {
        const body = {
          recordingIds,
          recipient: read('recipient'),
          reason: read('reason'),
          scope: read('scope'),
          ...(restricted ? { restrictionGround: read('restrictionGround') } : {}),
        };
        try {
          const { reference } = await ask<EvidencePackage>('/evidence', { method: 'POST', body });
          say(t('seal.ordered', { reference }));
          go('/packages');
        } catch (error) {
          // The service asks for a ground when a request restricts one of them.
          if (!(error instanceof ApiProblem) || error.code !== 'conflict' || restricted) throw error;
          setRestricted(true);
          throw new WrongField('restrictionGround', t('seal.restriction'));
        }
      }}
      close={close}
    >
      {(of) => (
        <>
          <p class="muted">{plural('seal.contains', recordingIds.length)}</p>
          <Field {...of('recipient')} label={t('seal.recipient')} hint={t('seal.recipientHint')}>
            {(wiring) => <input class="input" autocomplete="off" maxLength={2000} aria-required="true" {...wiring} />}
          </Field>
          <Field {...of('reason')} label={t('seal.reason')} hint={t('seal.reasonHint')}>
            {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
          </Field>
          <fieldset class="form">
            <legend>{t('seal.scope')}</legend>
            {scopes.map((scope) => (
              <label key={scope} class="check">
                <input type="radio" name="seal-scope" value={scope} defaultChecked={scope === 'clips'} />
                <span>
                  {t(`seal.${scope}`)}
                  <small>{t(scope === 'clips' ? 'seal.clipsHint' : 'seal.fullHint')}</small>
                </span>
              </label>
            ))}
          </fieldset>
          {restricted && (
            <Field {...of('restrictionGround')} label={t('seal.restriction')}>
              {(wiring) => (
                <select class="input" aria-required="true" {...wiring}>
                  <option value="">{t('seal.restrictionNone')}</option>
                  {restrictionGrounds.map((ground) => (
                    <option key={ground} value={ground}>
                      {t(`restriction.${ground}`)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          )}
        </>
      )}
    </FormDialog>
  );
}
