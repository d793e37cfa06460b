import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import request from 'supertest';
import { inject } from 'vitest';
import type { PersonRole } from '../../src/access/caller.js';
import { readConfig, type Config } from '../../src/config.js';
import { MovableClock } from '../../src/platform/clock.js';
import { createLog } from '../../src/platform/log.js';
import { startService, type Service } from '../../src/service.js';
import { tone } from './audio.js';
import { freshDatabase } from './database.js';

/** The whole service as a test meets it: over HTTP, on a real database and a real bucket of its own. */

type Agent = ReturnType<typeof request.agent>;

export interface TestService {
  url: string;
  clock: MovableClock;
  service: Service;
  config: Config;
  dataDir: string;
  /** Someone of this role, signed in: cookies are kept, addresses are whole paths such as `/api/v1/recordings`. */
  as(role: PersonRole): Agent;
  /** Another person of this role, for acts that need two. */
  another(role: PersonRole): Promise<Agent>;
  /** Another person of this role, who signs in with these. */
  anotherSignIn(role: PersonRole): Promise<{ email: string; password: string }>;
  /** Signs everyone in anew: after the clock has moved by more than a session lives. */
  signInAgain(): Promise<void>;
  signInOf(role: PersonRole): { email: string; password: string; id: string };
  /** Nobody, or a machine when given its key. */
  nobody(): Agent;
  machine(key: string): Agent;
  pbxKey: string;
  helpdeskKey: string;
  /** Pushes a short recording and answers its id; fields that are given replace the usual ones. */
  push(fields?: Record<string, string>, audio?: Buffer, fileName?: string): Promise<string>;
  /** Waits until the recording is processed (`ready` or `failed`). */
  processed(id: string): Promise<void>;
  close(): Promise<void>;
}

export const testPassword = 'correct horse battery';

const roles: readonly PersonRole[] = ['trainer', 'agent', 'privacy_officer', 'auditor', 'administrator'];

export interface TestServiceOptions {
  /** Environment variables beyond the usual ones. */
  env?: Record<string, string>;
  clock?: MovableClock;
  uiFolder?: string;
}

/** A P-256 key as `SIGNING_KEY` takes it. */
export function signingKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Starts the service and signs in one person of each role. */
export async function startTestService(options: TestServiceOptions = {}): Promise<TestService> {
  const backends = inject('backends');
  if (backends.s3 === null) throw new Error('the embedded storage is missing');
  const database = await freshDatabase();
  const dataDir = await mkdtemp(path.join(tmpdir(), 'opname-service-'));
  const clock = options.clock ?? new MovableClock();
  const config = readConfig({
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: dataDir,
    DATABASE_URL: database.url,
    S3_ENDPOINT: backends.s3.endpoint,
    S3_REGION: backends.s3.region,
    S3_BUCKET: `test-${randomUUID()}`,
    S3_ACCESS_KEY_ID: backends.s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: backends.s3.secretAccessKey,
    SIGNING_KEY: signingKeyPem(),
    ADMIN_EMAIL: 'administrator@example.test',
    ADMIN_PASSWORD: testPassword,
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    ...options.env,
  });
  const service = await startService({
    config,
    clock,
    log: createLog(config.logLevel),
    version: 'test',
    uiFolder: options.uiFolder ?? path.join(dataDir, 'no-ui'),
    announce: () => undefined,
  });
  const close = async () => {
    await service.close();
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    return await populate(service, { clock, config, dataDir, close });
  } catch (error) {
    await close();
    throw error;
  }
}

async function populate(
  service: Service,
  known: Pick<TestService, 'clock' | 'config' | 'dataDir' | 'close'>,
): Promise<TestService> {
  const url = service.url ?? '';
  const people = new Map<PersonRole, { agent: Agent; email: string; password: string; id: string }>();

  async function signIn(email: string): Promise<{ agent: Agent; id: string }> {
    const agent = request.agent(url);
    const answer = await agent.post('/api/v1/session').send({ email, password: testPassword }).expect(200);
    return { agent, id: (answer.body as { user: { id: string } }).user.id };
  }
  const administrator = await signIn('administrator@example.test');
  people.set('administrator', { ...administrator, email: 'administrator@example.test', password: testPassword });

  async function make(role: PersonRole, email: string): Promise<{ agent: Agent; id: string }> {
    await administrator.agent
      .post('/api/v1/users')
      .send({ email, name: `Test ${role}`, role, password: testPassword, locale: 'nl' })
      .expect(201);
    return await signIn(email);
  }
  for (const role of roles)
    if (role !== 'administrator') {
      const email = `${role.replace('_', '-')}@example.test`;
      people.set(role, { ...(await make(role, email)), email, password: testPassword });
    }

  async function key(role: 'pbx' | 'helpdesk'): Promise<string> {
    const answer = await administrator.agent.post('/api/v1/keys').send({ name: `Test ${role}`, role }).expect(201);
    return (answer.body as { key: string }).key;
  }
  const pbxKey = await key('pbx');
  const helpdeskKey = await key('helpdesk');
  const person = (role: PersonRole) => {
    const found = people.get(role);
    if (found === undefined) throw new Error(`nobody is a ${role}`);
    return found;
  };
  const machine = (machineKey: string) => request.agent(url).set('Authorization', `Bearer ${machineKey}`);

  return {
    ...known,
    url,
    service,
    pbxKey,
    helpdeskKey,
    as: (role) => person(role).agent,
    another: async (role) => (await make(role, `another-${randomUUID()}@example.test`)).agent,
    async anotherSignIn(role) {
      const email = `another-${randomUUID()}@example.test`;
      await make(role, email);
      return { email, password: testPassword };
    },
    async signInAgain() {
      for (const { agent, email, password } of people.values())
        await agent.post('/api/v1/session').send({ email, password }).expect(200);
    },
    signInOf: (role) => person(role),
    nobody: () => request.agent(url),
    machine,
    async push(fields = {}, audio = tone({ seconds: 2, channels: 2, rate: 8000 }), fileName = 'call.wav') {
      const told: Record<string, string> = {
        callId: randomUUID(),
        startedAt: new Date(known.clock.now().getTime() - 60_000).toISOString(),
        caller: '+31850000101',
        callee: '+31850000001',
        ...fields,
      };
      const answer = await machine(pbxKey).post('/api/v1/recordings').field(told).attach('audio', audio, fileName);
      if (answer.status !== 201) throw new Error(`the push was answered ${answer.status} ${JSON.stringify(answer.body)}`);
      return (answer.body as { id: string }).id;
    },
    async processed(id) {
      for (let tries = 0; tries < 600; tries += 1) {
        const answer = await person('privacy_officer').agent.get(`/api/v1/recordings/${id}`).expect(200);
        if ((answer.body as { state: string }).state !== 'received') return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error('the recording is still not processed');
    },
  };
}
