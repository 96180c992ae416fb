// opencode's patches, which it shows without the indentation that all their lines share.

import { updateHunks } from '@heddle/bridge-kit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyPatch, hunksText } from '../../../packages/bridges/src/opencode/translate/apply-patch.ts';

/** As opencode does it: what all lines that are not blank share is taken off. */
function trimmed(patch: string): string {
  const lines = patch.split('\n');
  const isContent = (line: string) => /^[ +-]/.test(line) && !/^(?:---|\+\+\+)/.test(line) && line.slice(1).trim() !== '';
  const indents = lines.filter(isContent).map((line) => /^\s*/.exec(line.slice(1))?.[0].length ?? 0);
  const least = indents.length === 0 ? 0 : Math.min(...indents);
  return lines.map((line) => (isContent(line) ? line.charAt(0) + line.slice(1 + least) : line)).join('\n');
}

describe('a patch of opencode’s', () => {
  it('gives the text after it, with the indentation of the text before', () => {
    const before = 'if x:\n\t\tone\n\t\ttwo\n\t\tthree\n\t\tfour\n\t\tfive\n';
    const patch = '--- a\n+++ b\n@@ -3,4 +3,5 @@\n two\n three\n-four\n+FOUR\n+\tdeeper\n five\n';
    expect(applyPatch(before, patch)).toBe('if x:\n\t\tone\n\t\ttwo\n\t\tthree\n\t\tFOUR\n\t\t\tdeeper\n\t\tfive\n');
  });

  it('makes a file, with or without an end of its last line', () => {
    expect(applyPatch('', '@@ -0,0 +1,2 @@\n+one\n+two\n')).toBe('one\ntwo\n');
    expect(applyPatch('', '@@ -0,0 +1,1 @@\n+one\n\\ No newline at end of file\n')).toBe('one');
  });

  it('is refused when it is about another text', () => {
    expect(applyPatch('one\n', '@@ -1,1 +1,1 @@\n-two\n+three\n')).toBeUndefined();
  });

  it('gives the text after any change of indented lines', () => {
    const line = fc.stringMatching(/^[a-c{}]{1,3}$/).map((text) => `    ${text}\n`);
    const text = fc.array(line, { minLength: 1, maxLength: 12 }).map((lines) => lines.join(''));
    const property = fc.property(text, text, (before, after) => {
      const patch = trimmed(`--- f\n+++ f\n${updateHunks(before, after)}`);
      expect(applyPatch(before, patch)).toBe(after);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('is shown without its header', () => {
    expect(hunksText('Index: f\n===\n--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n+b\n')).toBe('@@ -1,1 +1,1 @@\n-a\n+b\n');
    expect(hunksText('Index: f\n')).toBe('');
  });
});
