import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { MachineKey, MadeKey, Page } from '../api/types.js';
import { day, moment } from '../format.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Dialog } from '../parts/dialog.js';
import { Field } from '../parts/field.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { asProblem, BoneRows, Failure, problemText, State, useLoaded } from '../parts/state.js';
import { say } from '../shell/toast.js';
import { KeyDialog } from './key-form.js';
import { SecretShown } from './secret.js';
import './admin.css';

const dayMs = 86_400_000;
/** How long an old key still works beside its successor. */
const overlaps = { day: dayMs, week: 7 * dayMs, month: 30 * dayMs, none: 0 };
type Overlap = keyof typeof overlaps;

const columns = ['name', 'role', 'prefix', 'created', 'lastSeen', 'state', 'actions'] as const;

/** The keys by which PBXs and helpdesks come in. */
export function Keys() {
  const found = useLoaded('keys', (signal) => ask<Page<MachineKey>>('/keys', { query: { limit: 200 }, signal }));
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<MadeKey | undefined>();
  const [overlap, setOverlap] = useState<Overlap>('day');
  const [asked, setAsked] = useState<{ key: MachineKey; act: 'rotate' | 'revoke' } | undefined>();

  async function carryOut() {
    if (!asked) return;
    const { key, act } = asked;
    setAsked(undefined);
    try {
      if (act === 'rotate') setMade(await ask<MadeKey>(`/keys/${key.id}/rotate`, { method: 'POST', body: { overlapMs: overlaps[overlap] } }));
      else {
        await ask(`/keys/${key.id}`, { method: 'DELETE' });
        say(t('keysScreen.revokedNow', { name: key.name }));
      }
      found.again();
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  }

  return (
    <>
      <PageHead title={t('keysScreen.title')} lead={t('keysScreen.lead')}>
        <a class="button" href="/admin/connect">
          {t('keysScreen.toConnect')}
        </a>
        <button type="button" class="button primary" onClick={() => setMaking(true)}>
          <Icon name="plus" />
          {t('keysScreen.new')}
        </button>
      </PageHead>
      <div class="panel">
        {found.state === 'failed' && <Failure problem={found.problem} again={found.again} />}
        {found.state === 'ready' && found.value.items.length === 0 && (
          <State icon="key" title={t('keysScreen.none')}>
            <p>{t('keysScreen.noneWhy')}</p>
          </State>
        )}
        {(found.state === 'loading' || (found.state === 'ready' && found.value.items.length > 0)) && (
          <table class="table" role="table" aria-label={t('keysScreen.title')} aria-busy={found.state === 'loading'}>
            <thead role="rowgroup">
              <tr role="row">
                {columns.map((column) => (
                  <th key={column} role="columnheader" scope="col">
                    {column === 'actions' ? (
                      <span class="unseen">{t('users.actions')}</span>
                    ) : (
                      t(`keysScreen.${column}`)
                    )}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody role="rowgroup">
              {found.state === 'loading' && <BoneRows rows={3} columns={[70, 50, 60, 60, 60, 50, 70]} />}
              {found.state === 'ready' &&
                found.value.items.map((key) => <Row key={key.id} entry={key} ask={(act) => setAsked({ key, act })} />)}
            </tbody>
          </table>
        )}
      </div>
      {making && (
        <KeyDialog
          close={() => setMaking(false)}
          made={(key) => {
            setMaking(false);
            setMade(key);
            found.again();
          }}
        />
      )}
      {made && (
        <SecretShown
          title={t('keysScreen.shownTitle')}
          warning={t('keysScreen.shownOnce')}
          label={t('keysScreen.key')}
          secret={made.key}
          close={() => setMade(undefined)}
        />
      )}
      {asked && (
        <Dialog title={t(`keysScreen.${asked.act}Of`, { name: asked.key.name })} close={() => setAsked(undefined)}>
          <p>{t(`keysScreen.${asked.act}Why`)}</p>
          {asked.act === 'rotate' && (
            <div class="overlap">
              <Field name="overlap" label={t('keysScreen.overlap')}>
                {(wiring) => (
                  <select
                    class="input"
                    {...wiring}
                    onChange={(event) => setOverlap(event.currentTarget.value as Overlap)}
                  >
                    {(Object.keys(overlaps) as Overlap[]).map((each) => (
                      <option key={each} value={each} selected={overlap === each}>
                        {t(`keysScreen.overlap.${each}`)}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
            </div>
          )}
          <div class="actions dialog-actions">
            <button
              type="button"
              class={`button ${asked.act === 'revoke' ? 'danger' : 'primary'}`}
              onClick={() => void carryOut()}
            >
              {t(`keysScreen.${asked.act}`)}
            </button>
            <button type="button" class="button" onClick={() => setAsked(undefined)}>
              {t('dialog.cancel')}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function Row({ entry, ask: act }: { entry: MachineKey; ask: (act: 'rotate' | 'revoke') => void }) {
  return (
    <tr role="row">
      <td role="cell" class="wide">
        <strong>{entry.name}</strong> {entry.sourceName !== entry.name && <span class="muted">{entry.sourceName}</span>}
      </td>
      <td role="cell" data-label={t('keysScreen.role')}>
        {t(`keyRole.${entry.role}`)}
      </td>
      <td role="cell" data-label={t('keysScreen.prefix')}>
        <code>{entry.prefix}…</code>
      </td>
      <td role="cell" data-label={t('keysScreen.created')}>
        {day(entry.createdAt)}
      </td>
      <td role="cell" data-label={t('keysScreen.lastSeen')}>
        {entry.lastSeenAt ? moment(entry.lastSeenAt) : <span class="muted">{t('keysScreen.never')}</span>}
      </td>
      <td role="cell">
        <KeyState entry={entry} />
      </td>
      <td role="cell" class="row-actions">
        {(entry.state === 'active' || entry.state === 'overlapping') && (
          <>
            {entry.state === 'active' && (
              <button
                type="button"
                class="button small"
                aria-label={t('keysScreen.rotateOf', { name: entry.name })}
                onClick={() => act('rotate')}
              >
                {t('keysScreen.rotate')}
              </button>
            )}
            <button
              type="button"
              class="button small danger"
              aria-label={t('keysScreen.revokeOf', { name: entry.name })}
              onClick={() => act('revoke')}
            >
              {t('keysScreen.revoke')}
            </button>
          </>
        )}
      </td>
    </tr>
  );
}

function KeyState({ entry }: { entry: MachineKey }) {
  if (entry.state === 'active') {
    return (
      <Badge icon="ok" tone="ok" plain>
        {t('keysScreen.active')}
      </Badge>
    );
  }
  if (entry.state === 'overlapping' && entry.expiresAt) {
    return (
      <Badge icon="clock" tone="warn" plain>
        {t('keysScreen.until', { when: moment(entry.expiresAt) })}
      </Badge>
    );
  }
  return (
    <Badge icon="restricted" tone="error" plain>
      {t(entry.state === 'revoked' ? 'keysScreen.revoked' : 'keysScreen.expired')}
    </Badge>
  );
}
