import { day, moment } from '../format.js';
import { plural, t, textOf } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { useForm } from '../parts/form.js';
import { Field } from '../parts/field.js';
import { Icon } from '../parts/icon.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { BoneRows, Failure, State } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { go, place } from '../shell/router.js';
import type { Tombstone } from './types.js';
import { itemName } from './words.js';
import '../audit/audit.css';
import '../recordings/recordings.css';
import './retention.css';

const kinds = ['recording', 'ticket'] as const;
const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What is left of what was deleted, of everything or of one item. Ids are pseudonyms: they may stand in the address. */
export function Tombstones() {
  const { query } = place.value;
  const kind = kinds.find((each) => query.has(each));
  const id = kind === undefined ? '' : (query.get(kind) ?? '');
  const pages = usePages<Tombstone>('/tombstones', kind === undefined ? {} : { [`${kind}Id`]: id });
  const { first, items } = pages;
  return (
    <>
      <div class="way">
        <a class="button quiet small" href="/retention">
          <Icon name="back" />
          {t('retentionScreen.title')}
        </a>
      </div>
      <PageHead title={t('tombstones.title')} lead={t('tombstones.lead')} />
      <Search key={`${kind ?? ''} ${id}`} kind={kind ?? 'recording'} id={id} />
      <div class="panel">
        {first.state === 'failed' && <Failure problem={first.problem} again={first.again} />}
        {first.state === 'ready' && items.length === 0 && (
          <State icon="bin" title={t(kind ? 'tombstones.noneOf' : 'tombstones.none')}>
            <p>{t(kind ? 'tombstones.noneOfWhy' : 'tombstones.noneWhy')}</p>
          </State>
        )}
        {(first.state === 'loading' || items.length > 0) && (
          <>
            <Table
              label={t('tombstones.title')}
              busy={first.state === 'loading'}
              className="audit"
              columns={(['what', 'day', 'due', 'purged', 'reason', 'details'] as const).map((name) => ({
                name: t(`tombstones.${name}`),
              }))}
            >
              {first.state === 'loading' ? (
                <BoneRows columns={[60, 50, 60, 60, 60, 30]} />
              ) : (
                items.map((stone) => <Row key={stone.id} stone={stone} />)
              )}
            </Table>
            <More pages={pages} shown={plural('tombstones.shown', items.length)} />
          </>
        )}
      </div>
    </>
  );
}

function Search({ kind, id }: { kind: string; id: string }) {
  const form = useForm({
    prefix: 'stone-',
    fields: ['id'],
    check: (read) => (idPattern.test(read('id')) ? {} : { id: t('tombstones.idWrong') }),
    send: async (read) => {
      go(`/retention/tombstones?${read('kind')}=${encodeURIComponent(read('id'))}`, { replace: true });
      return Promise.resolve();
    },
  });
  return (
    <form
      class="filters"
      role="search"
      aria-label={t('tombstones.search')}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(event.currentTarget);
      }}
    >
      <div class="filters-row">
        <Field {...form.of('kind')} label={t('tombstones.kind')}>
          {(wiring) => (
            <select class="input" {...wiring}>
              {kinds.map((each) => (
                <option key={each} value={each} selected={each === kind}>
                  {t(`stuffOne.${each}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field {...form.of('id')} label={t('tombstones.id')}>
          {(wiring) => <input class="input" autocomplete="off" defaultValue={id} {...wiring} />}
        </Field>
        <div class="actions filters-actions">
          <button type="submit" class="button primary">
            {t('filters.search')}
          </button>
          {id !== '' && (
            <button type="button" class="button quiet" onClick={() => go('/retention/tombstones', { replace: true })}>
              {t('filters.clear')}
            </button>
          )}
        </div>
      </div>
    </form>
  );
}

function Row({ stone }: { stone: Tombstone }) {
  const name = itemName(stone.subjectKind, stone.subjectId);
  const inAddress = kinds.some((kind) => kind === stone.subjectKind);
  return (
    <tr role="row">
      <Cell wide>
        {inAddress ? (
          <a href={`/retention/tombstones?${stone.subjectKind}=${stone.subjectId}`}>{name}</a>
        ) : (
          name
        )}
        {stone.category !== stone.subjectKind && (
          <span class="line muted">{textOf(`stuffOne.${stone.category}`) ?? stone.category}</span>
        )}
      </Cell>
      <Cell className="nowrap" label={t('tombstones.day')}>
        {stone.day === null ? t('value.unknown') : day(`${stone.day}T12:00:00Z`)}
      </Cell>
      <Cell className="nowrap" label={t('tombstones.due')}>
        {moment(stone.retainUntil)}
      </Cell>
      <Cell className="nowrap" label={t('tombstones.purged')}>
        {moment(stone.purgedAt)}
      </Cell>
      <Cell label={t('tombstones.reason')}>{textOf(`gone.${stone.reason}`) ?? stone.reason}</Cell>
      <Cell wide>
        <details>
          <summary>
            {t('audit.show')}
            <span class="unseen"> {name}</span>
          </summary>
          <pre>{JSON.stringify(stone, null, 2)}</pre>
        </details>
      </Cell>
    </tr>
  );
}
