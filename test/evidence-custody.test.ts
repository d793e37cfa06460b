import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PackageFiles } from '../src/packages/verifier/examination.js';
import { checkPackage } from '../src/packages/verifier/check.js';
import type { Changes, CustodyLine } from '../src/packages/verifier/layout.js';
import { openSigningKey, type SigningKey } from '../src/platform/signing.js';
import { tone } from './support/audio.js';
import { altered, download, filesBelow, inMemory, seal, unpack } from './support/evidence.js';
import { editedCustody, editedJson, repaired, textIn } from './support/evidence-forgery.js';
import { signingKeyPem, startTestService, type TestService } from './support/service.js';

/** What became of a recording, from push to seal, as a package tells it. */

let service: TestService;
let insider: SigningKey;
let recordingId: string;
let files: PackageFiles;
const callId = randomUUID();
const statement = 'Ik zei maandag, niet dinsdag.\nJ. de Vries';
const custodyFile = 'data/records/custody.jsonl';
const changesFile = 'data/records/changes.json';
const agreementFile = 'data/records/agreement.json';

beforeAll(async () => {
  const signingKey = signingKeyPem();
  insider = await openSigningKey({ pem: signingKey });
  service = await startTestService({ env: { SIGNING_KEY: signingKey } });
  const startedAt = new Date(service.clock.now().getTime() - 60_000).toISOString();
  const call = { callId, startedAt, caller: '+31612345678', callerName: 'J. de Fries' };
  recordingId = await service.push(call, tone({ seconds: 2, channels: 2 }));
  await service.processed(recordingId);
  const pbx = service.machine(service.pbxKey);
  await pbx.patch(`/api/v1/recordings/by-call/${callId}`).send({ callerName: 'J. de Vris', ticket: '4711' }).expect(200);
  // Other bytes for the same call, which tell more as well.
  await service.push({ ...call, callerName: 'J. de Vriez' }, tone({ seconds: 2, channels: 2, seed: 2 }));
  await service.processed(recordingId);
  const officer = service.as('privacy_officer');
  await service.as('trainer').get(`/api/v1/recordings/${recordingId}/audio`).expect(200);
  const wording = { startMs: 100, endMs: 900, summary: 'Thirty euros back', parties: ['J. de Vries'] };
  const marked = await officer.post(`/api/v1/recordings/${recordingId}/agreements`).send(wording).expect(201);
  const agreement = `/api/v1/agreements/${(marked.body as { id: string }).id}`;
  await officer.patch(agreement).send({ summary: 'Forty euros back', reason: 'misheard' }).expect(200);
  const mistaken = await officer.post(`/api/v1/recordings/${recordingId}/agreements`).send({ ...wording, summary: 'Wrong call' }).expect(201);
  const withdraw = `/api/v1/agreements/${(mistaken.body as { id: string }).id}/withdraw`;
  await officer.post(withdraw).send({ reason: 'another call' }).expect(200);
  await rectify();
  const reviewAt = new Date(service.clock.now().getTime() + 30 * 86_400_000).toISOString();
  const hold = { recordingId, ground: 'legal_claim', reason: 'a letter of their lawyer', reviewAt };
  await officer.post('/api/v1/holds').send(hold).expect(201);
  const sealedPackage = await seal(service, [recordingId], { scope: 'full' });
  const unpacked = await unpack(await download(service, sealedPackage.id));
  files = await inMemory(await filesBelow(unpacked.folder));
  await unpacked.remove();
});
afterAll(() => service.close());

/** The person asks for a correction, and has a statement attached. */
async function rectify(): Promise<void> {
  const officer = service.as('privacy_officer');
  const base = '/api/v1/privacy-requests';
  const subject = { name: 'J. de Vries', address: 'Laan 1, Utrecht', emails: ['j@example.test'], phones: ['+31612345678'] };
  const request = { receivedAt: service.clock.now().toISOString(), channel: 'letter', rights: ['rectification'], subject, locale: 'nl', details: '' };
  const { id } = (await officer.post(base).send(request).expect(201)).body as { id: string };
  await officer.post(`${base}/${id}/identity`).send({ method: 'call_back', outcome: 'verified' }).expect(200);
  const found = (await officer.post(`${base}/${id}/search`).send({}).expect(200)).body as { recordings: { itemId: string }[] };
  const itemId = found.recordings[0]?.itemId ?? '';
  const decisions = [{ itemId, right: 'rectification', decision: 'grant' }];
  await officer.post(`${base}/${id}/items`).send({ decisions }).expect(200);
  for (const told of [{ field: 'callerName', value: 'J. de Vries' }, { statement }])
    await officer.post(`${base}/${id}/items/${itemId}/rectifications`).send(told).expect(201);
}

const linesOf = async (): Promise<CustodyLine[]> =>
  (await textIn(files, custodyFile)).trim().split('\n').map((line) => JSON.parse(line) as CustodyLine);
const check = (changed: PackageFiles) => checkPackage(changed, { trustedKeyIds: [insider.keyId] });
const faultsOf = async (changed: PackageFiles) => (await check(await repaired(changed, insider))).faults;

describe('the custody of a recording', () => {
  it('tells every version, correction, listen, agreement and hold, from the push to the order of this package', async () => {
    expect((await linesOf()).map(({ action }) => action)).toEqual([
      'recording.received', 'recording.processed', 'recording.metadata_changed', 'recording.received',
      'recording.metadata_changed', 'recording.processed', 'recording.listened', 'agreement.marked', 'agreement.corrected',
      'agreement.marked', 'agreement.withdrawn',
      // While the request for rectification is open nothing is deleted, and the corrections come.
      'hold.placed', 'hold.placed', 'recording.metadata_changed', 'recording.statement_attached', 'hold.placed',
      'recording.export_ordered',
    ]);
    expect((await check(files)).faults).toEqual([]);
    expect((await check(files)).verdict).toBe('unchanged');
  });

  it('tells what stood there before a correction, what then, by whom and when', async () => {
    const { changes } = JSON.parse(await textIn(files, changesFile)) as Changes;
    expect(changes.map(({ fields, statement: said }) => [fields, said])).toEqual([
      [[
        { field: 'caller_name', old: 'J. de Fries', new: 'J. de Vris' }, { field: 'ticket_number', old: null, new: '4711' },
      ], null],
      [[{ field: 'caller_name', old: 'J. de Vris', new: 'J. de Vriez' }], null],
      [[{ field: 'caller_name', old: 'J. de Vriez', new: 'J. de Vries' }], null],
      [[], statement],
    ]);
    expect(changes.map(({ by }) => by.kind)).toEqual(['machine', 'machine', 'person', 'person']);
    const lines = await linesOf();
    for (const { id, at } of changes) expect(lines.find(({ details }) => details['changeId'] === id)?.at).toBe(at);
  });

  it('has the statement of the person concerned read along: as a text of its own, pointed at by the READMEs', async () => {
    expect(await textIn(files, 'data/records/statement-01.txt')).toBe(statement);
    for (const name of ['README.nl.txt', 'README.en.txt']) expect(await textIn(files, name)).toContain('data/records/statement-01.txt');
  });

  it('says none of it in the audit trail, not even so that it could be guessed once the recording is gone', async () => {
    const trail = await service.as('auditor').get(`/api/v1/audit?object=recording:${recordingId}&limit=100`).expect(200);
    for (const word of ['Vries', 'Vriez', 'maandag', 'euros', '4711']) expect(JSON.stringify(trail.body)).not.toContain(word);
    const { changes } = JSON.parse(await textIn(files, changesFile)) as Changes;
    expect(new Set(changes.map(({ salt }) => salt)).size).toBe(changes.length);
    const { database } = service.service.platform;
    const columns = await database.query<{ table_name: string }>(
      `SELECT table_name FROM information_schema.columns WHERE column_name = 'salt' ORDER BY 1`,
    );
    expect(columns.map((column) => column.table_name)).toEqual(['agreement_revisions', 'recording_changes']);
  });

  it('is found changed when a value, a wording or a statement is another, though sealed anew by the very key', async () => {
    const changed = { what: 'custody', path: changesFile };
    type First = { changes: Changes['changes'] };
    for (const edit of [
      ({ changes: [first] }: First) => first?.fields[0] && (first.fields[0].old = 'J. Jansen'),
      ({ changes: [first] }: First) => first && (first.at = '2020-01-01T00:00:00.000Z'),
      ({ changes: [first] }: First) => first && (first.by.id = randomUUID()),
      ({ changes }: First) => changes.pop(),
      ({ changes }: First) => changes.push(...changes.slice(0, 1)),
    ])
      expect(await faultsOf(await editedJson<First>(files, changesFile, (value) => void edit(value)))).toContainEqual(changed);
    const said = altered(files, { 'data/records/statement-01.txt': Buffer.from('Ik zei dinsdag.') });
    expect(await faultsOf(said)).toEqual([{ what: 'custody', path: 'data/records/statement-01.txt' }]);
    const unsaid = altered(files, { 'data/records/statement-01.txt': undefined });
    expect(await faultsOf(unsaid)).toContainEqual({ what: 'custody', path: 'data/records/statement-01.txt' });
    type Told = { agreements: { summary: string; revision: number; history: { summary: string; startMs: number }[] }[]; withdrawn: object[] };
    for (const edit of [
      ({ agreements: [one] }: Told) => one && (one.summary = 'Four hundred euros back'),
      ({ agreements: [one] }: Told) => one?.history[0] && (one.history[0].summary = 'Nothing'),
      ({ agreements: [one] }: Told) => one?.history[1] && (one.history[1].startMs = 0),
      ({ agreements: [one] }: Told) => one?.history.shift(),
      ({ agreements }: Told) => agreements.pop(),
      ({ agreements, withdrawn }: Told) => withdrawn.push(...agreements.splice(0)),
    ])
      expect(await faultsOf(await editedJson<Told>(files, agreementFile, (value) => void edit(value)))).toContainEqual({
        what: 'custody', path: agreementFile,
      });
  });

  it('tells of the order of this very package: cut off before it, with the proofs to match, it is found changed', async () => {
    const isOrder = (line: string) => line.includes('recording.export_ordered');
    const order = (await linesOf()).at(-1)?.entry;
    const cut = await editedCustody(files, (lines) => lines.filter((line) => !isOrder(line)), { relink: true, recount: true });
    type Proofs = { proofs: { entry: { id: number } }[] };
    const forged = await editedJson<Proofs>(cut, 'data/proofs/inclusion.json', ({ proofs }) => ({
      proofs: proofs.filter(({ entry }) => entry.id !== order),
    }));
    expect(await faultsOf(forged)).toEqual([{ what: 'custody', path: custodyFile }]);
  });

  it('is held against the chain line by line: none can be altered, dropped or made up, though every digest was made right', async () => {
    const listened = (line: string) => line.includes('recording.listened');
    const edits: ((lines: string[]) => string[])[] = [
      (lines) => lines.filter((line) => !listened(line)),
      (lines) => lines.slice(0, -1),
      (lines) => lines.map((line) => (listened(line) ? line.replace('"training"', '"evidence"') : line)),
      (lines) => lines.map((line) => (listened(line) ? line.replace(/"at":"\d{4}/, '"at":"2020') : line)),
      (lines) => [...lines, (lines.find(listened) ?? '').replace(/"entry":\d+/, '"entry":1')],
    ];
    for (const edit of edits) {
      const forged = await editedCustody(files, edit, { relink: true, recount: true });
      expect(await faultsOf(forged)).toContainEqual({ what: 'custody', path: custodyFile });
    }
  });
});
