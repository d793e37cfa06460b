import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { day, phone } from '../format.js';
import { t } from '../i18n.js';
import { Dialog } from '../parts/dialog.js';
import { Field } from '../parts/field.js';
import { FormDialog } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { asProblem, BoneRows, Failure, problemText, State, useLoaded } from '../parts/state.js';
import { Cell, Table } from '../parts/table.js';
import { say } from '../shell/toast.js';

interface ExcludedNumber {
  id: string;
  number: string;
  note: string;
  addedAt: string;
  addedBy: { id: string; name: string };
}

/** Numbers and extensions whose calls are not kept, such as the works council's line. */
export function ExcludedNumbers() {
  const found = useLoaded('excluded', (signal) => ask<{ items: ExcludedNumber[] }>('/excluded-numbers', { signal }));
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<ExcludedNumber | undefined>();
  const columns = (['number', 'note', 'added', 'actions'] as const).map((name) => ({
    name: t(`excluded.${name}`),
    unseen: name === 'actions',
  }));

  async function remove({ id, number }: ExcludedNumber) {
    setRemoving(undefined);
    try {
      await ask(`/excluded-numbers/${id}`, { method: 'DELETE' });
      say(t('excluded.removed', { number: phone(number) }));
      found.again();
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  }

  return (
    <section class="panel excluded" aria-labelledby="excluded">
      <div class="excluded-head">
        <h2 id="excluded">{t('excluded.title')}</h2>
        <button type="button" class="button small" onClick={() => setAdding(true)}>
          <Icon name="plus" />
          {t('excluded.add')}
        </button>
      </div>
      <p class="panel-lead muted">{t('excluded.lead')}</p>
      {found.state === 'failed' && <Failure problem={found.problem} again={found.again} />}
      {found.state === 'ready' && found.value.items.length === 0 && (
        <State icon="restricted" title={t('excluded.none')}>
          <p>{t('excluded.noneWhy')}</p>
        </State>
      )}
      {(found.state === 'loading' || (found.state === 'ready' && found.value.items.length > 0)) && (
        <Table label={t('excluded.title')} columns={columns} busy={found.state === 'loading'}>
          {found.state === 'loading' ? (
            <BoneRows rows={2} columns={columns.map(() => 60)} />
          ) : (
            found.value.items.map((entry) => (
              <tr key={entry.id} role="row">
                <Cell wide className="nowrap">
                  <strong>{phone(entry.number)}</strong>
                </Cell>
                <Cell wide>{entry.note}</Cell>
                <Cell label={t('excluded.added')}>
                  {day(entry.addedAt)} <span class="muted">{entry.addedBy.name}</span>
                </Cell>
                <Cell className="row-actions">
                  <button
                    type="button"
                    class="button small"
                    aria-label={t('excluded.removeOf', { number: phone(entry.number) })}
                    onClick={() => setRemoving(entry)}
                  >
                    {t('excluded.remove')}
                  </button>
                </Cell>
              </tr>
            ))
          )}
        </Table>
      )}
      {adding && (
        <FormDialog
          title={t('excluded.add')}
          label={t('form.save')}
          prefix="excluded-"
          fields={['number', 'note']}
          check={(read) => ({
            ...(read('number') === '' ? { number: t('excluded.numberMissing') } : {}),
            ...(read('note') === '' ? { note: t('excluded.noteMissing') } : {}),
          })}
          send={async (read) => {
            await ask('/excluded-numbers', { method: 'POST', body: { number: read('number'), note: read('note') } });
            say(t('excluded.saved'));
            setAdding(false);
            found.again();
          }}
          close={() => setAdding(false)}
        >
          {(of) => (
            <>
              <Field {...of('number')} label={t('excluded.number')} hint={t('excluded.numberHint')}>
                {(wiring) => <input class="input" autocomplete="off" aria-required="true" {...wiring} />}
              </Field>
              <Field {...of('note')} label={t('excluded.note')} hint={t('excluded.noteHint')}>
                {(wiring) => <input class="input" autocomplete="off" aria-required="true" {...wiring} />}
              </Field>
            </>
          )}
        </FormDialog>
      )}
      {removing && (
        <Dialog title={t('excluded.removeOf', { number: phone(removing.number) })} close={() => setRemoving(undefined)}>
          <p>{t('excluded.removeWhy')}</p>
          <div class="actions dialog-actions">
            <button type="button" class="button danger" onClick={() => void remove(removing)}>
              {t('excluded.remove')}
            </button>
            <button type="button" class="button" onClick={() => setRemoving(undefined)}>
              {t('dialog.cancel')}
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}
