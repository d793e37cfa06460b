import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { machineRoles, personRoles, type Caller, type MachineRole, type PersonRole } from '../src/access/caller.js';
import { isAction, may, mayEver, viewOf, type Action, type Facts } from '../src/access/policy.js';

const person = (role: PersonRole, userId = 'me'): Caller => ({
  kind: 'person',
  userId,
  role,
  email: '',
  name: '',
  locale: 'nl',
  extensions: [],
});
const machine = (role: MachineRole): Caller => ({
  kind: 'machine',
  role,
  keyId: 'key',
  sourceId: 'source',
  sourceName: 'source',
  timeZone: 'UTC',
  channelMap: ['caller', 'agent'],
  ownNumbers: [],
});
const everyone: Caller[] = [...personRoles.map((role) => person(role)), ...machineRoles.map(machine)];
const who = (action: Action, facts: Facts = {}) =>
  everyone.filter((caller) => may(caller, action, facts)).map(({ role }) => role);

describe('listening', () => {
  const plain = { restricted: false, objected: false, shared: true } as const;

  it('is for trainers in training, for agents to what was shared with them, for officers with a purpose', () => {
    expect(who('recording.listen', { ...plain, purpose: 'training' })).toEqual(['trainer', 'agent']);
    expect(who('recording.listen', { ...plain, purpose: 'training', shared: false })).toEqual(['trainer']);
    expect(who('recording.listen', { ...plain, purpose: 'evidence' })).toEqual(['privacy_officer']);
    expect(who('recording.listen', { ...plain, purpose: 'access_request' })).toEqual(['privacy_officer']);
  });

  it('to what is restricted or objected to is for officers alone', () => {
    for (const facts of [{ restricted: true }, { objected: true }]) {
      expect(who('recording.listen', { ...plain, ...facts, purpose: 'training' })).toEqual([]);
      expect(who('recording.listen', { ...plain, ...facts, purpose: 'evidence' })).toEqual(['privacy_officer']);
    }
  });

  it('is refused where a fact was not told', () => {
    expect(who('recording.listen')).toEqual([]);
    expect(who('recording.listen', { purpose: 'training', restricted: false, shared: true })).toEqual([]);
    expect(who('recording.listen', { purpose: 'training', objected: false, shared: true })).toEqual([]);
  });
});

it('keeps what is held open to officers alone', () => {
  expect(who('recording.read_held', { held: true })).toEqual(['privacy_officer']);
  expect(who('recording.read_held', { held: false })).toEqual([]);
});

it('lets no auditor near a recording, and no administrator near audio or tickets', () => {
  for (const action of ['recording.list', 'recording.read', 'recording.listen', 'ticket.read'] as const)
    expect(mayEver('auditor', action)).toBe(false);
  for (const action of ['recording.listen', 'ticket.list', 'ticket.read'] as const)
    expect(mayEver('administrator', action)).toBe(false);
});

it('has a second person confirm, unless an organisation of one has said otherwise', () => {
  for (const action of ['hold.confirm', 'privacy_request.approve'] as const) {
    expect(who(action, { firstPersonId: 'me' })).toEqual([]);
    expect(who(action, { firstPersonId: 'another' })).toEqual(['privacy_officer']);
    expect(who(action)).toEqual([]);
    expect(who(action, { firstPersonId: 'me', fourEyes: 'required' })).toEqual([]);
    expect(who(action, { firstPersonId: 'me', fourEyes: 'recorded' })).toEqual(['privacy_officer']);
  }
});

it('lets nobody change their own access', () => {
  expect(who('user.change_access', { ownerId: 'another' })).toEqual(['administrator']);
  expect(who('user.change_access', { ownerId: 'me' })).toEqual([]);
  expect(who('user.change_access')).toEqual([]);
});

it('lets an agent read and answer only their own evaluation', () => {
  expect(who('evaluation.read', { ownerId: 'me' })).toEqual(['trainer', 'agent']);
  expect(who('evaluation.read', { ownerId: 'another' })).toEqual(['trainer']);
  expect(who('evaluation.answer', { ownerId: 'me' })).toEqual(['agent']);
});

it('shows full numbers and names to officers alone', () => {
  const seen = Object.fromEntries(personRoles.map((role) => [role, viewOf(role)]));
  expect(seen).toEqual({
    trainer: { number: 'last_three', names: false, ticketText: false },
    agent: { number: 'last_three', names: false, ticketText: false },
    privacy_officer: { number: 'full', names: true, ticketText: true },
    auditor: { number: 'hidden', names: false, ticketText: false },
    administrator: { number: 'hidden', names: false, ticketText: false },
  });
});

describe('the table', () => {
  const facts = fc.record(
    {
      purpose: fc.constantFrom('training', 'evidence', 'access_request'),
      restricted: fc.boolean(),
      objected: fc.boolean(),
      held: fc.boolean(),
      shared: fc.boolean(),
      ownerId: fc.constantFrom('me', 'another'),
      firstPersonId: fc.constantFrom('me', 'another'),
      fourEyes: fc.constantFrom('required', 'recorded'),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Facts>;
  const actions = [
    'recording.listen',
    'recording.read',
    'hold.confirm',
    'user.change_access',
    'ticket.read',
    'audit.read',
    'evaluation.read',
  ] as const;

  it('never allows with facts what it never allows', () => {
    fc.assert(
      fc.property(fc.constantFrom(...everyone), fc.constantFrom(...actions), facts, (caller, action, told) => {
        if (may(caller, action, told)) expect(mayEver(caller.role, action)).toBe(true);
      }),
    );
  });

  it('never lets a trainer or agent hear what is restricted or objected to, whatever else is told', () => {
    fc.assert(
      fc.property(fc.constantFrom('trainer', 'agent') as fc.Arbitrary<PersonRole>, facts, (role, told) => {
        for (const barred of [{ restricted: true }, { objected: true }])
          expect(may(person(role), 'recording.listen', { ...told, ...barred })).toBe(false);
      }),
    );
  });

  it('is closed to everyone for what does not stand in it, an object’s own properties included', () => {
    for (const action of ['nonsense', 'toString', '__proto__', 'constructor', '']) {
      expect(isAction(action)).toBe(false);
      for (const { role } of everyone) expect(mayEver(role, action)).toBe(false);
    }
  });
});
