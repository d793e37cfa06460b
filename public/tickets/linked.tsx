import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Basis } from '../api/types.js';
import { longDay } from '../format.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { useNames } from '../parts/people.js';
import { useLoaded } from '../parts/state.js';
import { useUser } from '../shell/user.js';
import { basisWords, type Pair, Suggestion, Unlink } from './link.js';

/** What may stand beside a ticket or a call: a call or a ticket, in words. */
export interface Other {
  id: string;
  what: string;
  href: string;
  about: string;
  basis: Basis[];
}

/** One that is linked, with both clocks: either may run out first. */
export interface LinkedOther extends Other {
  reason?: string | null;
  linkedBy?: string | null;
  callUntil: string;
  ticketUntil: string;
}

interface Props<Item> {
  linked: LinkedOther[];
  /** Said where there are none. */
  none: ComponentChildren;
  pairWith: (otherId: string) => Pair;
  /** Where the service suggests what else may belong to it. */
  suggestions: { path: string; read: (item: Item) => Other };
  /** What is drawn within a linked one: a player. */
  within?: (otherId: string) => ComponentChildren;
  /** The form by which somebody names one. */
  byHand: (close: () => void) => ComponentChildren;
  changed: () => void;
}

/** What belongs to a ticket or to a call: each with what its link rests on, and what else may belong to it. */
export function Linked<Item>({ linked, none, pairWith, suggestions, within, byHand, changed }: Props<Item>) {
  const user = useUser();
  const nameOf = useNames();
  const mayLink = user.role === 'trainer' || user.role === 'privacy_officer';
  const [unlinking, setUnlinking] = useState<LinkedOther | undefined>();
  const [linking, setLinking] = useState(false);
  return (
    <>
      {linked.length === 0 && none}
      {linked.length > 0 && (
        <ul class="side-list">
          {linked.map((other) => (
            <li key={other.id}>
              <a href={other.href}>{other.what}</a>
              {other.about !== '' && <span class="muted">{other.about}</span>}
              {within?.(other.id)}
              <span class="muted">
                {t('ticket.linkedBy', { basis: basisWords(other.basis) })}
                {other.linkedBy && `, ${t('ticket.linkedByWhom', { name: nameOf(other.linkedBy) })}`}
              </span>
              {other.reason && <q class="muted">{other.reason}</q>}
              <span class="clocks">
                <Icon name="clock" />
                <span>
                  <span class="line">{t('ticket.callClock', { date: longDay(other.callUntil) })}</span>
                  <span class="line">{t('ticket.ownClock', { date: longDay(other.ticketUntil) })}</span>
                </span>
              </span>
              {mayLink && (
                <span class="actions link-actions">
                  <button
                    type="button"
                    class="button quiet small"
                    aria-label={t('link.unlinkOf', { what: other.what })}
                    onClick={() => setUnlinking(other)}
                  >
                    {t('link.unlink')}
                  </button>
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      <p class="muted side-note">{t('ticket.clocks')}</p>
      {mayLink && (
        <>
          <Suggestions
            key={linked.map(({ id }) => id).join()}
            {...suggestions}
            pairWith={pairWith}
            changed={changed}
          />
          <div class="side-foot">
            <button type="button" class="button small" onClick={() => setLinking(true)}>
              <Icon name="link" />
              {t('link.byHand')}
            </button>
          </div>
        </>
      )}
      {unlinking && (
        <Unlink
          pair={pairWith(unlinking.id)}
          what={unlinking.what}
          close={() => setUnlinking(undefined)}
          done={() => {
            setUnlinking(undefined);
            changed();
          }}
        />
      )}
      {linking && byHand(() => setLinking(false))}
    </>
  );
}

type SuggestionsProps<Item> = Props<Item>['suggestions'] & Pick<Props<Item>, 'pairWith' | 'changed'>;

function Suggestions<Item>({ path, read, pairWith, changed }: SuggestionsProps<Item>) {
  const found = useLoaded(path, (signal) => ask<{ items: Item[] }>(path, { signal }));
  // Suggestions are a help: without them one links by hand.
  if (found.state !== 'ready' || found.value.items.length === 0) return null;
  return (
    <section aria-labelledby="suggested">
      <h2 id="suggested" class="side-title">
        {t('link.suggested')}
      </h2>
      <ul class="side-list">
        {found.value.items.slice(0, 5).map((item) => {
          const { id, ...other } = read(item);
          return (
            <Suggestion
              key={id}
              pair={pairWith(id)}
              {...other}
              done={() => {
                found.again();
                changed();
              }}
            />
          );
        })}
      </ul>
      <p class="muted side-note">{t('link.suggestedWhy')}</p>
    </section>
  );
}
