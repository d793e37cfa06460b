import { useEffect, useState } from 'preact/hooks';
import { address, ask } from '../api/client.js';
import { moment, size } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge, RetentionBadge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { BoneRows, Failure, State } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import type { EvidencePackage } from './types.js';
import '../admin/admin.css';
import './evidence.css';

/** What was sealed, by whom, why, for whom, and until when it is kept. */
export function Packages() {
  const pages = usePages<EvidencePackage>('/evidence', {});
  const [sealed, setSealed] = useState<ReadonlyMap<string, EvidencePackage>>(new Map());
  const { first } = pages;
  const items = pages.items.map((item) => sealed.get(item.id) ?? item);
  const sealing = items.filter(({ state }) => state === 'sealing').map(({ id }) => id);
  // What is being sealed is asked for until it is done; the rest of the list stays as it is.
  useEffect(() => {
    if (sealing.length === 0) return undefined;
    const every = setInterval(() => {
      for (const id of sealing)
        ask<EvidencePackage>(`/evidence/${id}`).then(
          (now) => setSealed((before) => new Map(before).set(id, now)),
          () => undefined,
        );
    }, 2000);
    return () => clearInterval(every);
  }, [sealing.join()]);
  const columns = (['reference', 'recipient', 'reason', 'by', 'state', 'kept', 'download'] as const).map((name) => ({
    name: t(`packages.${name}`),
    unseen: name === 'download',
  }));
  return (
    <>
      <PageHead title={t('packages.title')} lead={t('packages.lead')}>
        <a class="button" href="/verify">
          <Icon name="ok" />
          {t('packages.verify')}
        </a>
        <a class="button" href="/agreements">
          <Icon name="search" />
          {t('packages.find')}
        </a>
      </PageHead>
      <div class="panel">
        {first.state === 'failed' && <Failure problem={first.problem} again={first.again} />}
        {first.state === 'ready' && items.length === 0 && (
          <State
            icon="seal"
            title={t('packages.none')}
            actions={
              <a class="button" href="/agreements">
                {t('packages.find')}
              </a>
            }
          >
            <p>{t('packages.noneWhy')}</p>
          </State>
        )}
        {(first.state === 'loading' || items.length > 0) && (
          <>
            <Table label={t('packages.title')} columns={columns} busy={first.state === 'loading'}>
              {first.state === 'loading' ? (
                <BoneRows rows={4} columns={columns.map(() => 70)} />
              ) : (
                items.map((sealed) => <Row key={sealed.id} sealed={sealed} />)
              )}
            </Table>
            <More pages={pages} shown={plural('packages.shown', items.length)} />
          </>
        )}
      </div>
    </>
  );
}

function Row({ sealed }: { sealed: EvidencePackage }) {
  const { id, reference, state, scope, recordingIds, requestedBy, requestedAt, sealedAt, bytes, fingerprint } = sealed;
  return (
    <tr role="row">
      <Cell wide className="nowrap">
        <strong>{reference}</strong>
        <span class="line muted">
          {plural('packages.calls', recordingIds.length)}, {t(`packages.${scope}`)}
        </span>
      </Cell>
      <Cell wide label={t('packages.recipient')}>
        {sealed.recipient}
      </Cell>
      <Cell wide label={t('packages.reason')}>
        {sealed.reason}
      </Cell>
      <Cell wide label={t('packages.by')}>
        {t('packages.byWhom', { name: requestedBy.name, when: moment(sealedAt ?? requestedAt) })}
        {fingerprint && (
          <span class="line muted">
            {t('packages.fingerprint')} <code>{fingerprint}</code>
          </span>
        )}
      </Cell>
      <Cell wide>
        <PackageState sealed={sealed} />
        {sealed.keptBack && <span class="package-note">{t('packages.keptBack')}</span>}
      </Cell>
      <Cell wide>
        <RetentionBadge retainUntil={sealed.retainUntil} plain />
      </Cell>
      <Cell className="row-actions">
        {state !== 'sealing' && !sealed.keptBack && (
          <a
            class="button small"
            href={address(`/evidence/${id}/package`)}
            download
            aria-label={t('packages.downloadOf', { reference })}
          >
            {t('packages.download')}
            {bytes !== null && ` (${size(bytes)})`}
          </a>
        )}
      </Cell>
    </tr>
  );
}

function PackageState({ sealed: { state, missing, attempts, lastFault } }: { sealed: EvidencePackage }) {
  if (state === 'sealing') {
    return (
      <>
        <Badge icon="clock" plain>
          {t('packages.sealing')}
        </Badge>
        {lastFault !== null && <span class="package-note">{t('packages.retrying', { attempts })}</span>}
      </>
    );
  }
  if (state === 'sealed') {
    return (
      <Badge icon="seal" tone="ok" plain>
        {t('packages.sealed')}
      </Badge>
    );
  }
  return (
    <>
      <Badge icon="warning" tone="warn" plain>
        {t('packages.incomplete')}
      </Badge>
      <span class="package-note">{t('packages.missing', { files: missing.join(', ') })}</span>
    </>
  );
}
