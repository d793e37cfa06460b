import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Recording, Waveform } from '../api/types.js';
import { clock, clockWords, longDay, moment, share, size } from '../format.js';
import { t } from '../i18n.js';
import { State } from '../parts/state.js';
import { savedMs } from './gaps.js';

const tabs = ['tickets', 'agreements', 'details'] as const;
type Tab = (typeof tabs)[number];

/** What belongs to the call, beside it: one tab at a time. */
export function Side({ recording, waveform }: { recording: Recording; waveform: Waveform | undefined }) {
  const [open, setOpen] = useState<Tab>('tickets');
  const move = (event: KeyboardEvent, step: number) => {
    event.preventDefault();
    const next = tabs[(tabs.indexOf(open) + step + tabs.length) % tabs.length];
    if (!next) return;
    setOpen(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  const counts: Record<Tab, number> = {
    tickets: recording.tickets.length,
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
        {open === 'tickets' && <Tickets recording={recording} />}
        {open === 'agreements' && <Agreements recording={recording} />}
        {open === 'details' && <Details recording={recording} waveform={waveform} />}
      </div>
    </aside>
  );
}

function Tickets({ recording: { tickets } }: { recording: Recording }) {
  if (tickets.length === 0) {
    return (
      <State icon="ticket" title={t('side.noTickets')}>
        <p>{t('side.noTicketsWhy')}</p>
      </State>
    );
  }
  return (
    <>
      <ul class="side-list">
        {tickets.map((ticket) => (
          <li key={ticket.id}>
            <a href={`/tickets/${ticket.id}`}>{t('ticket.number', { number: ticket.number })}</a>
            {ticket.subject && <span>{ticket.subject}</span>}
          </li>
        ))}
      </ul>
      <p class="muted side-note">{t('ticket.clocks')}</p>
    </>
  );
}

function Agreements({ recording: { agreements } }: { recording: Recording }) {
  if (agreements.length === 0) {
    return (
      <State icon="agreement" title={t('side.noAgreements')}>
        <p>{t('side.noAgreementsWhy')}</p>
      </State>
    );
  }
  return (
    <>
      <ul class="side-list">
        {agreements.map((agreement) => (
          <li key={agreement.id}>
            <strong>
              {clock(agreement.startMs)}–{clock(agreement.endMs)}
            </strong>
            {agreement.summary && <span>{agreement.summary}</span>}
          </li>
        ))}
      </ul>
      <p class="muted side-note">{t('side.noLonger')}</p>
    </>
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
