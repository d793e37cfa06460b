import { useState } from 'preact/hooks';
import type { Query } from '../api/client.js';
import { clock, day, phone, startOfDay, time } from '../format.js';
import { plural, t } from '../i18n.js';
import { RetentionBadge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { BoneRows, Failure, State } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { go, place } from '../shell/router.js';
import { useUser } from '../shell/user.js';
import { Seal } from './seal.js';
import type { FoundAgreement } from './types.js';
import '../recordings/recordings.css';
import './evidence.css';

const inAddress = ['ticket', 'from', 'to'] as const;
/** What may name a person or a customer lives beside the address. */
const beside = ['number', 'organisation', 'q'] as const;

/** Finds agreements; an officer seals those that are chosen. */
export function FindAgreements() {
  const officer = useUser().role === 'privacy_officer';
  const { query, kept } = place.value;
  const wanted: Record<string, string> = {};
  for (const name of inAddress) wanted[name] = query.get(name) ?? '';
  for (const name of beside) wanted[name] = kept[name] ?? '';
  const asked: Query = {
    ...wanted,
    from: wanted['from'] ? startOfDay(wanted['from']) : undefined,
    to: wanted['to'] ? startOfDay(wanted['to'], 1) : undefined,
  };
  const pages = usePages<FoundAgreement>('/agreements', asked);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [sealing, setSealing] = useState(false);
  const { first, items } = pages;
  const searched = Object.values(wanted).some((value) => value !== '');
  const calls = [...new Map(items.filter(({ id }) => chosen.has(id)).map((item) => [item.recordingId, item])).values()];
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const columns = (['select', 'call', 'passage', 'what', 'kept'] as const)
    .filter((name) => officer || name !== 'select')
    .map((name) => ({ name: t(`agreements.${name}`), unseen: name === 'select' }));
  return (
    <>
      <PageHead title={t('agreements.title')} lead={t('agreements.lead')}>
        {officer && (
          <a class="button" href="/packages">
            <Icon name="seal" />
            {t('packages.title')}
          </a>
        )}
      </PageHead>
      <Search key={JSON.stringify(wanted)} wanted={wanted} officer={officer} searched={searched} />
      <div class="panel">
        {first.state === 'failed' && <Failure problem={first.problem} again={first.again} />}
        {first.state === 'ready' && items.length === 0 && (
          <State icon="agreement" title={t(searched ? 'agreements.noneFound' : 'agreements.none')}>
            <p>{t(searched ? 'agreements.noneFoundWhy' : 'agreements.noneWhy')}</p>
          </State>
        )}
        {(first.state === 'loading' || items.length > 0) && (
          <>
            <Table label={t('agreements.title')} columns={columns} busy={first.state === 'loading'}>
              {first.state === 'loading' ? (
                <BoneRows rows={5} columns={columns.map(() => 70)} />
              ) : (
                items.map((agreement) => (
                  <Row
                    key={agreement.id}
                    agreement={agreement}
                    chosen={officer ? chosen.has(agreement.id) : undefined}
                    toggle={() => toggle(agreement.id)}
                  />
                ))
              )}
            </Table>
            <More pages={pages} shown={plural('agreements.shown', items.length)} />
            {calls.length > 0 && (
              <div class="selection">
                <strong role="status">{plural('agreements.selected', calls.length)}</strong>
                <button type="button" class="button primary" onClick={() => setSealing(true)}>
                  <Icon name="seal" />
                  {t('agreements.seal')}
                </button>
              </div>
            )}
          </>
        )}
      </div>
      {sealing && <Seal calls={calls} close={() => setSealing(false)} />}
    </>
  );
}

function Row(props: { agreement: FoundAgreement; chosen: boolean | undefined; toggle: () => void }) {
  const { recordingId, startedAt, startMs, endMs, summary, parties, ticket, caller, agent } = props.agreement;
  const when = `${day(startedAt)} ${time(startedAt)}`;
  return (
    <tr role="row">
      {props.chosen !== undefined && (
        <Cell>
          <label class="check">
            <input type="checkbox" checked={props.chosen} onChange={props.toggle} />
            <span class="unseen">{t('agreements.selectOf', { when })}</span>
          </label>
        </Cell>
      )}
      <Cell wide className="nowrap">
        <a href={`/recordings/${recordingId}?t=${Math.floor(startMs / 1000)}`}>{when}</a>
        <span class="line muted">{[caller && phone(caller), agent].filter(Boolean).join(' · ')}</span>
      </Cell>
      <Cell className="nowrap" label={t('agreements.passage')}>
        {clock(startMs)}–{clock(endMs)}
      </Cell>
      <Cell wide>
        {summary}
        <span class="line muted">
          {[...(parties ?? []), ticket && t('ticket.number', { number: ticket })].filter(Boolean).join(' · ')}
        </span>
      </Cell>
      <Cell wide>
        <RetentionBadge retainUntil={props.agreement.retainUntil} held={props.agreement.held} plain />
      </Cell>
    </tr>
  );
}

function Search(props: { wanted: Record<string, string>; officer: boolean; searched: boolean }) {
  const apply = (form: HTMLFormElement) => {
    const data = new FormData(form);
    const read = (name: string) => String(data.get(name) ?? '').trim();
    const search = new URLSearchParams();
    for (const name of inAddress) if (read(name) !== '') search.set(name, read(name));
    const kept: Record<string, string> = {};
    for (const name of beside) if (read(name) !== '') kept[name] = read(name);
    go(`/agreements${search.size > 0 ? `?${search.toString()}` : ''}`, { replace: true, kept });
  };
  const text = (name: string, label: string, more: { inputMode?: 'tel' | 'numeric'; maxLength?: number } = {}) => (
    <div class="field">
      <label for={name}>{label}</label>
      <input class="input" id={name} name={name} autocomplete="off" defaultValue={props.wanted[name]} {...more} />
    </div>
  );
  return (
    <form
      class="filters"
      role="search"
      aria-label={t('agreements.search')}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        apply(event.currentTarget);
      }}
    >
      <div class="filters-row">
        {props.officer
          ? text('number', t('filters.number'), { inputMode: 'tel' })
          : text('number', t('filters.lastThree'), { inputMode: 'numeric', maxLength: 3 })}
        {props.officer && text('organisation', t('agreements.organisation'))}
        {text('ticket', t('filters.ticket'))}
        {text('q', t('agreements.words'))}
        {(['from', 'to'] as const).map((name) => (
          <div key={name} class="field">
            <label for={name}>{t(`filters.${name}`)}</label>
            <input class="input" id={name} name={name} type="date" defaultValue={props.wanted[name]} />
          </div>
        ))}
        <div class="actions filters-actions">
          <button type="submit" class="button primary">
            {t('filters.search')}
          </button>
          {props.searched && (
            <button type="button" class="button quiet" onClick={() => go('/agreements', { replace: true })}>
              {t('filters.clear')}
            </button>
          )}
        </div>
      </div>
    </form>
  );
}
