import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect } from 'vitest';
import { hubTest } from './hub-stage.ts';

const cwd = realpathSync(tmpdir());

describe('thread/shellCommand', () => {
  hubTest('runs the command in the folder of the thread, as a turn of its own', async (stage) => {
    const client = await stage.connect();
    const { thread } = await client.request('thread/start', { cwd });
    const since = stage.recording.entries.length;
    await client.request('thread/shellCommand', { threadId: thread.id, command: 'pwd; exit 3' });
    const { turn } = await client.notification('turn/completed');
    expect(turn).toMatchObject({ status: 'completed', error: null });
    expect(client.completedItems(turn.id)).toMatchObject([
      { type: 'commandExecution', source: 'userShell', status: 'failed', exitCode: 3, aggregatedOutput: `${cwd}\n`, cwd },
    ]);
    const told = stage.told('A', since);
    expect(told.indexOf('= 3')).toBe(told.indexOf('status active') - 1);
    expect(stage.agent.calls.some((call) => call.startsWith('run'))).toBe(false);
  });

  hubTest('is ended by an interrupt, and is refused for a thread that is not loaded', async (stage) => {
    const client = await stage.connect();
    const { thread } = await client.request('thread/start', { cwd });
    await client.request('thread/shellCommand', { threadId: thread.id, command: 'echo begun; sleep 600' });
    const { turnId } = await client.notification('item/commandExecution/outputDelta');
    await client.request('turn/interrupt', { threadId: thread.id, turnId });
    expect(await client.turnEnd(turnId)).toMatchObject({ status: 'interrupted' });
    expect(client.completedItems(turnId)).toMatchObject([{ status: 'failed', aggregatedOutput: 'begun\n' }]);
    const refusal = await client.refusal('thread/shellCommand', { threadId: 'nobody', command: 'pwd' });
    expect(refusal.message).toBe('thread not found: nobody');
  });
});
