import type { ComponentChildren } from 'preact';
import { ask } from '../api/client.js';
import type { Basis } from '../api/types.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog, type Wired } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { asProblem, problemText } from '../parts/state.js';
import { say } from '../shell/toast.js';

/** A ticket and a call, which may belong together. */
export interface Pair {
  ticketId: string;
  recordingId: string;
}

/** What a link rests on, in words: "zelfde nummer, dicht bij elkaar in tijd". */
export const basisWords = (basis: readonly Basis[]) => basis.map((each) => t(`basis.${each}`)).join(', ');

async function decide(method: 'PUT' | 'DELETE', pair: Pair, body: { basis?: Basis[]; reason?: string }): Promise<void> {
  await ask(`/tickets/${pair.ticketId}/recordings/${pair.recordingId}`, { method, body });
  say(t(method === 'PUT' ? 'link.linkedNow' : 'link.unlinkedNow'));
}

interface SuggestionProps {
  pair: Pair;
  /** How the other one is called. */
  what: string;
  href: string;
  about: string;
  basis: Basis[];
  done: () => void;
}

/** One that may belong to it: opened, linked or turned down. */
export function Suggestion({ pair, what, href, about, basis, done }: SuggestionProps) {
  const act = async (method: 'PUT' | 'DELETE') => {
    try {
      await decide(method, pair, { basis });
      done();
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  };
  return (
    <li>
      <a href={href}>{what}</a>
      {about !== '' && <span class="muted">{about}</span>}
      <span class="muted">{t('link.because', { basis: basisWords(basis) })}</span>
      <span class="actions link-actions">
        <button
          type="button"
          class="button small"
          aria-label={t('link.linkOf', { what })}
          onClick={() => void act('PUT')}
        >
          <Icon name="link" />
          {t('link.link')}
        </button>
        <button
          type="button"
          class="button quiet small"
          aria-label={t('link.dismissOf', { what })}
          onClick={() => void act('DELETE')}
        >
          {t('link.dismiss')}
        </button>
      </span>
    </li>
  );
}

/** Takes the two apart, and says why. */
export function Unlink({ pair, what, close, done }: { pair: Pair; what: string; close: () => void; done: () => void }) {
  return (
    <FormDialog
      title={t('link.unlinkOf', { what })}
      label={t('link.unlink')}
      danger
      prefix="unlink-"
      fields={['reason']}
      check={(read) => (read('reason') === '' ? { reason: t('link.reasonMissing') } : {})}
      send={async (read) => {
        await decide('DELETE', pair, { reason: read('reason') });
        done();
      }}
      close={close}
    >
      {(of) => (
        <>
          <p class="muted">{t('link.unlinkWhy')}</p>
          <Field {...of('reason')} label={t('link.unlinkReason')}>
            {(wiring) => <textarea class="input" rows={3} maxLength={1000} aria-required="true" {...wiring} />}
          </Field>
        </>
      )}
    </FormDialog>
  );
}

interface LinkByHandProps {
  /** The field that names the other one. */
  field: string;
  /** What is wrong with what was typed there. */
  check: (typed: string) => string | undefined;
  /** Finds the other one. @throws WrongField when there is none */
  pair: (typed: string) => Promise<Pair>;
  close: () => void;
  changed: () => void;
  children: (of: Wired['of']) => ComponentChildren;
}

/** Names the other one and says why they belong together. */
export function LinkByHand({ field, check, pair, close, changed, children }: LinkByHandProps) {
  return (
    <FormDialog
      title={t('link.byHand')}
      label={t('link.link')}
      prefix="link-"
      fields={[field, 'reason']}
      check={(read) => {
        const fault = check(read(field));
        return fault === undefined ? {} : { [field]: fault };
      }}
      send={async (read) => {
        const reason = read('reason');
        await decide('PUT', await pair(read(field)), { basis: ['by_hand'], ...(reason === '' ? {} : { reason }) });
        close();
        changed();
      }}
      close={close}
    >
      {(of) => (
        <>
          {children(of)}
          <Field {...of('reason')} label={t('link.reason')} hint={t('link.reasonHint')}>
            {(wiring) => <textarea class="input" rows={2} maxLength={1000} {...wiring} />}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
