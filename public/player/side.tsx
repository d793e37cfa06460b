import type { ComponentChildren } from 'preact';
import type { Recording, Role, Waveform } from '../api/types.js';
import { clockWords, longDay, moment, phone, preciseMoment, share, size, time } from '../format.js';
import { EvaluationTab } from '../evaluations/beside-call.js';
import { Agreements } from '../evidence/agreements.js';
import { HoldsHere } from '../holds/here.js';
import { t, textOf } from '../i18n.js';
import { Comments } from '../remarks/comments.js';
import type { Remarks } from '../remarks/remarks.js';
import { TranscriptTab } from '../remarks/transcript.js';
import { useUser } from '../shell/user.js';
import { LinkedTickets } from '../tickets/beside-call.js';
import { savedMs } from './gaps.js';
import type { Playback } from './playback.js';
import type { Purpose } from './purpose.js';

export type Tab = 'tickets' | 'evaluation' | 'comments' | 'transcript' | 'agreements' | 'details';

const beside: Record<Role, Tab[]> = {
  trainer: ['comments', 'evaluation', 'transcript', 'agreements', 'tickets', 'details'],
  agent: ['comments', 'evaluation', 'transcript', 'details'],
  privacy_officer: ['tickets', 'agreements', 'transcript', 'details'],
  auditor: ['details'],
  administrator: ['details'],
};

/** What stands beside a call for a role; the first is open. */
export const tabsOf = (role: Role): Tab[] => beside[role];

interface Props {
  recording: Recording;
  waveform: Waveform | undefined;
  playback: Playback;
  purpose: Purpose | undefined;
  remarks: Remarks;
  open: Tab;
  setOpen: (tab: Tab) => void;
  /** A ticket, an agreement or a hold was changed. */
  changed: () => void;
}

/** What belongs to the call, beside it: one tab at a time. */
export function Side({ recording, waveform, playback, purpose, remarks, open, setOpen, changed }: Props) {
  const user = useUser();
  const tabs = tabsOf(user.role);
  const move = (event: KeyboardEvent, step: number) => {
    event.preventDefault();
    const next = tabs[(tabs.indexOf(open) + step + tabs.length) % tabs.length];
    if (!next) return;
    setOpen(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  const counts: Record<Tab, number> = {
    tickets: recording.tickets.length,
    comments: remarks.list.value?.length ?? 0,
    evaluation: 0,
    transcript: 0,
    agreements: recording.agreements.length,
    details: 0,
  };
  return (
    <aside class="panel side" aria-label={t('side.title')}>
      <div
        class="tabs"
        role="tablist"
        aria-label={t('side.title')}
        onKeyDown={(event) => {
          if (event.key === 'ArrowRight') move(event, 1);
          if (event.key === 'ArrowLeft') move(event, -1);
        }}
      >
        {tabs.map((tab) => (
          <button
            key={tab}
            type="button"
            role="tab"
            id={`tab-${tab}`}
            aria-selected={tab === open}
            aria-controls="side-panel"
            tabIndex={tab === open ? 0 : -1}
            onClick={() => setOpen(tab)}
          >
            {t(`side.${tab}`)}
            {counts[tab] > 0 && <span class="count">{counts[tab]}</span>}
          </button>
        ))}
      </div>
      <div id="side-panel" role="tabpanel" aria-labelledby={`tab-${open}`} tabIndex={0}>
        {open === 'tickets' && <LinkedTickets recording={recording} changed={changed} />}
        {open === 'comments' && <Comments recording={recording} playback={playback} remarks={remarks} />}
        {open === 'evaluation' && <EvaluationTab recording={recording} playback={playback} />}
        {open === 'transcript' && <TranscriptTab key={purpose ?? ''} recording={recording} playback={playback} purpose={purpose} />}
        {open === 'agreements' && <Agreements recording={recording} playback={playback} changed={changed} />}
        {open === 'details' && <Details recording={recording} waveform={waveform} />}
        {open === 'details' && user.role === 'privacy_officer' && (
          <HoldsHere subject={{ recordingId: recording.id }} changed={changed} />
        )}
      </div>
    </aside>
  );
}

function Details({ recording, waveform }: { recording: Recording; waveform: Waveform | undefined }) {
  const silence = waveform && waveform.durationMs > 0 ? savedMs(waveform.gaps) / waveform.durationMs : undefined;
  return (
    <dl class="details">
      <Detail name={t('detail.duration')}>
        {recording.durationMs === null ? t('value.unknown') : clockWords(recording.durationMs)}
      </Detail>
      {silence !== undefined && <Detail name={t('detail.silence')}>{share(silence)}</Detail>}
      <Detail name={t('detail.kept')}>{longDay(recording.retainUntil)}</Detail>
      {recording.disposition && (
        <Detail name={t('detail.disposition')}>
          {textOf(`disposition.${recording.disposition}`) ?? recording.disposition}
        </Detail>
      )}
      {recording.answeredAt && <Detail name={t('detail.answered')}>{preciseMoment(recording.answeredAt)}</Detail>}
      {recording.transfers.length > 0 && (
        <Detail name={t('detail.transfers')}>
          {recording.transfers.map(({ at, to }) => (
            <span key={at} class="line">
              {t('detail.transfer', { when: time(at), to: to === null ? t('value.hidden') : phone(to) })}
            </span>
          ))}
        </Detail>
      )}
      <Detail name={t('detail.received')}>{moment(recording.receivedAt)}</Detail>
      <Detail name={t('detail.source')}>{recording.source}</Detail>
      <Detail name={t('detail.callId')}>
        <code>{recording.callId}</code>
      </Detail>
      <Detail name={t('detail.version')}>{recording.version}</Detail>
      <Detail name={t('detail.original')}>{[recording.codec, size(recording.bytes)].filter(Boolean).join(', ')}</Detail>
      {recording.sha256 && (
        <Detail name="SHA-256">
          <code>{recording.sha256}</code>
        </Detail>
      )}
    </dl>
  );
}

function Detail({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
