import { describe, expect, it } from 'vitest';
import { emptyQuestion, emptySection, moved, shareOf, withQuestion, withSection } from '../../public/evaluations/card-draft.js';

const first = emptySection([], []);

describe('a scorecard that is being written', () => {
  it('gives each section and question an id of its own, also after some were taken out', () => {
    const second = emptySection([first], []);
    expect([first.id, second.id, first.questions[0]?.id, second.questions[0]?.id]).toEqual(['s1', 's2', 'q1', 'q2']);
    const left = [{ ...second, questions: [] }];
    expect(emptyQuestion(left, ['q1', 'q2']).id).toBe('q3');
    expect(emptySection(left, ['q1', 'q2']).id).not.toBe('s2');
  });

  it('moves a thing one place, and leaves it at an end', () => {
    expect(moved(['a', 'b', 'c'], 0, 1)).toEqual(['b', 'a', 'c']);
    expect(moved(['a', 'b', 'c'], 2, 1)).toEqual(['a', 'b', 'c']);
    expect(moved(['a', 'b', 'c'], 0, -1)).toEqual(['a', 'b', 'c']);
  });

  it('changes one section or question and no other', () => {
    const question = emptyQuestion([first], []);
    const sections = [{ ...first, questions: [...first.questions, question] }, emptySection([first], [question.id])];
    const changed = withQuestion(withSection(sections, 's1', { title: 'Opening' }), question.id, { text: 'Listens', max: 7 });
    expect(changed[0]).toMatchObject({ title: 'Opening', questions: [{ text: '' }, { text: 'Listens', max: 7 }] });
    expect(changed[1]).toEqual(sections[1]);
  });

  it('tells how much of the whole a weight makes', () => {
    const [light, heavy] = [{ weight: 1 }, { weight: 3 }];
    expect([shareOf([light, heavy], light), shareOf([light, heavy], heavy)]).toEqual([0.25, 0.75]);
  });
});
