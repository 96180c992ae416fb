import type { FileUpdateChange } from '@heddle/wire';
import { describe, expect, it } from 'vitest';
import { applyFileChange } from '../../conformance/file-diff.ts';

const update = (diff: string): FileUpdateChange => ({ path: '/f', kind: { type: 'update', move_path: null }, diff });

describe('applyFileChange', () => {
  it('adds and deletes with the whole text', () => {
    expect(applyFileChange(undefined, { path: '/f', kind: { type: 'add' }, diff: 'new\n' })).toBe('new\n');
    expect(applyFileChange('old\n', { path: '/f', kind: { type: 'delete' }, diff: 'old\n' })).toBeUndefined();
    expect(() => applyFileChange('there', { path: '/f', kind: { type: 'add' }, diff: '' })).toThrow('was there already');
  });
  it('applies hunks', () => {
    const before = 'a\nb\nc\nd\ne\nf\n';
    expect(applyFileChange(before, update('@@ -2 +2 @@\n-b\n+B\n@@ -5,2 +5,3 @@\n e\n+e and a half\n f\n'))).toBe(
      'a\nB\nc\nd\ne\ne and a half\nf\n',
    );
    expect(applyFileChange('a\n', update('@@ -0,0 +1 @@\n+first\n'))).toBe('first\na\n');
  });
  it('tells a last line with its newline from one without', () => {
    const diff = '@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n';
    expect(applyFileChange('a', update(diff))).toBe('a\n');
    expect(() => applyFileChange('a\n', update(diff))).toThrow('line 1 is');
  });
  it('refuses a hunk that does not fit', () => {
    expect(() => applyFileChange('a\nb\n', update('@@ -1,2 +1,1 @@\n a\n-c\n'))).toThrow('line 2 is "b\\n", the diff says "c\\n"');
    expect(() => applyFileChange(undefined, update('@@ -1 +1 @@\n'))).toThrow('was not there');
    expect(() => applyFileChange('a\n', update('--- a/f\n'))).toThrow('line 1');
  });
});
