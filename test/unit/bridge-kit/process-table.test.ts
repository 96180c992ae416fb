import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProcess, listFromPs, listProcesses, type RunningProcess } from '../../../packages/bridge-kit/src/processes/process-table.ts';

let child: ReturnType<typeof spawn>;
beforeEach(async () => {
  // A name that a careless reader of the table would trip over.
  const script = 'process.title = "a) R 1 2"; process.stdout.write("x"); setInterval(() => {}, 1000)';
  child = spawn(process.execPath, ['-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { A: 'b', HEDDLE_CHILD: 'c0ffee' },
  });
  if (child.stdout !== null) await once(child.stdout, 'data');
});
afterEach(() => child.kill('SIGKILL'));

const pick = (running: RunningProcess[]) => running.find(({ pid }) => pid === child.pid);

describe('the table of processes', () => {
  it('knows parent, group and mark', async () => {
    const found = pick(await listProcesses());
    expect(found).toMatchObject({ parentPid: process.pid, groupId: child.pid });
    // Node is no program of the system itself, so macOS tells its environment too.
    expect(found?.mark).toBe('c0ffee');
    expect(await findProcess(child.pid as number)).toEqual(found);
  });

  it('tells a time of start that stays, and that another process does not have', async () => {
    const [before, after] = [pick(await listProcesses()), pick(await listProcesses())];
    expect(after?.startedAt).toBe(before?.startedAt);
    expect((await findProcess(process.pid))?.startedAt).not.toBe(before?.startedAt);
  });

  it('reads the same from ps, where there is no /proc', async () => {
    expect(pick(await listFromPs([]))).toMatchObject({ parentPid: process.pid, groupId: child.pid });
    const startedAt = pick(await listFromPs([]))?.startedAt ?? '';
    expect(Math.abs(Date.parse(`${startedAt} UTC`) - Date.now())).toBeLessThan(60_000);
  });

  it('has no process that is dead', async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    expect(pick(await listProcesses())).toBeUndefined();
    expect(await findProcess(child.pid as number)).toBeUndefined();
  });
});
