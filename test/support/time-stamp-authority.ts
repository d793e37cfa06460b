import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A time-stamping authority made with openssl: a root, a signer, and a little server that hands requests to `openssl ts`. */
export interface TestAuthority {
  url: string;
  /** The root's certificate (PEM): what a checker trusts. */
  rootFile: string;
  /** How it behaves; `answers` unless told. */
  mode: 'answers' | 'fails' | 'other digest';
  requests: number;
  close(): Promise<void>;
}

const settings = `
[tsa]
default_tsa = tsa_config
[tsa_config]
dir = .
serial = ./serial
crypto_device = builtin
signer_cert = ./signer.pem
certs = ./root.pem
signer_key = ./signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[signer]
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
`;

export async function startAuthority(key: 'rsa' | 'ec' = 'rsa'): Promise<TestAuthority> {
  const folder = await mkdtemp(path.join(tmpdir(), 'opname-tsa-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  await writeFile(path.join(folder, 'tsa.cnf'), settings);
  await writeFile(path.join(folder, 'serial'), '01\n');
  const kind = key === 'rsa' ? ['-newkey', 'rsa:2048'] : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  openssl('req', '-x509', ...kind, '-nodes', '-keyout', 'root.key', '-out', 'root.pem', '-days', '3650', '-subj', '/CN=Test root',
    '-config', '/dev/null', '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign');
  openssl('req', ...kind, '-nodes', '-keyout', 'signer.key', '-out', 'signer.csr', '-subj', '/CN=Test authority', '-config', '/dev/null');
  openssl('x509', '-req', '-in', 'signer.csr', '-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-out', 'signer.pem',
    '-days', '3650', '-extfile', 'tsa.cnf', '-extensions', 'signer');
  const authority: TestAuthority = {
    url: '', rootFile: path.join(folder, 'root.pem'), mode: 'answers', requests: 0, close: () => Promise.resolve(),
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      authority.requests += 1;
      void answer(Buffer.concat(chunks)).then(
        (body) => response.writeHead(200, { 'Content-Type': 'application/timestamp-reply' }).end(body),
        () => response.writeHead(503).end(),
      );
    });
  });
  async function answer(query: Buffer): Promise<Buffer> {
    if (authority.mode === 'fails') throw new Error('away');
    if (authority.mode === 'other digest')
      openssl('ts', '-query', '-digest', '00'.repeat(32), '-sha256', '-cert', '-out', 'query.tsq');
    else await writeFile(path.join(folder, 'query.tsq'), query);
    openssl('ts', '-reply', '-queryfile', 'query.tsq', '-config', 'tsa.cnf', '-section', 'tsa_config', '-out', 'reply.tsr');
    return await readFile(path.join(folder, 'reply.tsr'));
  }
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  authority.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  authority.close = async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  };
  return authority;
}
