import type { Question, Section } from './types.js';

const mark = ({ weight }: { weight: number }) => (weight === 1 ? '' : ` | x${weight}`);

/** A scorecard as lines a person can type: "# Section", then a question a line, "| 5" for a scale, "| x2" for weight. */
export function writeSections(sections: readonly Section[]): string {
  return sections
    .flatMap((section) => [
      `# ${section.title}${mark(section)}`,
      ...section.questions.map(
        (question) => `${question.text}${question.kind === 'scale' ? ` | ${question.max}` : ''}${mark(question)}`,
      ),
    ])
    .join('\n');
}

/** Reads those lines. Questions keep the id of one with the same text before. Undefined where there is nothing to ask. */
export function readSections(text: string, before: readonly Section[] = []): Section[] | undefined {
  const known = before.flatMap(({ questions }) => questions);
  const taken = new Set<string>(known.map(({ id }) => id));
  const used = new Set<string>();
  const fresh = () => {
    let number = taken.size + 1;
    while (taken.has(`q${number}`)) number += 1;
    taken.add(`q${number}`);
    return `q${number}`;
  };
  const sections: Section[] = [];
  for (const line of text.split('\n').map((each) => each.trim())) {
    const [words = '', ...marks] = line.split('|').map((part) => part.trim());
    const weight = Number(/^x(\d{1,2})$/.exec(marks.find((each) => each.startsWith('x')) ?? '')?.[1] ?? 1);
    if (line.startsWith('#')) {
      const title = words.replace(/^#+\s*/, '');
      if (title !== '') sections.push({ id: `s${sections.length + 1}`, title, weight, questions: [] });
      continue;
    }
    const section = sections.at(-1);
    if (words === '' || !section) continue;
    const max = Number(marks.find((each) => /^\d+$/.test(each)) ?? Number.NaN);
    const scale = max >= 2 && max <= 10;
    const same = known.find((question) => question.text === words && !used.has(question.id));
    const id = same?.id ?? fresh();
    used.add(id);
    const question: Question = {
      id,
      text: words,
      kind: scale ? 'scale' : 'yes_no',
      max: scale ? max : 5,
      weight,
      notApplicable: true,
    };
    section.questions.push(question);
  }
  return sections.length > 0 && sections.every(({ questions }) => questions.length > 0) ? sections : undefined;
}
