// What is granted without a question.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isGranted } from '../../../packages/bridges/src/opencode/policy.ts';
import { type OpencodeWishes, wished } from '../../../packages/bridges/src/opencode/settings.ts';

const strict = { allowFullAccess: false };
const base: OpencodeWishes = { cwd: '/srv/work' };

describe('what is granted without a question', () => {
  const inside = ['/srv/work/a.txt'];

  it('is nothing, unless somebody said so', async () => {
    for (const approvalPolicy of ['untrusted', 'on-request', 'never'] as const) {
      expect(await isGranted(undefined, { ...base, approvalPolicy }, strict)).toBe(false);
      expect(await isGranted(inside, { ...base, approvalPolicy }, strict)).toBe(false);
    }
    expect(await isGranted(inside, base, strict)).toBe(false);
  });

  it('is an edit in the folder with a writable workspace, and nothing outside', async () => {
    const wishes = { ...base, approvalPolicy: 'on-request', sandbox: 'workspace-write' } as const;
    expect(await isGranted(inside, wishes, strict)).toBe(true);
    expect(await isGranted(undefined, wishes, strict)).toBe(false);
    for (const file of ['/srv/other.txt', '/srv/work-too/a.txt', '/srv/work'])
      expect(await isGranted([...inside, file], wishes, strict)).toBe(false);
    for (const file of ['.git/hooks/pre-commit', 'sub/.OpenCode/plugin/a.ts', 'opencode.json'])
      expect(await isGranted([`/srv/work/${file}`], wishes, strict)).toBe(false);
    expect(await isGranted([], wishes, strict)).toBe(false);
    expect(await isGranted(inside, { ...wishes, approvalPolicy: 'untrusted' }, strict)).toBe(false);
    expect(await isGranted(inside, { ...wishes, mode: 'plan' }, strict)).toBe(false);
  });

  it('is an edit that was accepted for the session, until another policy is chosen', async () => {
    const accepted = { ...base, approvalPolicy: 'untrusted', areEditsAccepted: true } as const;
    expect(await isGranted(inside, accepted, strict)).toBe(true);
    expect(await isGranted(inside, wished(accepted, { model: 'one/small' }), strict)).toBe(true);
    expect(await isGranted(inside, wished(accepted, { approvalPolicy: 'untrusted' }), strict)).toBe(false);
  });

  it('is everything with full access by the word of host.toml', async () => {
    expect(await isGranted(undefined, { ...base, approvalPolicy: 'never' }, { allowFullAccess: true })).toBe(true);
  });

  it('is nothing behind a link that leads out of the folder', async () => {
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'heddle-opencode-links-')));
    const cwd = path.join(folder, 'work');
    mkdirSync(cwd);
    symlinkSync(folder, path.join(cwd, 'out'));
    symlinkSync(path.join(folder, 'made.txt'), path.join(cwd, 'made.txt'));
    const wishes = { cwd, approvalPolicy: 'on-request', sandbox: 'workspace-write' } as const;
    expect(await isGranted([path.join(cwd, 'in.txt')], wishes, strict)).toBe(true);
    expect(await isGranted([path.join(cwd, 'out', 'a.txt')], wishes, strict)).toBe(false);
    expect(await isGranted([path.join(cwd, 'made.txt')], wishes, strict)).toBe(false);
    rmSync(folder, { recursive: true, force: true });
  });
});
