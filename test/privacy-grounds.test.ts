import { expect, test } from 'vitest';
import { citesArticle } from '../src/privacy/refusal-grounds.js';

test.each([
  ['Omdat artikel 23 AVG dat toelaat', true], ['zie art. 6(1)(b)', true], ['under articles 12 and 15', true], ['art 41 UAVG', true],
  ['het artikel in de krant', false], ['party 3', false], ['kwart 4', false], ['', false],
])('%j names an article: %s', (reason, cites) => {
  expect(citesArticle(reason)).toBe(cites);
});
