import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestService, type TestService } from './support/service.js';

let service: TestService;
type Agent = ReturnType<TestService['as']>;
let officer: Agent;
let second: Agent;
beforeAll(async () => {
  service = await startTestService();
  officer = service.as('privacy_officer');
  second = await service.another('privacy_officer');
});
afterAll(() => service.close());

const base = '/api/v1/privacy-requests';
let number = 0;
/** Somebody nobody has seen before. */
const somebody = () => {
  number += 1;
  return { name: `Persoon ${number}`, address: 'Straat 1', emails: [`p${number}@example.test`], phones: [`06 8500 ${1000 + number}`] };
};
const phoneOf = (subject: { phones: string[] }) => `+316${(subject.phones[0] ?? '').replace(/\D/g, '').slice(2)}`;
async function takeIn(rest: object = {}, subject: object = somebody()) {
  const { body } = await officer
    .post(base)
    .send({ receivedAt: service.clock.now().toISOString(), channel: 'email', rights: ['access'], subject, locale: 'nl', details: '', ...rest })
    .expect(201);
  return body;
}
const step = (id: string, name: string, body: object = {}, who = officer) => who.post(`${base}/${id}/${name}`).send(body);
const verify = (id: string) => step(id, 'identity', { method: 'known_email', outcome: 'verified' }).expect(200);
async function ticketOf(subject: { name: string; emails: string[] }, rest: object = {}) {
  number += 1;
  const externalId = `t-${number}`;
  const { body } = await service
    .machine(service.helpdeskKey)
    .put(`/api/v1/tickets/by-external/${externalId}`)
    .send({
      number: `T${number}`, subject: 'Printer', category: 'support', status: 'open', createdAt: service.clock.now().toISOString(),
      requester: { name: subject.name, email: subject.emails[0], organisation: `Bedrijf ${number}` },
      messages: [{ externalId: 'm1', at: service.clock.now().toISOString(), from: 'customer', body: 'Hij doet het niet.', contentType: 'text/plain' }],
      ...rest,
    });
  return body as { id: string; number: string };
}

describe('intake', () => {
  test('gives a reference, a due date and a process for each right', async () => {
    const made = await takeIn({ receivedAt: '2026-01-31T10:00:00+01:00', rights: ['access', 'erasure', 'access'] });
    expect(made.reference).toMatch(/^PV-\d{4}-\d{4}$/);
    expect(made).toMatchObject({ state: 'identity', dueAt: '2026-03-02T22:59:59.999Z', overdue: true });
    expect(made.processes.map((process: { right: string; state: string }) => [process.right, process.state])).toEqual([
      ['access', 'open'], ['erasure', 'open'],
    ]);
  });
  test('is refused without rights, without anybody, or with what is no number', async () => {
    const send = (rest: object) =>
      officer.post(base).send({ receivedAt: '2026-01-31', channel: 'email', rights: ['access'], subject: somebody(), locale: 'nl', ...rest });
    await send({ rights: [] }).expect(422);
    await send({ rights: ['money'] }).expect(422);
    await send({ subject: {} }).expect(422);
    await send({ subject: { name: 'x', phones: ['anonymous'] } }).expect(422);
    await send({ receivedAt: '2026-02-30' }).expect(422);
    await send({ channel: 'pigeon' }).expect(422);
  });
  test('is listed by due date, in pages, by state; the auditor reads without who it is about', async () => {
    const late = await takeIn({ receivedAt: '2027-06-09T10:00:00Z' });
    const early = await takeIn({ receivedAt: '2020-06-09T10:00:00Z' });
    const first = (await officer.get(`${base}?limit=1`).expect(200)).body;
    expect(first.items[0].id).toBe(early.id);
    const ids: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { items: { id: string; dueAt: string }[]; nextCursor: string | null } = (
        await officer.get(`${base}?limit=2&state=open${cursor === '' ? '' : `&cursor=${cursor}`}`).expect(200)
      ).body;
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.at(-1)).toBe(late.id);
    const seen = (await service.as('auditor').get(`${base}/${late.id}`).expect(200)).body;
    expect([seen.reference, seen.subject, seen.subjectName, seen.details]).toEqual([late.reference, null, null, null]);
    await service.as('trainer').get(`${base}/${late.id}`).expect(403);
  });
  test('shows duplicates, and merges them on the earlier clock', async () => {
    const subject = somebody();
    const first = await takeIn({ receivedAt: '2026-11-02T10:00:00Z' }, subject);
    const again = await takeIn({ receivedAt: '2026-11-16T10:00:00Z', rights: ['access', 'erasure'] }, subject);
    expect(again.possibleDuplicates).toEqual([{ id: first.id, reference: first.reference, receivedAt: first.receivedAt }]);
    const merged = (await step(again.id, 'merge', { into: first.id }).expect(200)).body;
    expect([merged.id, merged.dueAt, merged.processes.length]).toEqual([first.id, first.dueAt, 2]);
    expect((await officer.get(`${base}/${again.id}`).expect(200)).body).toMatchObject({ state: 'closed', outcome: 'merged', mergedInto: first.id });
    await step(again.id, 'merge', { into: first.id }).expect(409);
  });
  test('starts from a call or a ticket with that moment as receipt', async () => {
    const id = await service.push();
    await service.as('trainer').post(`/api/v1/recordings/${id}/flags`).send({ note: 'vraagt om inzage', rights: ['access'] }).expect(201);
    await service.as('administrator').post(`/api/v1/recordings/${id}/flags`).send({ note: 'x' }).expect(403);
    const { items } = (await officer.get(`${base}?state=draft`).expect(200)).body;
    expect(items).toHaveLength(1);
    await step(items[0].id, 'identity', { method: 'known_email', outcome: 'verified' }).expect(409);
    const done = (await officer.patch(`${base}/${items[0].id}`).send({ subject: somebody() }).expect(200)).body;
    expect(done).toMatchObject({ state: 'identity', channel: 'call', origin: { kind: 'recording', id } });
  });
});

describe('the clock', () => {
  test('is extended once, until the answer is out; told after the first month it is late', async () => {
    const { id } = await takeIn({ receivedAt: '2026-11-16T10:00:00Z' });
    await step(id, 'extend', {}).expect(422);
    const extended = (await step(id, 'extend', { reason: 'complex' }).expect(200)).body;
    expect(extended).toMatchObject({
      dueAt: '2027-02-16T22:59:59.999Z', extended: true,
      clock: { originalDueAt: '2026-12-16T22:59:59.999Z', extension: { late: false, reason: 'complex' }, warnings: [] },
    });
    await step(id, 'extend', { reason: 'again' }).expect(409);
    const old = await takeIn({ receivedAt: '2026-01-31T10:00:00Z' });
    const late = (await step(old.id, 'extend', { reason: 'late' }).expect(200)).body;
    expect([late.dueAt, late.clock.warnings]).toEqual(['2026-04-30T21:59:59.999Z', ['extension_late']]);
  });
  test('stands still during a pause, with the original date visible', async () => {
    const { id } = await takeIn({ receivedAt: '2026-11-16T10:00:00Z' });
    await step(id, 'resume').expect(409);
    expect((await step(id, 'pause', { reason: 'who is it' }).expect(200)).body.paused).toBe(true);
    await step(id, 'pause', { reason: 'twice' }).expect(409);
    const resumed = (await step(id, 'resume').expect(200)).body;
    expect(resumed).toMatchObject({ paused: false, clock: { pauses: [{ ground: 'identity' }], pausedDays: 0 } });
    await verify(id);
    await step(id, 'pause', { reason: 'doubt', ground: 'identity' }).expect(409);
  });
});

describe('identity', () => {
  test('needs doubt to be told, and asks for a copy last', async () => {
    const { id } = await takeIn();
    await step(id, 'identity', { method: 'masked_copy', outcome: 'verified' }).expect(422);
    await step(id, 'identity', { method: 'questions', outcome: 'doubt' }).expect(422);
    await step(id, 'identity', { method: 'questions', outcome: 'doubt', doubt: 'wrong answers' }).expect(200);
    const done = (await step(id, 'identity', { method: 'masked_copy', outcome: 'verified' }).expect(200)).body;
    expect(done.identity.checks.map((check: { method: string }) => check.method)).toEqual(['questions', 'masked_copy']);
    expect(done.timeline.map((event: { kind: string }) => event.kind)).toContain('copy_destroyed');
    await step(id, 'identity', { method: 'known_email', outcome: 'verified' }).expect(409);
  });
});

describe('a search', () => {
  test('finds by number, e-mail and link, says why, freezes, and is recorded', async () => {
    const subject = somebody();
    const ticket = await ticketOf(subject);
    const byNumber = await service.push({ caller: phoneOf(subject) });
    const linked = await service.push({ caller: '+31850000999', ticket: ticket.number });
    const foreign = await service.push({ caller: '+31850000777' });
    const { id } = await takeIn({}, subject);
    const found = (await step(id, 'search').expect(200)).body;
    const basis = Object.fromEntries(found.recordings.map((item: { recordingId: string; basis: string[] }) => [item.recordingId, item.basis]));
    expect(basis).toEqual({ [byNumber]: ['number'], [linked]: ['linked_ticket'] });
    expect(basis).not.toHaveProperty(foreign);
    expect(found.tickets.map((item: { ticketId: string }) => item.ticketId)).toEqual([ticket.id]);
    const holds = (await officer.get(`/api/v1/holds?recordingId=${byNumber}`).expect(200)).body.items;
    expect(holds).toMatchObject([{ ground: 'open_request', requestId: id }]);
    expect(holds[0].endsAt).toBe(found.frozenUntil);
    expect(Math.round((Date.parse(found.frozenUntil) - service.clock.now().getTime()) / 86_400_000)).toBe(5);
    const again = (await step(id, 'search').expect(200)).body;
    expect(again.recordings).toHaveLength(2);
    expect((await officer.get(`/api/v1/holds?recordingId=${byNumber}`).expect(200)).body.items).toHaveLength(1);
    const file = (await officer.get(`${base}/${id}`).expect(200)).body;
    expect(file.searches).toHaveLength(2);
  });
  test('that finds nothing is recorded too', async () => {
    const { id } = await takeIn();
    expect((await step(id, 'search').expect(200)).body).toMatchObject({ recordings: [], tickets: [] });
    const file = (await officer.get(`${base}/${id}`).expect(200)).body;
    expect(file.searches).toMatchObject([{ recordings: 0, tickets: 0 }]);
    const trail = (await officer.get(`/api/v1/audit?object=${id}&action=privacy_request.searched`).expect(200)).body;
    expect(trail.items).toHaveLength(1);
    expect(JSON.stringify(trail)).not.toContain('example.test');
  });
  test('finds withheld numbers by agent and time', async () => {
    const at = new Date(service.clock.now().getTime() - 3_600_000);
    const withheld = await service.push({ caller: 'anonymous', agent: '4711', startedAt: at.toISOString() });
    const { id } = await takeIn();
    const calls = [{ agent: '4711', from: new Date(at.getTime() - 60_000).toISOString(), to: new Date(at.getTime() + 60_000).toISOString() }];
    const found = (await step(id, 'search', { calls }).expect(200)).body;
    expect(found.recordings).toMatchObject([{ recordingId: withheld, basis: ['agent_and_time'] }]);
  });
  test('flags a number that several people use', async () => {
    const [one, other] = [somebody(), somebody()];
    for (const each of [one, other]) await ticketOf(each, { requester: { name: each.name, email: each.emails[0], phone: '+31850005000' } });
    await service.push({ caller: '+31850005000' });
    const { id } = await takeIn({}, { ...one, phones: ['085 000 5000'] });
    const found = (await step(id, 'search').expect(200)).body;
    expect(found.sharedNumbers).toEqual(['+31850005000']);
    expect(found.recordings).toMatchObject([{ sharedNumber: true }]);
  });
});

describe('an objection', () => {
  test('stops training from the intake on, and for what comes in later', async () => {
    const subject = somebody();
    const trainer = service.as('trainer');
    const id = await service.push({ caller: phoneOf(subject) });
    await service.processed(id);
    await trainer.get(`/api/v1/recordings/${id}/audio`).expect(200);
    await takeIn({ rights: ['objection'] }, subject);
    await trainer.get(`/api/v1/recordings/${id}/audio`).expect(404);
    const { items } = (await trainer.get('/api/v1/recordings').expect(200)).body;
    expect(items.map((item: { id: string }) => item.id)).not.toContain(id);
    const later = await service.push({ caller: phoneOf(subject) });
    const { applyStandingObjections } = await import('../src/privacy/objections.js');
    await applyStandingObjections(service.service.platform);
    await trainer.get(`/api/v1/recordings/${later}/audio`).expect(404);
  });
  test('that is refused gives the recordings back when the request is closed', async () => {
    const subject = somebody();
    const recordingId = await service.push({ caller: phoneOf(subject) });
    await service.processed(recordingId);
    const { id } = await takeIn({ rights: ['objection'] }, subject);
    await verify(id);
    const { recordings } = (await step(id, 'search').expect(200)).body;
    const decision = { itemId: recordings[0].itemId, right: 'objection', decision: 'refuse' };
    await step(id, 'items', { decisions: [decision] }).expect(422);
    await step(id, 'items', { decisions: [{ ...decision, reason: 'compelling grounds' }] }).expect(200);
    await step(id, 'approve', {}, second).expect(200);
    await service.as('trainer').get(`/api/v1/recordings/${recordingId}/audio`).expect(404);
    await step(id, 'close').expect(200);
    await service.as('trainer').get(`/api/v1/recordings/${recordingId}/audio`).expect(200);
  });
});

describe('decisions and approval', () => {
  async function ready(rights: string[] = ['access']) {
    const subject = somebody();
    const recordingId = await service.push({ caller: phoneOf(subject) });
    const { id } = await takeIn({ rights }, subject);
    await verify(id);
    const { recordings } = (await step(id, 'search').expect(200)).body;
    return { id, recordingId, itemId: recordings[0].itemId as string };
  }
  test('want a reason to refuse, a known item and a right that was asked for', async () => {
    const { id, itemId } = await ready(['access', 'portability']);
    const decide = (decision: object) => step(id, 'items', { decisions: [decision] });
    await decide({ itemId, decision: 'refuse' }).expect(422);
    await decide({ itemId, decision: 'partly', reason: ' ' }).expect(422);
    await decide({ itemId, right: 'portability', decision: 'grant' }).expect(422);
    await decide({ itemId, right: 'erasure', decision: 'grant' }).expect(422);
    await decide({ itemId: id, decision: 'grant' }).expect(422);
    await decide({ itemId, decision: 'grant', mask: [{ startMs: 5, endMs: 5 }] }).expect(422);
    await decide({ itemId, decision: 'grant', mask: [{ startMs: 0, endMs: 500, channel: 1 }] }).expect(200);
    const approved = (await step(id, 'approve', {}, second).expect(200)).body;
    expect(approved.processes.map((process: { outcome: string }) => process.outcome)).toEqual(['granted', 'refused']);
  });
  test('are approved by somebody else, once everything is decided and the person is known', async () => {
    const { id, itemId } = await ready();
    await step(id, 'approve', {}, second).expect(409);
    await step(id, 'items', { decisions: [{ itemId, decision: 'grant' }] }).expect(200);
    await step(id, 'approve').expect(403);
    await step(id, 'approve', {}, service.as('auditor')).expect(403);
    expect((await step(id, 'approve', {}, second).expect(200)).body.state).toBe('answer');
    await step(id, 'approve', {}, second).expect(409);
    await step(id, 'items', { decisions: [{ itemId, decision: 'refuse', reason: 'late' }] }).expect(409);
    await step(id, 'send-back', { reason: 'look again' }, second).expect(200);
    await step(id, 'items', { decisions: [{ itemId, decision: 'refuse', reason: 'better' }] }).expect(200);
  });
  test('two approvals at the same moment have one winner; a decision at that moment is in or refused', async () => {
    const { id, itemId } = await ready();
    await step(id, 'items', { decisions: [{ itemId, decision: 'grant' }] }).expect(200);
    const third = await service.another('privacy_officer');
    const answers = await Promise.all([
      step(id, 'approve', {}, second), step(id, 'approve', {}, third),
      step(id, 'items', { decisions: [{ itemId, decision: 'refuse', reason: 'race' }] }),
    ]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.slice(0, 2).sort()).toEqual([200, 409]);
    const file = (await officer.get(`${base}/${id}`).expect(200)).body;
    expect(file.items[0].decisions[0].decision).toBe(statuses[2] === 200 ? 'refuse' : 'grant');
  });
  test('not theirs lets the item go', async () => {
    const { id, itemId, recordingId } = await ready(['access', 'objection']);
    await step(id, 'items', { decisions: [{ itemId, decision: 'not_theirs' }] }).expect(200);
    const { items } = (await officer.get(`/api/v1/holds?recordingId=${recordingId}`).expect(200)).body;
    expect(items.every((hold: { state: string }) => hold.state === 'released')).toBe(true);
    const approved = (await step(id, 'approve', {}, second).expect(200)).body;
    expect(approved.processes[0]).toMatchObject({ outcome: 'nothing_found', state: 'approved' });
  });
  test('restriction works from the decision on, before anybody approves', async () => {
    const { id, itemId, recordingId } = await ready(['restriction']);
    await service.processed(recordingId);
    await service.as('trainer').get(`/api/v1/recordings/${recordingId}/audio`).expect(200);
    await step(id, 'items', { decisions: [{ itemId, right: 'restriction', decision: 'grant' }] }).expect(200);
    await service.as('trainer').get(`/api/v1/recordings/${recordingId}/audio`).expect(404);
    await officer.get(`/api/v1/recordings/${recordingId}/audio?purpose=access_request`).expect(200);
    const { items } = (await officer.get(`/api/v1/holds?recordingId=${recordingId}`).expect(200)).body;
    expect(items.map((hold: { ground: string }) => hold.ground)).toContain('restriction');
  });
  test('a restriction outlives its request until the person was told two weeks before, or agrees', async () => {
    const start = service.clock.now();
    const lift = (id: string, body: object) => step(id, 'lift', { reason: 'juistheid vastgesteld', ...body });
    const restricted = async () => {
      const made = await ready(['restriction']);
      await step(made.id, 'items', { decisions: [{ itemId: made.itemId, right: 'restriction', decision: 'grant' }] }).expect(200);
      await lift(made.id, { agreed: true }).expect(409);
      await step(made.id, 'approve', {}, second).expect(200);
      expect((await step(made.id, 'close').expect(200)).body.restricted).toEqual({ count: 1, liftableAt: null });
      return made;
    };
    const [told, agreeing] = [await restricted(), await restricted()];
    const heard = (recordingId: string, status: number) => service.as('trainer').get(`/api/v1/recordings/${recordingId}`).expect(status);
    await lift(told.id, {}).expect(409);
    await officer.post(`${base}/${told.id}/notices/lifting`).send({}).expect(200);
    await lift(told.id, {}).expect(409);
    await heard(told.recordingId, 404);
    const { body } = await lift(agreeing.id, { agreed: true }).expect(200);
    expect(body).toMatchObject({ restricted: { count: 0 } });
    expect(body.timeline.at(-1)).toMatchObject({ kind: 'restriction_lifted', note: 'juistheid vastgesteld' });
    await heard(agreeing.recordingId, 200);
    const { items } = (await officer.get(`/api/v1/holds?recordingId=${agreeing.recordingId}`).expect(200)).body;
    expect(items.every(({ state }: { state: string }) => state === 'released')).toBe(true);
    service.clock.set(new Date(start.getTime() + 14 * 86_400_000 + 60_000));
    await service.signInAgain();
    officer = service.as('privacy_officer');
    await lift(told.id, {}).expect(200);
    await heard(told.recordingId, 200);
    await lift(told.id, {}).expect(409);
    service.clock.reset();
    await service.signInAgain();
    officer = service.as('privacy_officer');
    second = await service.another('privacy_officer');
  });
  test('erasure goes through the one purge, with proof', async () => {
    const { id, itemId, recordingId } = await ready(['erasure']);
    await step(id, 'items', { decisions: [{ itemId, right: 'erasure', decision: 'grant' }] }).expect(200);
    await officer.get(`/api/v1/recordings/${recordingId}`).expect(200);
    await step(id, 'approve', {}, second).expect(200);
    await expect
      .poll(async () => (await officer.get(`/api/v1/tombstones?recordingId=${recordingId}`)).body.items, { timeout: 20_000 })
      .toMatchObject([{ reason: 'erasure' }]);
    await officer.get(`/api/v1/recordings/${recordingId}`).expect(410);
    expect((await step(id, 'close').expect(200)).body).toMatchObject({ state: 'closed', outcome: 'answered' });
  });
  test('a closed request lets go of what it kept and takes no more acts', async () => {
    const { id, itemId, recordingId } = await ready();
    await step(id, 'close').expect(409);
    await step(id, 'close', { outcome: 'withdrawn' }).expect(422);
    await step(id, 'items', { decisions: [{ itemId, decision: 'grant' }] }).expect(200);
    await step(id, 'approve', {}, second).expect(200);
    const closed = (await step(id, 'close').expect(200)).body;
    expect(Number(closed.retainUntil.slice(0, 4)) - Number(closed.closedAt.slice(0, 4))).toBe(2);
    const { items } = (await officer.get(`/api/v1/holds?recordingId=${recordingId}`).expect(200)).body;
    expect(items.every((hold: { state: string }) => hold.state === 'released')).toBe(true);
    for (const name of ['search', 'resume', 'approve', 'close']) await step(id, name, {}, second).expect(409);
    await step(id, 'extend', { reason: 'x' }).expect(409);
  });
});

test('a secret order shows in the audit trail to the auditor alone', async () => {
  const { id } = await takeIn({
    rights: ['access'], requesterKind: 'authority', authority: { name: 'OM', legalBasis: '126n Sv', secret: true },
  });
  const seen = async (who: Agent) => (await who.get(`/api/v1/audit?object=${id}`).expect(200)).body.items.length as number;
  expect([await seen(officer), await seen(service.as('auditor'))]).toEqual([0, 1]);
});

test('statistics hold counts and nobody', async () => {
  const { body } = await service.as('auditor').get(`${base}/statistics?from=2026-01-01&to=2028-01-01`).expect(200);
  expect(body.received).toBeGreaterThan(5);
  expect(JSON.stringify(body)).not.toMatch(/Persoon|example/);
});
