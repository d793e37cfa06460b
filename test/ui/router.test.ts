// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { go, match, place } from '../../public/shell/router.js';

describe('addresses', () => {
  it('fit a pattern part by part', () => {
    expect(match('/recordings/:id', '/recordings/0193')).toEqual({ id: '0193' });
    expect(match('/recordings/:id', '/recordings/')).toBeUndefined();
    expect(match('/recordings', '/recordings/')).toEqual({});
    expect(match('/recordings', '/tickets')).toBeUndefined();
    expect(match('/tickets/:id', '/tickets/a/b')).toBeUndefined();
  });

  it('keep what is personal beside them, in the history entry', () => {
    go('/recordings?agent=101', { kept: { number: '+31612345678' } });
    expect(place.value.kept).toEqual({ number: '+31612345678' });
    expect(location.href).not.toContain('3161234');
    expect(place.value.query.get('agent')).toBe('101');
  });
});
