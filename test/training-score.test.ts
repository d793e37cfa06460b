import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerFault, scorecardContentSchema, scoreOf, type AnswerValue, type ScorecardContent } from '../src/training/score.js';

const weight = fc.integer({ min: 1, max: 100 });
const content: fc.Arbitrary<ScorecardContent> = fc
  .array(
    fc.record({
      weight,
      questions: fc.array(
        fc.record({
          kind: fc.constantFrom('yes_no' as const, 'scale' as const), max: fc.integer({ min: 2, max: 10 }), weight, notApplicable: fc.constant(true),
        }),
        { minLength: 1, maxLength: 5 },
      ),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((sections) =>
    sections.map((section, at) => ({
      ...section, id: `s${at}`, title: 'section',
      questions: section.questions.map((question, place) => ({ ...question, id: `q${at}-${place}`, text: 'question' })),
    })),
  );
type Question = ScorecardContent[number]['questions'][number];
const questionsOf = (sections: ScorecardContent) => sections.flatMap((section) => section.questions);
const answersBy = (sections: ScorecardContent, choose: (question: Question) => AnswerValue) =>
  new Map(questionsOf(sections).map((question) => [question.id, choose(question)]));
const best = (question: Question) => (question.kind === 'yes_no' ? true : question.max);
const worst = (question: Question) => (question.kind === 'yes_no' ? false : 1);
const answered = content.chain((sections) =>
  fc.tuple(
    fc.constant(sections),
    fc.tuple(...questionsOf(sections).map((question) => fc.oneof(
      fc.constant<AnswerValue>('not_applicable'),
      question.kind === 'yes_no' ? fc.boolean() : fc.integer({ min: 1, max: question.max }),
    ))).map((values) => new Map(questionsOf(sections).map((question, at) => [question.id, values[at] ?? null]))),
  ),
);

describe('a score', () => {
  it('weighs questions within a section and sections among each other', () => {
    const sections: ScorecardContent = [
      {
        id: 'opening', title: 'Opening', weight: 1,
        questions: [{ id: 'name', text: 'Says their name', kind: 'yes_no', max: 5, weight: 1, notApplicable: true }],
      },
      {
        id: 'help', title: 'Help', weight: 3,
        questions: [
          { id: 'listens', text: 'Listens', kind: 'scale', max: 5, weight: 2, notApplicable: true },
          { id: 'solves', text: 'Solves', kind: 'yes_no', max: 5, weight: 1, notApplicable: true },
        ],
      },
    ];
    const told = new Map<string, AnswerValue>([['name', true], ['listens', 4], ['solves', false]]);
    // Help: (2 × 0.75 + 1 × 0) / 3 = 50 %. All: (1 × 100 + 3 × 50) / 4 = 62.5 %.
    expect(scoreOf(sections, told)).toEqual({
      score: 62.5, sections: [{ id: 'opening', title: 'Opening', score: 100 }, { id: 'help', title: 'Help', score: 50 }],
    });
    expect(scoreOf(sections, new Map([...told, ['name', 'not_applicable']])).score).toBe(50);
  });

  it('is 100 for the best answers, 0 for the worst, nothing where nothing applies', () => {
    fc.assert(
      fc.property(content, (sections) => {
        expect(scoreOf(sections, answersBy(sections, best)).score).toBe(100);
        expect(scoreOf(sections, answersBy(sections, worst)).score).toBe(0);
        expect(scoreOf(sections, answersBy(sections, () => 'not_applicable')).score).toBeNull();
      }),
    );
  });

  it('lies between its worst and best section, and leaves out what does not apply', () => {
    fc.assert(
      fc.property(answered, ([sections, told]) => {
        const whole = scoreOf(sections, told);
        const parts = whole.sections.flatMap(({ score }) => (score === null ? [] : [score]));
        if (whole.score === null) expect(parts).toEqual([]);
        else {
          expect(whole.score).toBeGreaterThanOrEqual(Math.min(...parts) - 0.1);
          expect(whole.score).toBeLessThanOrEqual(Math.max(...parts) + 0.1);
        }
        const applicable = sections
          .map((section) => ({ ...section, questions: section.questions.filter(({ id }) => told.get(id) !== 'not_applicable') }))
          .filter((section) => section.questions.length > 0);
        expect(scoreOf(applicable, told).score).toBe(whole.score);
      }),
    );
  });

  it('never falls when one answer gets better', () => {
    fc.assert(
      fc.property(answered, fc.nat(), ([sections, told], at) => {
        const questions = questionsOf(sections).filter(({ id }) => told.get(id) !== 'not_applicable');
        const question = questions[at % Math.max(1, questions.length)];
        if (question === undefined) return;
        const better = scoreOf(sections, new Map([...told, [question.id, best(question)]])).score ?? 0;
        expect(better).toBeGreaterThanOrEqual(scoreOf(sections, told).score ?? 0);
      }),
    );
  });
});

describe('a scorecard', () => {
  const section = (id: string, ...questions: object[]) => ({ id, title: 'T', questions });
  it('tells its questions apart', () => {
    const one = { id: 'a', text: 'x', kind: 'yes_no' };
    expect(scorecardContentSchema.safeParse([section('s', one), section('t', { ...one, id: 'b' })]).success).toBe(true);
    expect(scorecardContentSchema.safeParse([section('s', one), section('t', one)]).success).toBe(false);
    expect(scorecardContentSchema.safeParse([section('s', one), section('s', { ...one, id: 'b' })]).success).toBe(false);
    expect(scorecardContentSchema.safeParse([]).success).toBe(false);
  });

  it('takes only answers that fit', () => {
    const scale: Question = { id: 'a', text: 'x', kind: 'scale', max: 4, weight: 1, notApplicable: false };
    for (const fits of [1, 4, null]) expect(answerFault(scale, fits)).toBeUndefined();
    for (const wrong of [0, 5, 2.5, true, 'not_applicable'] as const) expect(answerFault(scale, wrong)).toBeDefined();
    const yesNo: Question = { ...scale, kind: 'yes_no', notApplicable: true };
    for (const fits of [true, false, 'not_applicable'] as const) expect(answerFault(yesNo, fits)).toBeUndefined();
    expect(answerFault(yesNo, 1)).toBeDefined();
  });
});
