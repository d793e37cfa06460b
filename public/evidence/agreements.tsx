import { useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import type { Page, Recording } from '../api/types.js';
import { clock, longDay, moment } from '../format.js';
import { PlaceHold } from '../holds/place.js';
import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import { Bones, Failure, State, useLoaded } from '../parts/state.js';
import type { Playback } from '../player/playback.js';
import { useUser } from '../shell/user.js';
import { Correct, Withdraw } from './change.js';
import { Mark } from './mark.js';
import { type CallToSeal, Seal } from './seal.js';
import type { AgreementHistory, FoundAgreement } from './types.js';
import './evidence.css';

interface Props {
  recording: Recording;
  playback: Playback;
  changed: () => void;
}

type Open = { act: 'mark' | 'hold' | 'seal' } | { act: 'correct' | 'withdraw'; agreement: FoundAgreement };

/** The agreements in a call: heard, marked, corrected; and what that does not do, which is keep the call longer. */
export function Agreements({ recording, playback, changed }: Props) {
  const user = useUser();
  const officer = user.role === 'privacy_officer';
  const mayMark = officer || user.role === 'trainer';
  const [open, setOpen] = useState<Open | undefined>();
  const found = useLoaded(`agreements ${recording.id}`, (signal) =>
    mayMark
      ? ask<Page<FoundAgreement>>('/agreements', { query: { recordingId: recording.id, limit: 200 }, signal })
      : Promise.resolve({ items: [], nextCursor: null }),
  );
  const close = () => setOpen(undefined);
  const done = () => {
    close();
    found.again();
    changed();
  };
  const playable = recording.state === 'ready';
  const items = found.state === 'ready' ? found.value.items : [];
  return (
    <>
      {found.state === 'loading' && <Bones count={2} />}
      {found.state === 'failed' && <Failure problem={found.problem} again={found.again} />}
      {found.state === 'ready' && recording.agreements.length === 0 && items.length === 0 && open?.act !== 'mark' && (
        <State icon="agreement" title={t('side.noAgreements')}>
          <p>{t('side.noAgreementsWhy')}</p>
        </State>
      )}
      {!mayMark && recording.agreements.length > 0 && (
        <ul class="side-list">
          {recording.agreements.map(({ id, startMs, endMs }) => (
            <li key={id}>
              {clock(startMs)}–{clock(endMs)}
            </li>
          ))}
        </ul>
      )}
      {items.length > 0 && (
        <ul class="side-list">
          {[...items]
            .sort((a, b) => a.startMs - b.startMs)
            .map((agreement) => (
              <Entry
                key={agreement.id}
                agreement={agreement}
                mayChange={officer || agreement.markedBy.id === user.id}
                hear={() => {
                  playback.seek(agreement.startMs);
                  playback.region.value = { startMs: agreement.startMs, endMs: agreement.endMs };
                }}
                open={(act) => setOpen({ act, agreement })}
              />
            ))}
        </ul>
      )}
      {open?.act === 'mark' && <Mark recording={recording} playback={playback} close={close} done={done} />}
      {mayMark && playable && open?.act !== 'mark' && (
        <div class="side-foot actions">
          <button type="button" class="button small" onClick={() => setOpen({ act: 'mark' })}>
            <Icon name="agreement" />
            {t('agreement.mark')}
          </button>
          {officer && (
            <button type="button" class="button small" onClick={() => setOpen({ act: 'seal' })}>
              <Icon name="seal" />
              {t('agreements.seal')}
            </button>
          )}
        </div>
      )}
      <div class="notice no-longer">
        <Icon name={recording.held ? 'hold' : 'clock'} />
        <div>
          {recording.held
            ? t('agreement.heldNote')
            : t('agreement.noLonger', { date: longDay(recording.retainUntil) })}{' '}
          {!recording.held && mayMark && t(officer ? 'agreement.dispute' : 'agreement.askOfficer')}
          {!recording.held && officer && (
            <div class="actions">
              <button type="button" class="button small" onClick={() => setOpen({ act: 'hold' })}>
                <Icon name="hold" />
                {t('holds.place')}
              </button>
            </div>
          )}
        </div>
      </div>
      {open?.act === 'correct' && <Correct agreement={open.agreement} close={close} done={done} />}
      {open?.act === 'withdraw' && <Withdraw agreement={open.agreement} close={close} done={done} />}
      {open?.act === 'seal' && <Seal calls={[toSeal(recording)]} close={close} />}
      {open?.act === 'hold' && <PlaceHold subject={{ recordingId: recording.id }} close={close} placed={done} />}
    </>
  );
}

const toSeal = ({ id, startedAt, caller, channels }: Recording): CallToSeal => ({
  recordingId: id, startedAt, caller: caller.number, channels,
});

interface EntryProps {
  agreement: FoundAgreement;
  mayChange: boolean;
  hear: () => void;
  open: (act: 'correct' | 'withdraw') => void;
}

function Entry({ agreement, mayChange, hear, open }: EntryProps) {
  const { startMs, endMs, summary, parties, ticket, markedBy, markedAt, revision } = agreement;
  const from = clock(startMs);
  const to = clock(endMs);
  return (
    <li>
      <button type="button" class="button small passage-button" title={t('agreement.play')} onClick={hear}>
        <Icon name="play" />
        {from}–{to}
        <span class="unseen"> {t('agreement.play')}</span>
      </button>
      <span class="agreed">{summary}</span>
      {parties && <span class="muted">{parties.join(' · ')}</span>}
      {ticket && <span class="muted">{t('ticket.number', { number: ticket })}</span>}
      <small class="muted">{t('agreement.markedBy', { name: markedBy.name, date: longDay(markedAt) })}</small>
      {revision > 1 && <History id={agreement.id} revision={revision} />}
      {mayChange && (
        <span class="actions link-actions">
          <button
            type="button"
            class="button quiet small"
            aria-label={t('agreement.correctOf', { from })}
            onClick={() => open('correct')}
          >
            {t('agreement.correct')}
          </button>
          <button
            type="button"
            class="button quiet small"
            aria-label={t('agreement.withdrawOf', { from })}
            onClick={() => open('withdraw')}
          >
            {t('agreement.withdraw')}
          </button>
        </span>
      )}
    </li>
  );
}

function History({ id, revision }: { id: string; revision: number }) {
  const [asked, setAsked] = useState(false);
  return (
    <details class="history" onToggle={(event) => event.currentTarget.open && setAsked(true)}>
      <summary>{t('agreement.history')}</summary>
      {asked && <Wordings key={revision} id={id} now={revision} />}
    </details>
  );
}

function Wordings({ id, now }: { id: string; now: number }) {
  const found = useLoaded(id, (signal) => ask<AgreementHistory>(`/agreements/${id}`, { signal }));
  if (found.state === 'loading') return <Bones count={1} />;
  if (found.state === 'failed') return <Failure problem={found.problem} again={found.again} />;
  return (
    <ol>
      {found.value.history
        .filter(({ revision }) => revision !== now)
        .map((wording) => (
          <li key={wording.revision}>
            <span>
              {clock(wording.startMs)}–{clock(wording.endMs)}: {wording.summary}
            </span>
            <small class="muted">
              {t('agreement.changedBy', { name: wording.changedBy.name, when: moment(wording.changedAt) })}
              {wording.reason && `: ${wording.reason}`}
            </small>
          </li>
        ))}
    </ol>
  );
}
