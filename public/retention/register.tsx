import { ask } from '../api/client.js';
import { language, t, textOf } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { BoneRows, Failure, useLoaded } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import type { Register, Told } from './types.js';
import './retention.css';

/** The nine rows of the privacy statement, also of what other systems hold. */
export function RegisterScreen() {
  const found = useLoaded('register', (signal) => ask<Register>('/retention/register', { signal }));
  const say = (told: Told) => told[language.value];
  const columns = (['data', 'service', 'kept', 'controller', 'ground', 'here'] as const).map((name) => ({
    name: t(`register.${name}`),
  }));
  return (
    <>
      <div class="way">
        <a class="button quiet small" href="/retention">
          <Icon name="back" />
          {t('retentionScreen.title')}
        </a>
      </div>
      <PageHead title={t('register.title')} lead={t('register.lead')} />
      <div class="retention">
        <div class="panel">
          {found.state === 'failed' ? (
            <Failure problem={found.problem} again={found.again} />
          ) : (
            <Table label={t('register.title')} columns={columns} busy={found.state === 'loading'}>
              {found.state === 'loading' && <BoneRows rows={9} columns={[90, 50, 50, 40, 70, 50]} />}
              {found.state === 'ready' &&
                found.value.rows.map((row) => (
                  <tr key={row.id} role="row">
                    <Cell wide>
                      {say(row.data)}
                      {row.purpose && <span class="line muted">{say(row.purpose)}</span>}
                    </Cell>
                    <Cell label={t('register.service')}>{say(row.service)}</Cell>
                    <Cell label={t('register.kept')}>{say(row.kept)}</Cell>
                    <Cell label={t('register.controller')}>{t(`register.${row.controller}`)}</Cell>
                    <Cell label={t('register.ground')}>{say(row.ground)}</Cell>
                    <Cell label={t('register.here')}>
                      <Badge icon={row.policy ? 'ok' : 'out'} tone={row.policy ? 'ok' : 'neutral'} plain>
                        {t(row.policy ? 'register.inOpname' : 'register.elsewhere')}
                      </Badge>
                    </Cell>
                  </tr>
                ))}
            </Table>
          )}
        </div>
        {found.state === 'ready' && <Processors register={found.value} />}
      </div>
    </>
  );
}

function Processors({ register: { processors } }: { register: Register }) {
  return (
    <section class="panel" aria-labelledby="processors">
      <h2 id="processors" class="panel-title">
        {t('register.processors')}
      </h2>
      {processors.length === 0 ? (
        <p class="panel-lead muted">{t('register.noProcessors')}</p>
      ) : (
        <Table
          label={t('register.processors')}
          columns={[{ name: t('register.role') }, { name: t('register.name') }, { name: t('register.region') }]}
        >
          {processors.map(({ role, name, region }) => (
            <tr key={role + name} role="row">
              <Cell label={t('register.role')}>{textOf(`processor.${role}`) ?? role}</Cell>
              <Cell label={t('register.name')}>{name}</Cell>
              <Cell label={t('register.region')}>{region}</Cell>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}
