import { useState } from 'preact/hooks';
import { address, ApiProblem, ask } from '../api/client.js';
import { day, phone, time } from '../format.js';
import { plural, t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog, type Read, type Wired, WrongField } from '../parts/form.js';
import { MaskEditor, readMask } from '../parts/mask.js';
import { go } from '../shell/router.js';
import { say } from '../shell/toast.js';
import { type EvidencePackage, restrictionGrounds } from './types.js';

const scopes = ['clips', 'full'] as const;

/** A call that goes into the package. */
export interface CallToSeal {
  recordingId: string;
  startedAt: string;
  caller: string | null;
  channels: number;
}

const maskField = ({ recordingId }: CallToSeal) => `mask-${recordingId}`;

const masksOf = (calls: readonly CallToSeal[], read: Read) =>
  calls.flatMap((call) =>
    (readMask(read(maskField(call))) ?? []).map((stretch) => ({ recordingId: call.recordingId, ...stretch })),
  );

/** Orders a package: what for, for whom, how much goes along, and what nobody is to hear. */
export function Seal({ calls, close }: { calls: CallToSeal[]; close: () => void }) {
  const [restricted, setRestricted] = useState(false);
  return (
    <FormDialog
      title={t('seal.title')}
      label={t('seal.submit')}
      prefix="seal-"
      fields={['recipient', 'reason', 'scope', 'restrictionGround', ...calls.map(maskField)]}
      check={(read) => ({
        ...(read('recipient') === '' ? { recipient: t('seal.recipientMissing') } : {}),
        ...(read('reason') === '' ? { reason: t('seal.reasonMissing') } : {}),
        ...Object.fromEntries(
          calls.map(maskField).flatMap((field) => (readMask(read(field)) === undefined ? [[field, t('seal.maskWrong')]] : [])),
        ),
        ...(restricted && read('restrictionGround') === '' ? { restrictionGround: t('seal.restrictionNone') } : {}),
      })}
      send={async (read) => {
        const masks = masksOf(calls, read);
        const body = {
          recordingIds: calls.map(({ recordingId }) => recordingId),
          recipient: read('recipient'),
          reason: read('reason'),
          scope: read('scope'),
          ...(masks.length > 0 ? { masks } : {}),
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
          <p class="muted">{plural('seal.contains', calls.length)}</p>
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
          <fieldset class="form seal-masks">
            <legend>{t('seal.masks')}</legend>
            <p class="muted">{t('seal.masksHint')}</p>
            {calls.map((call) => (
              <Masks key={call.recordingId} call={call} of={of} />
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

/** What is silenced in the copies of one call; closed until somebody has something to silence. */
function Masks({ call, of }: { call: CallToSeal; of: Wired['of'] }) {
  const { recordingId, startedAt, caller, channels } = call;
  const wired = of(maskField(call));
  const title = [`${day(startedAt)} ${time(startedAt)}`, caller && phone(caller)].filter(Boolean).join(' · ');
  return (
    <details open={wired.fault !== undefined}>
      <summary>{title}</summary>
      <Field {...wired} label={t('seal.mask')} hint={t('seal.maskHint')}>
        {(wiring) => (
          <MaskEditor
            {...wiring}
            known={[]}
            legs={channels > 1}
            audio={address(`/recordings/${recordingId}/audio`, { purpose: 'evidence' })}
          />
        )}
      </Field>
    </details>
  );
}
