/** The rights of a data subject that a request can ask for (art. 15 to 21 GDPR), and how a decision on one can turn out. */

export const rights = ['access', 'rectification', 'erasure', 'restriction', 'portability', 'objection'] as const;
export type Right = (typeof rights)[number];

export const verdicts = ['grant', 'partly', 'refuse'] as const;
export type Verdict = (typeof verdicts)[number];

/** A text in both languages of letters. */
export interface Told {
  nl: string;
  en: string;
}

export const rightNames: Record<Right, Told> = {
  access: { nl: 'Inzage', en: 'Access' },
  rectification: { nl: 'Correctie', en: 'Rectification' },
  erasure: { nl: 'Verwijdering', en: 'Erasure' },
  restriction: { nl: 'Beperken van verwerking', en: 'Restriction of processing' },
  portability: { nl: 'Overdracht', en: 'Portability' },
  objection: { nl: 'Bezwaar', en: 'Objection' },
};

export const articleOf: Record<Right, string> = {
  access: '15', rectification: '16', erasure: '17', restriction: '18', portability: '20', objection: '21',
};
