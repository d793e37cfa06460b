import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';

/** Where a test receives what the service tells others: as much of SMTP (RFC 5321) and HTTP as a sender needs. */
export interface Receivers {
  smtpUrl: string;
  mails: string[];
  webhookUrl: string;
  /** What the webhook took, each body as it came: its signature is over those very bytes. */
  calls: { headers: Record<string, unknown>; body: string }[];
  /** What the webhook answers from now on. */
  answerWith(status: number): void;
  close(): void;
}

export async function startReceivers(): Promise<Receivers> {
  const mails: string[] = [];
  const calls: Receivers['calls'] = [];
  let status = 200;
  const mailbox = createTcpServer((socket) => {
    let data: string | undefined;
    socket.write('220 test\r\n');
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().split('\r\n').slice(0, -1)) {
        if (data !== undefined) {
          if (line === '.') {
            mails.push(data);
            data = undefined;
            socket.write('250 ok\r\n');
          } else data += `${line}\n`;
        } else if (line === 'DATA') {
          data = '';
          socket.write('354 go\r\n');
        } else if (line === 'QUIT') socket.end('221 bye\r\n');
        else socket.write('250 ok\r\n');
      }
    });
  }).listen(0, '127.0.0.1');
  const hook = createServer((incoming, outgoing) => {
    let body = '';
    incoming.on('data', (chunk) => { body += String(chunk); });
    incoming.on('end', () => {
      if (status === 200) calls.push({ headers: incoming.headers, body });
      outgoing.writeHead(status).end();
    });
  }).listen(0, '127.0.0.1');
  await Promise.all([once(mailbox, 'listening'), once(hook, 'listening')]);
  const port = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  return {
    smtpUrl: `smtp://127.0.0.1:${port(mailbox)}?ignoreTLS=true`,
    mails,
    webhookUrl: `http://127.0.0.1:${port(hook)}/`,
    calls,
    answerWith: (told) => { status = told; },
    close() {
      mailbox.close();
      hook.close();
    },
  };
}
