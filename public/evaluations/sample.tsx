import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Page } from '../api/types.js';
import type { CallFacts } from '../collections/types.js';
import { clock, dateBefore, moment, phone } from '../format.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Field } from '../parts/field.js';
import { useForm } from '../parts/form.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import type { Colleague } from '../parts/people.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import { WithConsent } from './consent.js';
import './evaluations.css';

interface Drawn {
  id: string;
  seed: string;
  population: number;
  calls: { place: number; recording: CallFacts; evaluated: boolean }[];
}

/** Draws calls by lot, on record. */
export function Sample() {
  return (
    <>
      <div class="way">
        <a class="button quiet small" href="/evaluations">
          <Icon name="back" />
          {t('evaluations.title')}
        </a>
      </div>
      <PageHead title={t('sample.title')} lead={t('sample.lead')} />
      <WithConsent>
        <Draw />
      </WithConsent>
    </>
  );
}

function Draw() {
  const people = useLoaded('agents', (signal) => ask<Page<Colleague>>('/people', { query: { limit: 200 }, signal }));
  const [drawn, setDrawn] = useState<Drawn | undefined>();
  const form = useForm({
    prefix: 'sample-',
    fields: ['agentId', 'from', 'to', 'size'],
    check: (read) => ({
      ...(read('agentId') === '' ? { agentId: t('sample.agentMissing') } : {}),
      ...(read('from') === '' ? { from: t('sample.periodMissing') } : {}),
      ...(read('to') === '' || read('to') < read('from') ? { to: t('sample.periodMissing') } : {}),
      ...(Number(read('size')) >= 1 && Number(read('size')) <= 50 ? {} : { size: t('sample.sizeWrong') }),
    }),
    send: async (read) => {
      const body = { agentId: read('agentId'), from: read('from'), to: read('to'), size: Number(read('size')) };
      setDrawn(await ask<Drawn>('/samples', { method: 'POST', body }));
    },
  });
  if (people.state === 'failed') return <Failure problem={people.problem} again={people.again} />;
  if (people.state === 'loading') return <Bones count={3} />;
  const agents = people.value.items.filter(({ role }) => role === 'agent');
  return (
    <>
      <form
        class="panel form evaluation-panel"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void form.submit(event.currentTarget);
        }}
      >
        {form.summary}
        <div class="pair">
          <Field {...form.of('agentId')} label={t('sample.agent')}>
            {(wiring) => (
              <select class="input" {...wiring}>
                {agents.map((agent) => (
                  <option key={agent.id} value={agent.id}>
                    {agent.name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field {...form.of('from')} label={t('sample.from')}>
            {(wiring) => <input class="input" type="date" defaultValue={dateBefore(30)} {...wiring} />}
          </Field>
          <Field {...form.of('to')} label={t('sample.to')}>
            {(wiring) => <input class="input" type="date" defaultValue={dateBefore(0)} {...wiring} />}
          </Field>
          <Field {...form.of('size')} label={t('sample.size')}>
            {(wiring) => <input class="input" inputMode="numeric" defaultValue="5" {...wiring} />}
          </Field>
        </div>
        <div class="actions">
          <button type="submit" class="button primary">
            {t('sample.draw')}
          </button>
        </div>
      </form>
      <div role="status">
        {drawn && drawn.calls.length === 0 && <State icon="search" title={t('sample.none')} />}
        {drawn && drawn.calls.length > 0 && (
          <section class="panel" aria-labelledby="drawn-title">
            <h2 class="drawn-title" id="drawn-title">
              {t('sample.drawn', { count: drawn.calls.length, population: drawn.population })}
            </h2>
            <ol class="cards">
              {drawn.calls.map(({ recording, evaluated }) => (
                <li key={recording.id}>
                  <a href={`/recordings/${recording.id}`}>
                    {t('collections.itemName', { when: moment(recording.startedAt) })}
                  </a>
                  <span class="muted">
                    {[recording.caller && phone(recording.caller), clock(recording.durationMs)]
                      .filter(Boolean)
                      .join(' · ')}
                  </span>
                  {evaluated && (
                    <Badge icon="ok" tone="ok" plain>
                      {t('sample.evaluated')}
                    </Badge>
                  )}
                </li>
              ))}
            </ol>
            <p class="muted drawn-seed">{t('sample.seed', { seed: drawn.seed })}</p>
          </section>
        )}
      </div>
    </>
  );
}
