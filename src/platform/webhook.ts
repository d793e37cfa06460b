import { createHmac } from 'node:crypto';

/** Telling another system of something, signed as Standard Webhooks 1.0 has it: HMAC-SHA256 over id, time and body. */

export interface Webhook {
  url: string;
  /** Base64, with or without `whsec_` before it; undefined: not signed. */
  secret: string | undefined;
}

export interface WebhookMessage {
  /** Told again it keeps its id, so that a receiver knows it. */
  id: string;
  type: string;
  data: object;
}

const answerWithinMs = 10_000;

/** Posts `message`. Throws when the receiver does not answer with 2xx within ten seconds. */
export async function callWebhook({ url, secret }: Webhook, { id, type, data }: WebhookMessage, now: Date): Promise<void> {
  const body = JSON.stringify({ type, timestamp: now.toISOString(), data });
  const seconds = String(Math.floor(now.getTime() / 1000));
  const key = secret?.replace(/^whsec_/, '');
  const signature =
    key === undefined ? undefined : createHmac('sha256', Buffer.from(key, 'base64')).update(`${id}.${seconds}.${body}`).digest('base64');
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json', 'webhook-id': id, 'webhook-timestamp': seconds,
      ...(signature === undefined ? {} : { 'webhook-signature': `v1,${signature}` }),
    },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(answerWithinMs),
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
}
