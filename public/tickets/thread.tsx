import { address } from '../api/client.js';
import type { Attachment, Message, Ticket } from '../api/types.js';
import { longDay, moment, size } from '../format.js';
import { plural, t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Icon } from '../parts/icon.js';
import { State } from '../parts/state.js';

/** What was written, message by message, each with what came with it and until when it is kept. */
export function Thread({ ticket, readable }: { ticket: Ticket; readable: boolean }) {
  const { id, messages, attachments, activity } = ticket;
  if (messages.length === 0 && attachments.length === 0) {
    return (
      <div class="panel">
        <State icon={readable ? 'ticket' : 'hidden'} title={t(readable ? 'ticket.noMessages' : 'ticket.textHidden')}>
          {!readable && activity.messages + activity.attachments > 0 && <p>{summaryOf(ticket)}</p>}
          {!readable && <p>{t('ticket.textHiddenWhy')}</p>}
        </State>
      </div>
    );
  }
  const within = new Set(messages.map((message) => message.externalId));
  const loose = attachments.filter(({ messageExternalId }) => messageExternalId === null || !within.has(messageExternalId));
  return (
    <div class="thread">
      <ol class="thread" aria-label={t('ticket.thread')}>
        {messages.map((message) => (
          <Entry
            key={message.id}
            message={message}
            ticketId={id}
            attachments={attachments.filter((each) => each.messageExternalId === message.externalId)}
          />
        ))}
      </ol>
      {loose.length > 0 && (
        <section class="panel" aria-labelledby="attachments">
          <h2 id="attachments">{t('ticket.attachments')}</h2>
          <Attachments ticketId={id} attachments={loose} />
        </section>
      )}
    </div>
  );
}

/** What there is, for who may not read it: "3 berichten, 2 van de klant; 1 bijlage; laatste bericht op …". */
function summaryOf({ activity }: Ticket): string {
  const { messages, fromCustomer, attachments, lastAt } = activity;
  return [
    [plural('ticket.messages', messages), fromCustomer > 0 && t('ticket.fromCustomer', { count: fromCustomer })].filter(Boolean).join(', '),
    attachments > 0 && plural('ticket.attached', attachments),
    lastAt && t('ticket.lastAt', { when: moment(lastAt) }),
  ]
    .filter(Boolean)
    .join(' · ');
}

interface EntryProps {
  message: Message;
  ticketId: string;
  attachments: Attachment[];
}

function Entry({ message, ticketId, attachments }: EntryProps) {
  return (
    <li class={`message from-${message.from}${message.internal ? ' internal' : ''}`}>
      <header>
        <Icon name={message.from === 'customer' ? 'person' : 'solo'} />
        <strong>{t(`ticket.from.${message.from}`)}</strong>
        {message.internal && (
          <Badge icon="hidden" tone="warn">
            {t('ticket.internal')}
          </Badge>
        )}
        <time class="muted" dateTime={message.at}>
          {moment(message.at)}
        </time>
      </header>
      {message.bodyHtml === null ? (
        <p class="message-text">{message.bodyText}</p>
      ) : (
        // Sanitised by the service, without anything that loads; the page's own policy would not let it load either.
        <div class="message-html" dangerouslySetInnerHTML={{ __html: message.bodyHtml }} />
      )}
      {attachments.length > 0 && <Attachments ticketId={ticketId} attachments={attachments} />}
      <footer class="muted">
        {t('ticket.kept', { date: longDay(message.retainUntil) })}
        {message.imagesLeftOut > 0 && ` · ${plural('ticket.images', message.imagesLeftOut)}`}
        {message.versions > 1 && ` · ${plural('ticket.versions', message.versions)}`}
      </footer>
    </li>
  );
}

function Attachments({ ticketId, attachments }: { ticketId: string; attachments: Attachment[] }) {
  return (
    <ul class="attachments">
      {attachments.map((attachment) => (
        <li key={attachment.id}>
          {attachment.scan === 'pending' || attachment.scan === 'infected' ? (
            <span>{attachment.fileName}</span>
          ) : (
            <a href={address(`/tickets/${ticketId}/attachments/${attachment.id}`)} download>
              {attachment.fileName}
            </a>
          )}
          <span class="muted">
            {[
              size(attachment.bytes),
              attachment.scan === 'none' ? '' : t(`scan.${attachment.scan}`),
              t('ticket.kept', { date: longDay(attachment.retainUntil) }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
        </li>
      ))}
    </ul>
  );
}
