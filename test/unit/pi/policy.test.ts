// Which calls of pi's tools a person is asked about, and why.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mustAsk } from '../../../packages/bridges/src/pi/policy.ts';
import { type ThreadWishes, withWishes } from '@heddle/bridge-kit';

let root: string;
let cwd: string;
let skills: string;
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'heddle-policy-')));
  cwd = join(root, 'project');
  skills = join(root, 'skills');
  for (const folder of [cwd, skills, join(root, 'other'), join(root, 'project-2')]) mkdirSync(folder);
  writeFileSync(join(cwd, 'inside.txt'), '');
  symlinkSync(join(root, 'other'), join(cwd, 'link'));
  symlinkSync(join(root, 'not-there.txt'), join(cwd, 'dangling'));
  symlinkSync('loop-b', join(cwd, 'loop-a'));
  symlinkSync('loop-a', join(cwd, 'loop-b'));
});
afterAll(() => rmSync(root, { recursive: true }));

const outside = { reason: 'The path leads out of the folder.' };
const runLater = { reason: 'What is written there may be run later without anybody being asked.' };
const plainly = { reason: null };

function ask(
  tool: string,
  input: Record<string, unknown>,
  wishes: Partial<ThreadWishes> = {},
  options: { isBuiltIn?: boolean; allow?: boolean } = {},
) {
  const { isBuiltIn = true, allow = false } = options;
  const call = { toolCallId: 'call', toolName: tool, input, isBuiltIn };
  return mustAsk(call, { wishes: { cwd, ...wishes }, permissions: { allowFullAccess: allow }, readable: [skills] });
}
const free = { approvalPolicy: 'on-request', sandbox: 'workspace-write' } as const;

describe('the policy', () => {
  it('asks about every command, and every tool of an extension', async () => {
    expect(await ask('bash', { command: 'ls' }, free)).toEqual(plainly);
    expect(await ask('powershell', { command: 'ls' }, free)).toEqual(plainly);
    expect(await ask('read', { path: 'inside.txt' }, free, { isBuiltIn: false })).toEqual({ reason: 'This tool is not one of pi’s own.' });
    expect(await ask('a_tool_of_tomorrow', {}, free)).toEqual(plainly);
  });

  it('lets pi read in the folder and among the skills', async () => {
    for (const path of ['inside.txt', './inside.txt', '@inside.txt', join(cwd, 'inside.txt'), join(skills, 'SKILL.md'), 'not-there.txt'])
      expect(await ask('read', { path }), path).toBeUndefined();
    for (const tool of ['ls', 'find', 'grep']) expect(await ask(tool, {}), tool).toBeUndefined();
    for (const path of ['../other/x', '/etc/passwd', 'link/x', '~/x', join(root, 'project-2', 'x'), 'inside.txt/../../other'])
      expect(await ask('read', { path }), path).toEqual(outside);
  });

  it('asks about changes, unless they are free in the folder', async () => {
    for (const wishes of [
      {},
      { approvalPolicy: 'untrusted' },
      { approvalPolicy: 'on-request' },
      { approvalPolicy: 'untrusted', sandbox: 'workspace-write' },
    ] as const)
      expect(await ask('edit', { path: 'inside.txt' }, wishes)).toEqual(plainly);
    for (const path of ['inside.txt', 'new/deep/file.txt', join(cwd, 'new.txt')])
      expect(await ask('write', { path }, free), path).toBeUndefined();
    expect(await ask('write', { path: 'inside.txt' }, { areEditsAccepted: true })).toBeUndefined();
  });

  it('follows links, also those that lead nowhere yet or in a circle', async () => {
    expect(await ask('write', { path: 'link/new.txt' }, free)).toEqual(outside);
    expect(await ask('write', { path: 'dangling' }, free)).toEqual(outside);
    expect(await ask('write', { path: 'loop-a' }, free)).toBeUndefined(); // nothing can be written there
  });

  it('asks about what would be run later', async () => {
    for (const path of ['.git/hooks/pre-commit', 'sub/.git/config', '.pi/extensions/x.ts', '.agents/skills/x/SKILL.md', '.GIT/config'])
      expect(await ask('write', { path }, free), path).toEqual(runLater);
  });

  it('asks about nothing where host.toml and the client want it so', async () => {
    const never = { approvalPolicy: 'never' } as const;
    expect(await ask('bash', { command: 'ls' }, never, { allow: true })).toBeUndefined();
    expect(await ask('bash', { command: 'ls' }, never)).toEqual(plainly);
    expect(await ask('bash', { command: 'ls' }, {}, { allow: true })).toEqual(plainly);
  });

  it('takes back what was accepted when another policy is chosen', () => {
    const accepted = { cwd, areEditsAccepted: true };
    expect(withWishes(accepted, { effort: 'high' }).areEditsAccepted).toBe(true);
    expect(withWishes(accepted, { approvalPolicy: 'untrusted' }).areEditsAccepted).toBeUndefined();
  });
});
