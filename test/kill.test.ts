import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wavHeader } from './support/audio.js';
import { startProgram, type RunningProgram } from './support/process.js';

const admin = { email: 'admin@example.test', password: 'a long enough password' };
const officer = { email: 'officer@example.test', password: 'a long enough password' };

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'opname-kill-'));
});
const started: RunningProgram[] = [];
afterAll(async () => {
  // A test that failed halfway leaves nothing running.
  for (const { child } of started) child.kill('SIGKILL');
  await rm(dataDir, { recursive: true, force: true });
});

async function start(): Promise<RunningProgram> {
  const program = await startProgram(dataDir, { ADMIN_EMAIL: admin.email, ADMIN_PASSWORD: admin.password, LOG_LEVEL: 'warn' });
  started.push(program);
  return program;
}

/** A recording like no other, so that its digest tells whether it is still itself. */
function noise(): Buffer {
  const samples = randomBytes(32_000);
  return Buffer.concat([wavHeader({ codec: 'pcm_s16le', channels: 1, rate: 8000, dataBytes: samples.length }), samples]);
}

test('after kill -9 at any moment it starts again by itself, with every recording it had acknowledged', { timeout: 300_000 }, async () => {
  let program = await start();
  const signedIn = request.agent(program.url);
  await signedIn.post('/api/v1/session').send(admin).expect(200);
  const { key } = (await signedIn.post('/api/v1/keys').send({ name: 'pbx', role: 'pbx' }).expect(201)).body as { key: string };
  await signedIn.post('/api/v1/users').send({ ...officer, name: 'Officer', role: 'privacy_officer' }).expect(201);

  const acknowledged = new Map<string, { id: string; sha256: string }>();
  for (const [round, afterMs] of [50, 400, 900].entries()) {
    let killed = false;
    const pushing = Array.from({ length: 4 }, async () => {
      while (!killed) {
        const audio = noise();
        const callId = randomUUID();
        const form = new FormData();
        form.set('callId', callId);
        form.set('startedAt', new Date(Date.now() - 60_000).toISOString());
        form.set('audio', new Blob([new Uint8Array(audio)]), 'call.wav');
        const answer = await fetch(`${program.url}/api/v1/recordings`, { method: 'POST', headers: { Authorization: `Bearer ${key}` }, body: form })
          .then(async (response) => ({ status: response.status, body: (await response.json()) as { id: string } }))
          .catch(() => undefined);
        if (answer?.status === 201)
          acknowledged.set(callId, { id: answer.body.id, sha256: createHash('sha256').update(audio).digest('hex') });
      }
    });
    // However slow the machine, something is at stake in every round.
    await expect.poll(() => acknowledged.size, { timeout: 60_000, interval: 10 }).toBeGreaterThan(3 * round + 2);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    expect(await program.end('SIGKILL')).toBe('SIGKILL');
    killed = true;
    await Promise.all(pushing);
    program = await start();
  }
  expect(acknowledged.size).toBeGreaterThan(5);

  const listening = request.agent(program.url);
  await listening.post('/api/v1/session').send(officer).expect(200);
  for (const { id, sha256 } of acknowledged.values()) {
    const shown = await listening.get(`/api/v1/recordings/${id}`).expect(200);
    expect(shown.body.sha256).toBe(sha256);
    // It plays: the worker has read the original back from storage and made a copy of it.
    await expect
      .poll(async () => (await listening.get(`/api/v1/recordings/${id}/audio`).set('Range', 'bytes=0-9')).status, { timeout: 120_000 })
      .toBe(206);
  }
  expect(await program.end('SIGTERM')).toBe(0);
});
