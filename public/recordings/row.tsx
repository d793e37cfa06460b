import type { Recording } from '../api/types.js';
import { clock, clockWords, day, phone, time } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge, RetentionBadge } from '../parts/badge.js';
import { Icon } from '../parts/icon.js';
import { useUser } from '../shell/user.js';
import { markOpened } from './listing.js';

/** One recording in the list. */
export function Row({ recording }: { recording: Recording }) {
  const user = useUser();
  const { id, startedAt, durationMs, agent, agentName, tickets } = recording;
  return (
    <tr role="row">
      <td role="cell" class="wide">
        <a class="row-link" id={`recording-${id}`} href={`/recordings/${id}`} onClick={() => markOpened(id)}>
          <time dateTime={startedAt}>
            <span class="row-day">{day(startedAt)}</span> {time(startedAt)}
          </time>
        </a>
      </td>
      <td role="cell" class="number" data-label={t('column.duration')}>
        {durationMs !== null && (
          <>
            <span aria-hidden="true">{clock(durationMs)}</span>
            <span class="unseen">{clockWords(durationMs)}</span>
          </>
        )}
      </td>
      <td role="cell" data-label={t('column.caller')}>
        <Caller recording={recording} />
      </td>
      <td role="cell" data-label={t('column.agent')}>
        {agentName ?? agent ?? <span class="muted">{t('value.unknown')}</span>}
        {agentName && agent && <span class="muted"> {agent}</span>}
      </td>
      <td role="cell" data-label={tickets.length > 0 ? t('column.ticket') : undefined}>
        {tickets.map((ticket, index) => (
          <span key={ticket.id}>
            {index > 0 && ', '}
            {user.role === 'agent' ? ticket.number : <a href={`/tickets/${ticket.id}`}>{ticket.number}</a>}
          </span>
        ))}
      </td>
      <td role="cell" class="wide">
        <Flags recording={recording} />
      </td>
      <td role="cell" class="wide">
        <RetentionBadge retainUntil={recording.retainUntil} held={recording.held} plain />
      </td>
    </tr>
  );
}

/** Who called, as far as this role may know. */
export function Caller({ recording: { caller, direction } }: { recording: Recording }) {
  return (
    <span class="caller">
      <span class="direction" title={t(`direction.${direction}`)}>
        <Icon name={direction} />
        <span class="unseen">{t(`direction.${direction}`)}, </span>
      </span>
      <PartyNumber number={caller.number} />
      {caller.name && <span class="muted caller-name">{caller.name}</span>}
    </span>
  );
}

/** A number as it may be shown; a masked one is read out as such. */
export function PartyNumber({ number }: { number: string | null }) {
  if (number === null) return <span class="muted">{t('value.noNumber')}</span>;
  const masked = /^[•*·x]+\s*(\d+)$/i.exec(number);
  if (!masked) return <span class="nowrap">{phone(number)}</span>;
  return (
    <span class="nowrap">
      <span aria-hidden="true">••• {masked[1]}</span>
      <span class="unseen">{t('value.endsIn', { digits: (masked[1] ?? '').split('').join(' ') })}</span>
    </span>
  );
}

/** What sets a recording apart. */
export function Flags({ recording, plain = true }: { recording: Recording; plain?: boolean }) {
  const { state, restricted, agreements } = recording;
  if (state === 'ready' && !restricted && agreements.length === 0) return null;
  return (
    <span class="flags">
      {state === 'received' && (
        <Badge icon="clock" plain={plain}>
          {t('flag.processing')}
        </Badge>
      )}
      {state === 'failed' && (
        <Badge icon="error" tone="error" plain={plain}>
          {t('flag.failed')}
        </Badge>
      )}
      {restricted && (
        <Badge icon="restricted" tone="error" plain={plain}>
          {t('flag.restricted')}
        </Badge>
      )}
      {agreements.length > 0 && (
        <Badge icon="agreement" tone="accent" plain={plain}>
          {plural('flag.agreements', agreements.length)}
        </Badge>
      )}
    </span>
  );
}
