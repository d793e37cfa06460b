import type { Right } from './rights.js';

/** The grounds on which rights are refused: one list for the service and its screens, so nothing of the service is used here. */

type Kind = 'recording' | 'ticket';

/** On what a right can be refused, wholly or in part: an exception, or that what its own article asks for is not so. */
export const refusalGrounds = [
  '15(4)', '16', '17(3)(b)', '17(3)(e)', '18(1)', '20(1)', '20(4)', '21(1)', '12(5)', '12(2)', 'UAVG 41', 'other',
] as const;
export type RefusalGround = (typeof refusalGrounds)[number];

const always = ['12(5)', '12(2)', 'UAVG 41', 'other'] as const;
const grounds: Record<Right, readonly RefusalGround[]> = {
  access: ['15(4)', ...always],
  rectification: ['16', ...always],
  // The rights of others and the like are no exception of art. 17(3).
  erasure: ['17(3)(e)', '17(3)(b)', '12(5)', '12(2)', 'other'],
  restriction: ['18(1)', ...always],
  portability: ['20(4)', '20(1)', ...always],
  objection: ['21(1)', ...always],
};

/**
 * The grounds that carry a refusal of `right`, first the one that stands where none is told: of another right's ground a letter
 * would cite the wrong article. What is still needed for the contract may stay, hence `other` for tickets; a recording only by
 * a concrete duty or claim.
 */
export const groundsToRefuse = (right: Right, kind: Kind): readonly RefusalGround[] =>
  right === 'erasure' && kind === 'recording' ? grounds.erasure.filter((ground) => ground !== 'other') : grounds[right];

const article = /\bart(?:ikel(?:en)?|icles?|\.)?\s*\d/i;

/** Whether a reason names the article it rests on: `artikel 23 AVG`, `art. 6(1)(b)`, `article 12`. */
export const citesArticle = (reason: string): boolean => article.test(reason);

/**
 * The ground on which a refusal, wholly or in part, is written down: the one that was told; else the article that its reason
 * names, where that may carry it; else the first of the right. Reasons are owed for each (art. 12(4)), and an article with them.
 */
export function groundToRefuse(right: Right, kind: Kind, told: RefusalGround | undefined, reason: string | undefined): RefusalGround | null {
  const carrying = groundsToRefuse(right, kind);
  return told ?? (carrying.includes('other') && citesArticle(reason ?? '') ? 'other' : (carrying[0] ?? null));
}
