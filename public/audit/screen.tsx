import { address, type Query } from '../api/client.js';
import type { AuditEntry } from '../api/types.js';
import { preciseMoment, startOfDay } from '../format.js';
import { plural, t, textOf } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { BoneRows, Failure, State } from '../parts/state.js';
import { go, place } from '../shell/router.js';
import { actorOf, acts, objectOf, requestActs, sentence } from './sentence.js';
import { Verification } from './verification.js';
import '../recordings/recordings.css';
import './audit.css';

/** Who did what and when, as sentences; ids are pseudonyms, so they may stand in the address. */
export function Audit() {
  const { query } = place.value;
  const wanted: Record<string, string> = {};
  for (const name of ['action', 'actor', 'object', 'from', 'to']) wanted[name] = query.get(name) ?? '';
  const asked: Query = {
    action: wanted['action'],
    actor: wanted['actor'],
    object: wanted['object'],
    from: wanted['from'] ? startOfDay(wanted['from']) : undefined,
    to: wanted['to'] ? startOfDay(wanted['to'], 1) : undefined,
  };
  const key = JSON.stringify(asked);
  const pages = usePages<AuditEntry>('/audit', asked);
  const { first, items } = pages;
  const narrowed = Object.values(wanted).some((value) => value !== '');
  return (
    <>
      <PageHead title={t('audit.title')} lead={t('audit.lead')}>
        <a class="button" href={address('/audit/export', asked)} download>
          <Icon name="audit" />
          {t('audit.export')}
        </a>
      </PageHead>
      <Verification />
      <Filters key={key} wanted={wanted} narrowed={narrowed} />
      <div class="panel">
        {first.state === 'failed' && <Failure problem={first.problem} again={first.again} />}
        {first.state === 'ready' && items.length === 0 && (
          <State icon="audit" title={t('audit.none')}>
            <p>{t(narrowed ? 'audit.noneFoundWhy' : 'audit.noneWhy')}</p>
          </State>
        )}
        {(first.state === 'loading' || items.length > 0) && (
          <>
            <table class="table audit" role="table" aria-label={t('audit.title')} aria-busy={first.state === 'loading'}>
              <thead role="rowgroup">
                <tr role="row">
                  {(['when', 'what', 'details'] as const).map((column) => (
                    <th key={column} role="columnheader" scope="col">
                      {t(`audit.${column}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody role="rowgroup">
                {first.state === 'loading' ? (
                  <BoneRows columns={[80, 90, 40]} />
                ) : (
                  items.map((entry) => <Row key={entry.id} entry={entry} />)
                )}
              </tbody>
            </table>
            <More pages={pages} shown={plural('audit.shown', items.length)} />
          </>
        )}
      </div>
    </>
  );
}

function Filters({ wanted, narrowed }: { wanted: Record<string, string>; narrowed: boolean }) {
  const apply = (form: HTMLFormElement) => {
    const search = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      const text = String(value).trim();
      if (text !== '') search.set(name, text);
    }
    go(`/audit${search.size > 0 ? `?${search.toString()}` : ''}`, { replace: true });
  };
  return (
    <form
      class="filters"
      role="search"
      aria-label={t('audit.search')}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        apply(event.currentTarget);
      }}
    >
      <div class="filters-row">
        <div class="field filter-act">
          <label for="action">{t('audit.act')}</label>
          <select class="input" id="action" name="action">
            <option value="">{t('filters.any')}</option>
            {acts.map((act) => (
              <option key={act} value={act} selected={act === wanted['action']}>
                {textOf(`actName.${act}`) ?? act}
              </option>
            ))}
            <optgroup label={t('audit.requests')}>
              {['*', ...requestActs].map((kind) => (
                <option key={kind} value={`privacy_request.${kind}`} selected={`privacy_request.${kind}` === wanted['action']}>
                  {kind === '*' ? t('audit.anyOfRequests') : textOf(`event.${kind}`)}
                </option>
              ))}
            </optgroup>
          </select>
        </div>
        <div class="field">
          <label for="from">{t('filters.from')}</label>
          <input class="input" id="from" name="from" type="date" defaultValue={wanted['from']} />
        </div>
        <div class="field">
          <label for="to">{t('filters.to')}</label>
          <input class="input" id="to" name="to" type="date" defaultValue={wanted['to']} />
        </div>
        <div class="field">
          <label for="object">{t('audit.object')}</label>
          <input class="input" id="object" name="object" autocomplete="off" defaultValue={wanted['object']} />
        </div>
        <div class="field">
          <label for="actor">{t('audit.actor')}</label>
          <input class="input" id="actor" name="actor" autocomplete="off" defaultValue={wanted['actor']} />
        </div>
        <div class="actions filters-actions">
          <button type="submit" class="button primary">
            {t('filters.search')}
          </button>
          {narrowed && (
            <button type="button" class="button quiet" onClick={() => go('/audit', { replace: true })}>
              {t('filters.clear')}
            </button>
          )}
        </div>
      </div>
    </form>
  );
}

function Row({ entry }: { entry: AuditEntry }) {
  const object = objectOf(entry);
  return (
    <tr role="row">
      <td role="cell" class="nowrap">
        <time dateTime={entry.at}>{preciseMoment(entry.at)}</time>
      </td>
      <td role="cell" class="wide">
        <strong>{actorOf(entry)}</strong> {sentence(entry)}
      </td>
      <td role="cell" class="wide">
        <details>
          <summary>
            {t('audit.show')}
            <span class="unseen"> {sentence(entry)}</span>
          </summary>
          <pre>{JSON.stringify(entry, null, 2)}</pre>
          {object && <a href={`/audit?object=${encodeURIComponent(object.id)}`}>{t('audit.sameObject')}</a>}
        </details>
      </td>
    </tr>
  );
}
