import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contradiction, readAnchor } from '../src/audit/anchor.js';
import { checkPackage } from '../src/packages/verifier/check.js';
import type { CustodyLine, Derivations } from '../src/packages/verifier/layout.js';
import { tone } from './support/audio.js';
import { download, filesBelow, has, run, seal, unpack, type SealedPackage, type Unpacked } from './support/evidence.js';
import { startTestService, type TestService } from './support/service.js';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
  await service
    .as('administrator')
    .put('/api/v1/organisation')
    .send({ controller: 'Voorbeeld BV', address: 'Dorpsstraat 1, Utrecht', privacyEmail: 'privacy@example.test' })
    .expect(200);
});
afterAll(() => service.close());

const strangersTools = has('sha256sum', 'sha512sum', 'openssl', 'ssh-keygen', 'sh');
const audio = tone({ seconds: 6, channels: 2, rate: 8000, seed: 3 });
const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function text(unpacked: Unpacked, name: string): Promise<string> {
  return await readFile(path.join(unpacked.folder, name), 'utf8');
}

async function json<T>(unpacked: Unpacked, name: string): Promise<T> {
  return JSON.parse(await text(unpacked, name)) as T;
}

describe('a package of one recording, with its original', () => {
  let recordingId: string;
  let sealedPackage: SealedPackage;
  let unpacked: Unpacked;
  beforeAll(async () => {
    recordingId = await service.push({ holds: JSON.stringify([{ startMs: 2000, endMs: 3000 }]) }, audio);
    await service.processed(recordingId);
    const officer = service.as('privacy_officer');
    await service.as('trainer').get(`/api/v1/recordings/${recordingId}/audio`).expect(200);
    await officer
      .post(`/api/v1/recordings/${recordingId}/agreements`)
      .send({ startMs: 1000, endMs: 3000, summary: 'Thirty euros back', parties: ['J. Jansen'] })
      .expect(201);
    sealedPackage = await seal(service, [recordingId], { scope: 'full' });
    unpacked = await unpack(await download(service, sealedPackage.id));
  });
  afterAll(() => unpacked.remove());

  it('is numbered within its year, and lies in a folder of that name', () => {
    expect(sealedPackage.reference).toMatch(/^EV-\d{4}-\d{4}$/);
    expect(path.basename(unpacked.folder)).toBe(sealedPackage.reference);
    expect(sealedPackage).toMatchObject({ state: 'sealed', missing: [] });
  });

  it('holds what it should, and nothing else', async () => {
    expect([...(await filesBelow(unpacked.folder)).keys()].sort()).toEqual(
      [
        'README.en.txt', 'README.nl.txt', 'bag-info.txt', 'bagit.txt',
        'data/audio/derived/clip-01.wav', 'data/audio/derived/derivation.json', 'data/audio/original.wav',
        'data/proofs/chain-head.json', 'data/proofs/inclusion.json', 'data/proofs/keys.json',
        'data/records/agreement.json', 'data/records/changes.json', 'data/records/contents.json', 'data/records/custody.jsonl', 'data/records/holds.json',
        'data/records/policy.json', 'data/records/recording.json',
        'manifest-sha256.txt', 'manifest-sha512.txt', 'signatures/allowed_signers', 'signatures/evidence.pub.pem',
        'signatures/tagmanifest.p256.sig', 'signatures/tagmanifest.sshsig', 'tagmanifest-sha256.txt', 'verify.html', 'verify.sh',
      ].sort(),
    );
  });

  it.skipIf(!strangersTools)('passes sha256sum, openssl, ssh-keygen and its own verify.sh', async () => {
    const cwd = unpacked.folder;
    for (const name of ['manifest-sha256.txt', 'tagmanifest-sha256.txt'])
      expect(await run('sha256sum', ['-c', '--quiet', name], { cwd })).toEqual({ code: 0, said: '' });
    expect((await run('sha512sum', ['-c', '--quiet', 'manifest-sha512.txt'], { cwd })).code).toBe(0);
    const openssl = await run('openssl', [
      'dgst', '-sha256', '-verify', 'signatures/evidence.pub.pem', '-signature', 'signatures/tagmanifest.p256.sig', 'tagmanifest-sha256.txt',
    ], { cwd });
    expect(openssl.said).toContain('Verified OK');
    const signer = (await text(unpacked, 'signatures/allowed_signers')).split(' ')[0] ?? '';
    const ssh = await run('ssh-keygen', [
      '-Y', 'verify', '-f', 'signatures/allowed_signers', '-I', signer, '-n', 'call-evidence@v1', '-s', 'signatures/tagmanifest.sshsig',
    ], { cwd, input: path.join(cwd, 'tagmanifest-sha256.txt') });
    expect(ssh).toMatchObject({ code: 0 });
    const script = await run('sh', [path.join(cwd, 'verify.sh')]);
    // It claims what it checked, and names what it did not.
    expect(script.said).toContain('Ongewijzigd sinds de verzegeling');
    expect(script.said).not.toMatch(/sinds ontvangst|since receipt/);
    expect(script.said).toContain('NIET nagegaan: bewaarverloop, bewijs van ontvangst');
    expect(script.said).toContain('NOT checked here: custody, proof of receipt');
    for (const [name, beyond] of [['README.nl.txt', /gaan zij niet na\./], ['README.en.txt', /are beyond them\./]] as const)
      expect(await text(unpacked, name)).toMatch(beyond);
    expect(script.said).toContain(sealedPackage.keyId);
    expect(script.code).toBe(0);
  });

  it('is found unchanged by the verifier when its key is known, and of an unknown sender when not', async () => {
    const files = await filesBelow(unpacked.folder);
    const report = await checkPackage(files, { trustedKeyIds: [sealedPackage.keyId] });
    expect(report.faults).toEqual([]);
    expect(report).toMatchObject({ verdict: 'unchanged', reference: sealedPackage.reference, keyId: sealedPackage.keyId });
    expect(report.recordings[0]?.provenAt).toMatch(/^\d{4}-/);
    expect((await checkPackage(files, { trustedKeyIds: [] })).verdict).toBe('unknown_sender');
  });

  it('has the original bytes, and a clip of the passage from which hold music is cut', async () => {
    const original = await readFile(path.join(unpacked.folder, 'data/audio/original.wav'));
    expect(original.equals(audio)).toBe(true);
    const { derivations } = await json<Derivations>(unpacked, 'data/audio/derived/derivation.json');
    const [clip] = derivations;
    // Heard from 1 s to 3 s of the copy: 1–2 s and 3–4 s of the recording.
    expect(clip).toMatchObject({
      kind: 'clip', passage: { startMs: 1000, endMs: 4000 }, cuts: [{ startMs: 2000, endMs: 3000 }], durationMs: 2000,
      source: { sha256: sha256Of(audio) }, tool: 'ffmpeg',
    });
    const bytes = await readFile(path.join(unpacked.folder, 'data/audio/derived/clip-01.wav'));
    expect(clip?.sha256).toBe(sha256Of(bytes));
    expect(bytes.subarray(0, 4).toString()).toBe('RIFF');
    expect(clip?.arguments.join(' ')).not.toContain('/tmp');
  });

  it('can be made again from the original, byte for byte, with the arguments it tells', async () => {
    const { derivations } = await json<Derivations>(unpacked, 'data/audio/derived/derivation.json');
    const found = await run('ffmpeg', ['-version']);
    if (found.code !== 0 || !found.said.includes(derivations[0]?.toolVersion ?? '-')) return;
    const args = (derivations[0]?.arguments ?? []).map((one) => (one === 'original.wav' ? path.join(unpacked.folder, 'data/audio/original.wav') : one));
    const output = path.join(unpacked.folder, '..', 'again.wav');
    await run('ffmpeg', [...args.slice(0, -1), output]);
    expect(sha256Of(await readFile(output))).toBe(derivations[0]?.sha256);
  });

  it('tells its custody from push to seal, each line bound to the one before', async () => {
    const lines = (await text(unpacked, 'data/records/custody.jsonl')).trim().split('\n');
    const acts = lines.map((line) => JSON.parse(line) as CustodyLine);
    expect(acts.map((act) => act.action)).toEqual([
      'recording.received', 'recording.processed', 'recording.listened', 'agreement.marked', 'recording.export_ordered',
    ]);
    expect(acts[0]?.details).toMatchObject({ sha256: sha256Of(audio) });
    for (const [index, line] of lines.slice(0, -1).entries()) expect(acts[index + 1]?.previous).toBe(sha256Of(Buffer.from(line)));
  });

  it('says what was agreed, between whom and how long it is kept; and of the house nothing but who marked it', async () => {
    const { agreements } = await json<{ agreements: { summary: string; parties: string[] }[] }>(unpacked, 'data/records/agreement.json');
    expect(agreements).toMatchObject([{ summary: 'Thirty euros back', parties: ['J. Jansen'], startMs: 1000, endMs: 4000 }]);
    expect(await json(unpacked, 'data/records/holds.json')).toEqual({ music: [{ startMs: 2000, endMs: 3000 }], retention: [] });
    expect(await json(unpacked, 'data/records/policy.json')).toMatchObject({ recording: { amount: 90, unit: 'days' } });
    expect(await text(unpacked, 'bag-info.txt')).toMatch(/^Source-Organization: Voorbeeld BV$/m);
    expect(await text(unpacked, 'README.nl.txt')).toContain('Rechtbank Utrecht');
  });

  it('can be held against the chain later: its head is an anchor', async () => {
    const { database } = service.service.platform;
    const anchor = await readAnchor(path.join(unpacked.folder, 'data/proofs/chain-head.json'));
    if (anchor === undefined) throw new Error('there is no anchor');
    expect(await contradiction(database, anchor)).toBeUndefined();
    expect(await contradiction(database, { ...anchor, head: 'ab'.repeat(32) })).toContain('not in the chain');
    expect(await contradiction(database, { ...anchor, count: 1_000_000 })).toContain('shorter');
  });
});

describe('the usual package', () => {
  it('takes whatever a recipient is called for a name, never for a line of its own', async () => {
    const recipient = `mr. A\u2028\u202eTime-Stamp: signatures/export.tsr\u0085\n\u001bSigning-Key-SHA256: ${'0'.repeat(64)}`;
    const sealedPackage = await seal(service, [await service.push({}, audio)], { recipient });
    const unpacked = await unpack(await download(service, sealedPackage.id));
    try {
      const report = await checkPackage(await filesBelow(unpacked.folder), { trustedKeyIds: [sealedPackage.keyId] });
      expect([report.faults, report.verdict]).toEqual([[], 'unchanged']);
      expect(await text(unpacked, 'README.en.txt')).toContain('For: mr. A Time-Stamp: signatures/export.tsr Signing-Key');
    } finally {
      await unpacked.remove();
    }
  });

  it('holds no original: clips where agreements are marked, else a copy without hold music, with others silenced', async () => {
    const marked = await service.push({}, audio);
    const plain = await service.push({ holds: JSON.stringify([{ startMs: 0, endMs: 1000 }]) }, tone({ seconds: 4, channels: 2 }));
    await service
      .as('privacy_officer')
      .post(`/api/v1/recordings/${marked}/agreements`)
      .send({ startMs: 0, endMs: 1000, summary: 'Agreed', parties: ['A'] })
      .expect(201);
    // As the player shows them: a second of hold music is cut before.
    const masks = [{ recordingId: plain, startMs: 1000, endMs: 2000, channel: 'agent' }];
    const sealedPackage = await seal(service, [marked, plain], { masks });
    const unpacked = await unpack(await download(service, sealedPackage.id));
    try {
      const files = await filesBelow(unpacked.folder);
      expect([...files.keys()].filter((name) => name.startsWith('data/audio/')).sort()).toEqual([
        'data/audio/001/derived/clip-01.wav', 'data/audio/001/derived/derivation.json',
        'data/audio/002/derived/derivation.json', 'data/audio/002/derived/masked-copy.wav',
      ]);
      const report = await checkPackage(files, { trustedKeyIds: [sealedPackage.keyId] });
      expect([report.faults, report.verdict]).toEqual([[], 'unchanged']);
      if (strangersTools) expect((await run('sh', [path.join(unpacked.folder, 'verify.sh')])).code).toBe(0);
      // Three seconds are left of four; of the right leg the second of them is silent.
      const copy = await readFile(path.join(unpacked.folder, 'data/audio/002/derived/masked-copy.wav'));
      const samples = copy.subarray(copy.indexOf('data') + 8);
      const peak = (leg: number, fromMs: number, toMs: number) => {
        let most = 0;
        for (let frame = fromMs * 8; frame < toMs * 8; frame += 1) most = Math.max(most, Math.abs(samples.readInt16LE(frame * 4 + leg * 2)));
        return most;
      };
      expect(samples.length).toBe(3 * 8000 * 4);
      expect(peak(1, 1000, 2000)).toBe(0);
      expect(Math.min(peak(0, 1000, 2000), peak(1, 0, 1000), peak(1, 2000, 3000))).toBeGreaterThan(10_000);
    } finally {
      await unpacked.remove();
    }
  });

  it('is incomplete, by name, when an object is missing or is not what was received', async () => {
    const lost = await service.push({}, tone({ seconds: 2, seed: 11 }));
    const swapped = await service.push({}, tone({ seconds: 2, seed: 12 }));
    await service.processed(lost);
    await service.processed(swapped);
    const { objects, database } = service.service.platform;
    const keyOf = async (id: string) =>
      (await database.query<{ key: string }>('SELECT original_key AS key FROM recording_versions WHERE recording_id = $1', [id]))[0]?.key ?? '';
    await objects.deleteEveryVersion([await keyOf(lost)]);
    await objects.putBytes(await keyOf(swapped), tone({ seconds: 2, seed: 13 }), 'audio/wav', { hold: '0' });
    const sealedPackage = await seal(service, [lost, swapped], { scope: 'full' });
    const missing = ['001', '002'].flatMap((own) => [`data/audio/${own}/original.wav`, `data/audio/${own}/derived/masked-copy.wav`]);
    expect(sealedPackage).toMatchObject({ state: 'incomplete', missing });
    const unpacked = await unpack(await download(service, sealedPackage.id));
    try {
      expect(await text(unpacked, 'bag-info.txt')).toMatch(/^Missing: data\/audio\/001\/original.wav$/m);
      expect(await text(unpacked, 'README.nl.txt')).toContain('ONVOLLEDIG');
      const script = await run('sh', [path.join(unpacked.folder, 'verify.sh')]);
      if (strangersTools) expect(script.said).toContain('INCOMPLETE, as the sender says: Missing: data/audio/002/original.wav');
      const report = await checkPackage(await filesBelow(unpacked.folder), { trustedKeyIds: [sealedPackage.keyId] });
      expect([report.verdict, report.faults, report.missing]).toEqual(['unchanged', [], missing]);
    } finally {
      await unpacked.remove();
    }
  });
});

describe('a call recorded in one file a side', () => {
  it('gives a clip of the agreed passage of both sides, each from where it was at that moment', async () => {
    const callId = randomUUID();
    const startedMs = service.clock.now().getTime() - 60_000;
    const at = (ms: number) => new Date(startedMs + ms).toISOString();
    const sides = { agent: tone({ seconds: 5, channels: 1, rate: 8000, seed: 5 }), caller: tone({ seconds: 4, channels: 1, rate: 8000, seed: 6 }) };
    const agentId = await service.push({ callId, part: 'a', leg: 'agent', startedAt: at(0) }, sides.agent);
    const callerId = await service.push({ callId, part: 'c', leg: 'caller', startedAt: at(500) }, sides.caller);
    const { database } = service.service.platform;
    const [leading] = await database.query<{ id: string }>(
      'SELECT id FROM recordings WHERE id = ANY ($1::uuid[]) AND leg_of IS NULL', [[agentId, callerId]],
    );
    const leadingId = leading?.id ?? '';
    await service.processed(agentId);
    await service.processed(callerId);
    const officer = service.as('privacy_officer');
    const wording = { startMs: 1000, endMs: 2000, summary: 'Agreed', parties: ['A'] };
    await officer.post(`/api/v1/recordings/${leadingId}/agreements`).send(wording).expect(201);
    const masks = [{ recordingId: leadingId, startMs: 1500, endMs: 1800, channel: 'caller' }];
    const sealedPackage = await seal(service, [leadingId], { masks });
    const unpacked = await unpack(await download(service, sealedPackage.id));
    try {
      const report = await checkPackage(await filesBelow(unpacked.folder), { trustedKeyIds: [sealedPackage.keyId] });
      expect([report.faults, report.recordings.length]).toEqual([[], 2]);
      const samplesOf = (wav: Buffer) => wav.subarray(wav.indexOf('data') + 8);
      for (const own of ['001', '002']) {
        const { leg } = await json<{ leg: 'caller' | 'agent' }>(unpacked, `data/records/${own}/recording.json`);
        const clip = samplesOf(await readFile(path.join(unpacked.folder, `data/audio/${own}/derived/clip-01.wav`)));
        const fromMs = leg === 'agent' ? 1000 : 500;
        const expected = Buffer.from(samplesOf(sides[leg]).subarray(fromMs * 16, (fromMs + 1000) * 16));
        if (leg === 'caller') expected.fill(0, 500 * 16, 800 * 16);
        expect(clip.equals(expected)).toBe(true);
      }
    } finally {
      await unpacked.remove();
    }
  });
});
