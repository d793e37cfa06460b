import { ask } from '../api/client.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog, WrongField } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { asProblem } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { reasonOf } from './state.js';
import { itemsOf } from './group-row.js';
import type { Hold, HoldGroup } from './types.js';

interface Props {
  hold: Hold;
  close: () => void;
  done: () => void;
}

/** A second person stands behind a hold, having read why it is there. */
export function ConfirmHold({ hold, own, close, done }: Props & { own: boolean }) {
  return (
    <Confirm
      title={t('holds.confirmTitle')} why={t('holds.confirmWhy')} own={own} path={`/holds/${hold.id}`}
      quoted={{ what: t(`ground.${hold.ground}`), reason: reasonOf(hold) }} close={close} done={done}
    />
  );
}

/** A second person stands behind all that a request or an act keeps, as it was shown. */
export function ConfirmGroup({ group, own, close, done }: { group: HoldGroup; own: boolean; close: () => void; done: () => void }) {
  return (
    <Confirm
      title={group.reference === null ? t('holds.confirmTitle') : t('holds.confirmGroupTitle', { name: group.reference })}
      why={t('holds.confirmGroupWhy')} own={own} path={`/holds/groups/${group.id}`} asOf={group.unconfirmedUntil}
      quoted={{ what: itemsOf(group), reason: group.reasons.map((reason) => reasonOf({ reason })).join(' ') }} close={close} done={done}
    />
  );
}

interface ConfirmProps {
  title: string;
  why: string;
  /** All of it is the reader's own: they say why nobody else confirms it. */
  own: boolean;
  path: string;
  /** Of a group: what was placed later is not confirmed. */
  asOf?: string | null;
  quoted: { what: string; reason: string };
  close: () => void;
  done: () => void;
}

function Confirm({ title, why, own, path, asOf, quoted, close, done }: ConfirmProps) {
  return (
    <FormDialog
      title={title}
      label={t('holds.confirm')}
      prefix="confirm-"
      fields={own ? ['reason'] : ['hold']}
      check={(read) => (own && read('reason') === '' ? { reason: t('holds.reasonMissing') } : {})}
      send={async (read) => {
        const body = { ...(asOf === undefined ? {} : { asOf }), ...(own ? { reason: read('reason') } : {}) };
        try {
          await ask(`${path}/confirm`, { method: 'POST', ...(Object.keys(body).length === 0 ? {} : { body }) });
        } catch (error) {
          // It is their role's to do; where four eyes are required it is another's.
          if (own && asProblem(error).status === 403) throw new WrongField('reason', t('holds.confirmByAnother'));
          throw error;
        }
        say(t('holds.confirmedNow'));
        done();
      }}
      close={close}
    >
      {(of) => (
        <>
          {!own && <p>{why}</p>}
          {own && (
            <p class="notice warn">
              <Icon name="warning" />
              <span>{t('holds.confirmOwn')}</span>
            </p>
          )}
          <div class="quoted" id="confirm-hold" tabIndex={-1}>
            <strong>{quoted.what}</strong>
            <p>{quoted.reason}</p>
          </div>
          {own && (
            <Field {...of('reason')} label={t('holds.confirmReason')} hint={t('holds.confirmReasonHint')}>
              {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
            </Field>
          )}
        </>
      )}
    </FormDialog>
  );
}

/** Ends a hold: told why, and that it still holds for a day. */
export function ReleaseHold({ hold, close, done }: Props) {
  return <Release title={t('holds.releaseTitle')} path={`/holds/${hold.id}`} close={close} done={done} />;
}

function Release({ title, path, close, done }: { title: string; path: string; close: () => void; done: () => void }) {
  return (
    <FormDialog
      title={title}
      label={t('holds.release')}
      danger
      prefix="release-"
      fields={['reason']}
      check={(read) => (read('reason') === '' ? { reason: t('holds.reasonMissing') } : {})}
      send={async (read) => {
        await ask(`${path}/release`, { method: 'POST', body: { reason: read('reason') } });
        say(t('holds.releasedNow'));
        done();
      }}
      close={close}
    >
      {(of) => (
        <>
          <p class="notice warn">
            <Icon name="clock" />
            <span>{t('holds.releaseWhy')}</span>
          </p>
          <Field {...of('reason')} label={t('holds.releaseReason')}>
            {(wiring) => <textarea class="input" rows={3} maxLength={2000} aria-required="true" {...wiring} />}
          </Field>
        </>
      )}
    </FormDialog>
  );
}

/** Ends all that one act placed. */
export function ReleaseGroup({ group, close, done }: { group: HoldGroup; close: () => void; done: () => void }) {
  return <Release title={t('holds.releaseGroupTitle', { items: itemsOf(group) })} path={`/holds/groups/${group.id}`} close={close} done={done} />;
}
