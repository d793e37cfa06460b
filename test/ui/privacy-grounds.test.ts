import { expect, test } from 'vitest';
import { citesArticle, groundsToRefuse, rights } from '../../public/privacy/types.js';
import * as service from '../../src/privacy/decide.js';

test.each(rights.flatMap((right) => (['recording', 'ticket'] as const).map((kind) => [right, kind] as const)))(
  'the screen offers the grounds that the service takes: %s of a %s',
  (right, kind) => expect(groundsToRefuse(right, kind)).toEqual(service.groundsToRefuse(right, kind)),
);

test.each([
  ['Omdat artikel 23 AVG dat toelaat', true], ['zie art. 6(1)(b)', true], ['under articles 12 and 15', true], ['art 41 UAVG', true],
  ['het artikel in de krant', false], ['party 3', false], ['kwart 4', false], ['', false],
])('%j names an article: %s', (reason, cites) => {
  expect([citesArticle(reason), service.citesArticle(reason)]).toEqual([cites, cites]);
});
