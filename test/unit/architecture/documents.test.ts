import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { closeCodes, handshakeErrorCodes, localErrorCodes } from '@heddle/wire';
import { describe, expect, it } from 'vitest';
import { type CapabilitySheet, withCapabilityTable } from '../../../scripts/capability-table.ts';

const root = resolve(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('docs/errors.md', () => {
  const [, handshake = '', session = '', local = ''] = read('docs/errors.md').split(/^## /m);
  const codesIn = (section: string) => [...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);

  it.each([
    ['the handshake', handshake, handshakeErrorCodes],
    ['the end of a session', session, closeCodes],
    ['this computer', local, localErrorCodes],
  ])('lists the codes of %s, no more and no less', (_, section, codes) => {
    expect(new Set(codesIn(section))).toEqual(new Set(codes));
    expect(codesIn(section)).toHaveLength(codes.length);
  });
});

describe('README.md', () => {
  it('shows the capability sheet as it ships', () => {
    const sheet = JSON.parse(read('packages/bridges/src/capability-sheet.json')) as CapabilitySheet;
    expect(withCapabilityTable(read('README.md'), sheet)).toBe(read('README.md'));
  });
});

describe('AGENTS.md and docs/architecture.md', () => {
  it.each(['AGENTS.md', 'docs/architecture.md', 'README.md'])('%s names only files that exist', (document) => {
    const named = [...read(document).matchAll(/`((?:packages|test|scripts|docs)\/[\w./-]+)`/g)].map((match) => match[1] as string);
    for (const path of named) expect(() => readFileSync(join(root, path)), path).not.toThrow(/ENOENT/);
  });
});
