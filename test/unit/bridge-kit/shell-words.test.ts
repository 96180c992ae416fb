import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readPermissionRequest } from '../../../packages/bridges/src/claude/approvals.ts';
import { bashLine, quoted } from '@heddle/bridge-kit';
import { threadIdOfAgent } from '../../../packages/bridges/src/claude/translate/thread-id-of-agent.ts';

describe('a line for who splits it as a shell does', () => {
  it('leaves plain words as they are, and quotes the others', () => {
    expect(['/a/b.txt', 'http://127.0.0.1:9/page', 'a b', "it's", '', '{"a":1}'].map(quoted)).toEqual([
      '/a/b.txt',
      'http://127.0.0.1:9/page',
      "'a b'",
      "'it'\\''s'",
      "''",
      '\'{"a":1}\'',
    ]);
  });

  it('has the whole script in one word', () => {
    expect(bashLine('a > b; c')).toBe("bash -lc 'a > b; c'");
    const script = `printf %s "it's \\ $((1 + 1))" 'two  words'`;
    const words = execFileSync('sh', ['-c', `printf '%s\\0' ${bashLine(script)}`], { encoding: 'utf8' }).split('\0');
    expect(words).toEqual(['bash', '-lc', script, '']);
  });
});

describe('the thread of a sub-agent', () => {
  it('has a UUID, always the same', () => {
    expect(threadIdOfAgent('a7759abe68d62d169')).toBe('cc8c9436-9a10-8142-87e5-f6f144b0bef7');
    expect(threadIdOfAgent('a7759abe68d62d16a')).not.toBe(threadIdOfAgent('a7759abe68d62d169'));
  });
});

describe('why claude asks', () => {
  const asked = (toolName: string, description: string) => readPermissionRequest({ tool_name: toolName, input: {}, description }).reason;

  it('is in its description of a command, but not in that of a file, which is its path', () => {
    expect([asked('Bash', 'Lists the files'), asked('Write', 'notes.txt'), asked('Edit', 'notes.txt')]).toEqual([
      'Lists the files',
      undefined,
      undefined,
    ]);
  });
});
