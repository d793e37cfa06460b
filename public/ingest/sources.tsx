import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { phone } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { usePages } from '../parts/pages.js';
import { BoneRows, Failure, State } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { say } from '../shell/toast.js';
import type { Source } from './types.js';
import '../admin/admin.css';

/** How each source is read: its zone, who is on which channel, and the numbers that are its own. */
export function Sources() {
  const pages = usePages<Source>('/sources', {});
  const [changing, setChanging] = useState<Source | undefined>();
  const { first, items } = pages;
  const columns = (['name', 'kind', 'timezone', 'channels', 'ownNumbers', 'actions'] as const).map((name) => ({
    name: t(`sources.${name}`),
    unseen: name === 'actions',
  }));
  return (
    <section class="panel" aria-labelledby="sources">
      <h2 id="sources" class="panel-title">
        {t('sources.title')}
      </h2>
      <p class="panel-lead muted">{t('sources.lead')}</p>
      {first.state === 'failed' && <Failure problem={first.problem} again={first.again} />}
      {first.state === 'ready' && items.length === 0 && (
        <State icon="key" title={t('sources.none')}>
          <p>{t('sources.noneWhy')}</p>
        </State>
      )}
      {(first.state === 'loading' || items.length > 0) && (
        <Table label={t('sources.title')} columns={columns} busy={first.state === 'loading'}>
          {first.state === 'loading' ? (
            <BoneRows rows={2} columns={columns.map(() => 70)} />
          ) : (
            items.map((source) => (
              <tr key={source.id} role="row">
                <Cell wide>
                  <strong>{source.name}</strong>
                </Cell>
                <Cell label={t('sources.kind')}>{t(`keyRole.${source.kind}`)}</Cell>
                <Cell label={t('sources.timezone')}>{source.timezone}</Cell>
                <Cell wide label={source.kind === 'pbx' ? t('sources.channels') : undefined}>
                  {source.kind === 'pbx' && channelWords(source.channels)}
                </Cell>
                <Cell wide label={source.ownNumbers.length > 0 ? t('sources.ownNumbers') : undefined}>
                  {source.ownNumbers.map(phone).join(', ')}
                </Cell>
                <Cell className="row-actions">
                  <button
                    type="button"
                    class="button small"
                    aria-label={t('sources.changeOf', { name: source.name })}
                    onClick={() => setChanging(source)}
                  >
                    {t('sources.change')}
                  </button>
                </Cell>
              </tr>
            ))
          )}
        </Table>
      )}
      {changing && (
        <ChangeSource
          source={changing}
          close={() => setChanging(undefined)}
          done={() => {
            setChanging(undefined);
            pages.again();
          }}
        />
      )}
    </section>
  );
}

const channelWords = (channels: Source['channels']) =>
  t(channels[0] === 'agent' ? 'sources.agentLeft' : 'sources.callerLeft');

function ChangeSource({ source, close, done }: { source: Source; close: () => void; done: () => void }) {
  const pbx = source.kind === 'pbx';
  return (
    <FormDialog
      title={t('sources.changeOf', { name: source.name })}
      label={t('form.save')}
      prefix="source-"
      fields={['name', 'timezone', 'channels', 'ownNumbers']}
      check={(read) => ({
        ...(read('name') === '' ? { name: t('sources.nameMissing') } : {}),
        ...(read('timezone') === '' ? { timezone: t('sources.timezoneMissing') } : {}),
      })}
      send={async (read) => {
        const numbers = read('ownNumbers').split('\n').map((line) => line.trim());
        const body = {
          name: read('name'),
          timezone: read('timezone'),
          ...(pbx
            ? {
                channels: read('channels') === 'agent' ? ['agent', 'caller'] : ['caller', 'agent'],
                ownNumbers: numbers.filter(Boolean),
              }
            : {}),
        };
        await ask(`/sources/${source.id}`, { method: 'PATCH', body });
        say(t('sources.saved'));
        done();
      }}
      close={close}
    >
      {(of) => (
        <>
          <Field {...of('name')} label={t('sources.name')}>
            {(wiring) => (
              <input class="input" autocomplete="off" aria-required="true" defaultValue={source.name} {...wiring} />
            )}
          </Field>
          <Field {...of('timezone')} label={t('sources.timezone')} hint={t('sources.timezoneHint')}>
            {(wiring) => (
              <input class="input" autocomplete="off" aria-required="true" defaultValue={source.timezone} {...wiring} />
            )}
          </Field>
          {pbx && (
            <>
              <Field {...of('channels')} label={t('sources.channels')} hint={t('sources.channelsHint')}>
                {(wiring) => (
                  <select class="input" {...wiring}>
                    {(['caller', 'agent'] as const).map((left) => (
                      <option key={left} value={left} selected={source.channels[0] === left}>
                        {t(left === 'agent' ? 'sources.agentLeft' : 'sources.callerLeft')}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <Field {...of('ownNumbers')} label={t('sources.ownNumbers')} hint={t('sources.ownNumbersHint')}>
                {(wiring) => (
                  <textarea class="input" rows={4} defaultValue={source.ownNumbers.join('\n')} {...wiring} />
                )}
              </Field>
            </>
          )}
        </>
      )}
    </FormDialog>
  );
}
