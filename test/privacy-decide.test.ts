import { describe, expect, test } from 'vitest';
import { groundOf, outcomeOf, usualDecision, type ItemFacts } from '../src/privacy/decide.js';
import { decidesOn } from '../src/privacy/items.js';
import { rights, type Right } from '../src/privacy/rights.js';

const recording: ItemFacts = { kind: 'recording', relation: null, hasAgreement: false, objectionUpheld: false };
const agreed: ItemFacts = { ...recording, hasAgreement: true };
const upheld: ItemFacts = { ...agreed, objectionUpheld: true };
const ofParty: ItemFacts = { ...recording, kind: 'ticket', relation: 'contracting_party' };
const ofContact: ItemFacts = { ...ofParty, relation: 'contact_person' };
const ofSomebody: ItemFacts = { ...ofParty, relation: null };
const ticketUpheld: ItemFacts = { ...ofContact, objectionUpheld: true };

type Row = [Right, string, ItemFacts, string, string | null, string, object?];

/** The matrix of rights and categories, cell by cell. */
const matrix: Row[] = [
  ['access', 'recording', recording, '6(1)(f)', 'grant', '15(3)'],
  ['access', 'ticket of a contracting party', ofParty, '6(1)(b)', 'grant', '15(1)'],
  ['access', 'ticket of a contact person', ofContact, '6(1)(f)', 'grant', '15(1)'],
  ['rectification', 'recording', recording, '6(1)(f)', 'grant', '16', { offer: 'restriction' }],
  ['rectification', 'ticket of a contracting party', ofParty, '6(1)(b)', 'grant', '16', { offer: 'restriction' }],
  ['rectification', 'ticket of a contact person', ofContact, '6(1)(f)', 'grant', '16', { offer: 'restriction' }],
  ['erasure', 'recording without agreement', recording, '6(1)(f)', 'grant', '17(1)(a)'],
  ['erasure', 'recording with an agreement: weighed', agreed, '6(1)(f)', null, '17(1)(a), 17(3)(e)', { offer: 'restriction' }],
  ['erasure', 'recording with an agreement, objection upheld', upheld, '6(1)(f)', 'grant', '17(1)(c)'],
  ['erasure', 'ticket of a contracting party', ofParty, '6(1)(b)', 'grant', '17(1)(a)'],
  ['erasure', 'ticket of a contact person', ofContact, '6(1)(f)', 'grant', '17(1)(a)'],
  ['erasure', 'ticket, objection upheld', ticketUpheld, '6(1)(f)', 'grant', '17(1)(c)'],
  ['restriction', 'recording', recording, '6(1)(f)', 'grant', '18(1)'],
  ['restriction', 'ticket of a contracting party', ofParty, '6(1)(b)', 'grant', '18(1)'],
  ['restriction', 'ticket of a contact person', ofContact, '6(1)(f)', 'grant', '18(1)'],
  ['portability', 'recording', recording, '6(1)(f)', 'refuse', '20(1)', { offer: 'access', decides: false }],
  ['portability', 'ticket of a contracting party', ofParty, '6(1)(b)', 'grant', '20(1)', { decides: true }],
  ['portability', 'ticket of a contact person', ofContact, '6(1)(f)', 'grant', '20(1)'],
  ['objection', 'recording', recording, '6(1)(f)', 'grant', '21(1)'],
  ['objection', 'ticket of a contracting party', ofParty, '6(1)(b)', 'grant', '18(1), 17(1)', { as: 'restriction' }],
  ['objection', 'ticket of a contact person', ofContact, '6(1)(f)', 'grant', '21(1)'],
  ['objection', 'ticket of who knows whom', ofSomebody, '6(1)(b)', 'grant', '18(1), 17(1)', { as: 'restriction' }],
];

test.each(matrix)('%s of a %s', (right, _name, facts, ground, verdict, article, more = {}) => {
  expect(groundOf(facts)).toBe(ground);
  expect(usualDecision(right, facts)).toMatchObject({ ground, verdict, article, ...more });
});

describe('every cell', () => {
  const facts = (['recording', 'ticket'] as const).flatMap((kind) =>
    (['contracting_party', 'contact_person', null] as const).flatMap((relation) =>
      [true, false].flatMap((hasAgreement) =>
        [true, false].map((objectionUpheld): ItemFacts => ({ kind, relation, hasAgreement, objectionUpheld })),
      ),
    ),
  );
  test('names an article and says why, in both languages', () => {
    for (const right of rights)
      for (const each of facts) {
        const { article, why } = usualDecision(right, each);
        expect([article, why.nl, why.en].every((text) => text.length > 1)).toBe(true);
      }
  });
  test('is decided by somebody or not by its kind and by who asks alone', () => {
    for (const right of rights)
      for (const each of facts)
        for (const requester of ['subject', 'company', 'authority'] as const)
          expect(usualDecision(right, { ...each, requester }).decides).toBe(
            decidesOn(right, { kind: each.kind, requester_kind: requester === 'subject' ? 'person' : requester }),
          );
  });
  test('is a company’s to be told no, and an authority’s to be weighed by its order', () => {
    for (const right of rights)
      for (const each of facts) {
        expect(usualDecision(right, { ...each, requester: 'company' })).toMatchObject({ verdict: 'refuse', article: '4(1), 15', decides: true });
        expect(usualDecision(right, { ...each, requester: 'authority' })).toMatchObject({ verdict: null, article: '6(1)(c)', decides: true });
      }
  });
  test('is never refused by the machine but for portability of recordings', () => {
    for (const right of rights)
      for (const each of facts)
        expect(usualDecision(right, each).verdict === 'refuse').toBe(right === 'portability' && each.kind === 'recording');
  });
});

test.each([
  [[], 'nothing_found'],
  [['grant', 'grant'], 'granted'],
  [['refuse', 'refuse'], 'refused'],
  [['grant', 'refuse'], 'partly'],
  [['partly'], 'partly'],
] as const)('%j together are %s', (verdicts, outcome) => {
  expect(outcomeOf(verdicts)).toBe(outcome);
});
