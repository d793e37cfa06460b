import { useState } from 'preact/hooks';
import { plural, t } from '../i18n.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { More } from '../parts/more.js';
import { usePages, type Pages } from '../parts/pages.js';
import { useNames } from '../parts/people.js';
import { BoneRows, Failure, State } from '../parts/state.js';
import { Table } from '../parts/table.js';
import { go, place } from '../shell/router.js';
import { useUser } from '../shell/user.js';
import { ConfirmGroup, ConfirmHold, ReleaseGroup, ReleaseHold } from './decide.js';
import { GroupRow } from './group-row.js';
import { HoldNumber } from './hold-number.js';
import { Row } from './row.js';
import type { Hold, HoldGroup } from './types.js';
import '../admin/admin.css';
import '../recordings/recordings.css';
import './holds.css';

type Deciding = { act: 'confirm' | 'release'; hold: Hold } | { act: 'confirm' | 'release'; group: HoldGroup };

/** What is kept past its date: why, by whom, until when it is looked at again, and who stands behind it. */
export function Holds() {
  const group = place.value.query.get('group');
  return group === null ? <Lines /> : <OfGroup id={group} />;
}

/** A line for each request, each act and each hold by itself. */
function Lines() {
  const officer = useUser().role === 'privacy_officer';
  const nameOf = useNames();
  const all = place.value.query.get('all') === 'true';
  const pages = usePages<HoldGroup>('/holds/groups', { inForce: all ? undefined : true });
  const [deciding, setDeciding] = useState<Deciding | undefined>();
  const [numbering, setNumbering] = useState(false);
  return (
    <>
      <PageHead title={t('holds.title')} lead={t('holds.lead')}>
        <div class="segments" role="group" aria-label={t('holds.filter')}>
          {[false, true].map((choice) => (
            <button
              key={String(choice)}
              type="button"
              aria-pressed={all === choice}
              onClick={() => go(choice ? '/holds?all=true' : '/holds', { replace: true })}
            >
              {t(choice ? 'holds.all' : 'holds.inForce')}
            </button>
          ))}
        </div>
        {officer && (
          <button type="button" class="button" onClick={() => setNumbering(true)}>
            <Icon name="hold" />
            {t('holds.ofNumber')}
          </button>
        )}
      </PageHead>
      <Panel pages={pages}>
        {(line) =>
          line.hold === null ? (
            <GroupRow key={line.id} group={line} officer={officer} nameOf={nameOf} decide={(act) => setDeciding({ act, group: line })} />
          ) : (
            <SingleRow key={line.id} hold={line.hold} officer={officer} nameOf={nameOf} decide={setDeciding} />
          )
        }
      </Panel>
      {numbering && (
        <HoldNumber
          close={() => setNumbering(false)}
          placed={() => {
            setNumbering(false);
            pages.again();
          }}
        />
      )}
      <Decide deciding={deciding} set={setDeciding} again={pages.again} />
    </>
  );
}

/** The holds of one line, one by one. */
function OfGroup({ id }: { id: string }) {
  const officer = useUser().role === 'privacy_officer';
  const nameOf = useNames();
  const pages = usePages<Hold>('/holds', { groupId: id });
  const [deciding, setDeciding] = useState<Deciding | undefined>();
  return (
    <>
      <PageHead title={t('holds.ofGroup')} lead={t('holds.ofGroupLead')}>
        <a class="button" href="/holds">
          {t('holds.backToAll')}
        </a>
      </PageHead>
      <Panel pages={pages}>
        {(hold) => <SingleRow key={hold.id} hold={hold} officer={officer} nameOf={nameOf} decide={setDeciding} />}
      </Panel>
      <Decide deciding={deciding} set={setDeciding} again={pages.again} />
    </>
  );
}

function SingleRow(props: {
  hold: Hold;
  officer: boolean;
  nameOf: (id: string | null) => string;
  decide: (deciding: Deciding) => void;
}) {
  const { hold, decide, ...rest } = props;
  return <Row hold={hold} {...rest} decide={(act) => decide({ act, hold })} />;
}

function Panel<Item>({ pages, children }: { pages: Pages<Item>; children: (item: Item) => preact.ComponentChildren }) {
  const officer = useUser().role === 'privacy_officer';
  const { first, items } = pages;
  const columns = (['item', 'ground', 'owner', 'review', 'state', 'actions'] as const)
    .filter((name) => officer || name !== 'actions')
    .map((name) => ({ name: t(`holds.${name}`), unseen: name === 'actions' }));
  return (
    <div class="panel">
      {first.state === 'failed' && <Failure problem={first.problem} again={first.again} />}
      {first.state === 'ready' && items.length === 0 && (
        <State icon="hold" title={t('holds.none')}>
          <p>{t('holds.noneWhy')}</p>
        </State>
      )}
      {(first.state === 'loading' || items.length > 0) && (
        <>
          <Table label={t('holds.title')} columns={columns} busy={first.state === 'loading'}>
            {first.state === 'loading' ? <BoneRows rows={4} columns={columns.map(() => 70)} /> : items.map(children)}
          </Table>
          <More pages={pages} shown={plural('holds.shown', items.length)} />
        </>
      )}
    </div>
  );
}

/** The dialog of whatever is being decided. */
function Decide(props: { deciding: Deciding | undefined; set: (deciding: undefined) => void; again: () => void }) {
  const user = useUser();
  const { deciding } = props;
  const close = () => props.set(undefined);
  const done = () => {
    close();
    props.again();
  };
  if (deciding === undefined) return null;
  if ('group' in deciding) {
    const { group } = deciding;
    const own = group.placedBy.every((id) => id === user.id);
    return deciding.act === 'confirm' ? (
      <ConfirmGroup group={group} own={own} close={close} done={done} />
    ) : (
      <ReleaseGroup group={group} close={close} done={done} />
    );
  }
  const { hold } = deciding;
  return deciding.act === 'confirm' ? (
    <ConfirmHold hold={hold} own={hold.placedBy === user.id} close={close} done={done} />
  ) : (
    <ReleaseHold hold={hold} close={close} done={done} />
  );
}
