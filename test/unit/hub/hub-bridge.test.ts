import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Availability, type Bridge, createHubBridge } from '@heddle/bridge-kit';
import { silentLog } from '@heddle/rpc';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ThreadNotes } from '../../../packages/bridge-kit/src/threads/thread-notes.ts';
import { FakeAgent } from './fake-agent.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-notes-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function bridgeOf(probe: () => Availability, calls: string[] = []): Bridge {
  const context = { log: silentLog, launchEnv: () => Promise.resolve({}), runtimeDir: folder, stateDir: folder, heddleVersion: '1' };
  return createHubBridge({
    name: 'fake',
    displayName: 'Fake',
    capabilities: { approvals: 'before' },
    context,
    probe: () => Promise.resolve(probe()),
    createAgent: (hub) => {
      calls.push('create');
      return new FakeAgent(hub);
    },
    stopAgent: () => Promise.resolve(void calls.push('stop')),
    closeAgent: () => Promise.resolve(void calls.push('close')),
  });
}

describe('a bridge on the hub', () => {
  test('makes its agent when it is first there, and refuses with the reason until then', async () => {
    const calls: string[] = [];
    let availability: Availability = { isAvailable: false, version: undefined, reason: 'fake is not installed', fix: 'install it' };
    const bridge = bridgeOf(() => availability, calls);
    await expect(bridge.open()).rejects.toMatchObject({ code: 'agent_unavailable', message: 'fake is not installed', hint: 'install it' });
    await bridge.restart();
    expect(calls).toEqual(['stop']);
    availability = { isAvailable: true, version: '1.0' };
    const [one, two] = [await bridge.open(), await bridge.open()];
    await bridge.restart();
    expect(await one.closed).toMatchObject({ code: 'agent_exited', message: 'the fake agent was restarted' });
    (await bridge.open()).close();
    await bridge.close();
    expect(await two.closed).toMatchObject({ code: 'agent_exited' });
    await expect(bridge.open()).rejects.toMatchObject({ code: 'agent_unavailable' });
    expect(calls).toEqual(['stop', 'create', 'stop', 'stop', 'close']);
  });

  test('is not opened over notes that it can not read, and leaves them as they are', async () => {
    const file = join(folder, 'threads-fake.json');
    writeFileSync(file, '{"threads":');
    const bridge = bridgeOf(() => ({ isAvailable: true, version: '1.0' }));
    await expect(bridge.open()).rejects.toMatchObject({ message: expect.stringContaining(file) as unknown });
    await bridge.close();
    expect(readFileSync(file, 'utf8')).toBe('{"threads":');
  });
});

describe('notes of threads', () => {
  test('are merged, dropped and written for the owner only', async () => {
    const path = join(folder, 'deep/notes.json');
    const notes = new ThreadNotes({ path, log: silentLog });
    await notes.flush();
    expect(existsSync(path)).toBe(false); // nothing to say
    notes.change('a', { name: 'A', isArchived: true });
    notes.change('a', { isArchived: undefined, originator: 'phone' });
    notes.change('b', { isArchived: true });
    notes.change('b', { isArchived: undefined });
    await notes.flush();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ version: 1, threads: { a: { name: 'A', originator: 'phone' } } });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700);
    expect(new ThreadNotes({ path, log: silentLog }).of('a')).toEqual({ name: 'A', originator: 'phone' });
    notes.drop('a');
    await notes.flush();
    expect(new ThreadNotes({ path, log: silentLog }).of('a')).toBeUndefined();
  });
});
