import { execPath } from 'node:process';
import { type ChildProcess, startChildProcess } from '@heddle/bridge-kit';
import { silentLog } from '@heddle/rpc';
import { describe, expect, it } from 'vitest';
import { isAlive } from '../../support/process.ts';

const start = (script: string): Promise<ChildProcess> =>
  startChildProcess({ command: '/bin/sh', args: ['-c', script], env: { PATH: process.env['PATH'] }, log: silentLog });

async function firstLine(child: ChildProcess): Promise<string> {
  let seen = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    seen += chunk.toString();
    if (seen.includes('\n')) break;
  }
  return seen.trim();
}

describe('startChildProcess', () => {
  it('says which program can not be started', async () => {
    const starting = startChildProcess({ command: '/nowhere/agent', args: [], env: {}, log: silentLog });
    await expect(starting).rejects.toMatchObject({ code: 'agent_unavailable', message: expect.stringContaining('/nowhere/agent') });
  });

  it('tells how it ended, with the tail of stderr', async () => {
    const child = await start(
      'i=0; while [ $i -lt 3000 ]; do echo "line $i of a long complaint about nothing" >&2; i=$((i+1)); done; exit 7',
    );
    child.stdout.resume();
    const { code, signal, stderrTail } = await child.exited;
    expect({ code, signal }).toEqual({ code: 7, signal: null });
    expect(stderrTail.endsWith('line 2999 of a long complaint about nothing\n')).toBe(true);
    expect(Buffer.byteLength(stderrTail)).toBe(64 * 1024);
  });

  it('ends by the end of its input alone when that is enough', async () => {
    const child = await start('cat > /dev/null; exit 0');
    child.stdout.resume();
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('ends with everything it has started, even what ignores TERM', async () => {
    const child = await start(`"${execPath}" -e "process.on('SIGTERM',()=>{});setInterval(()=>{},1000);console.log(process.pid)" & wait`);
    const grandchild = Number(await firstLine(child));
    await child.stop();
    await expect.poll(() => isAlive(grandchild)).toBe(false);
  });

  it('takes what it has started along when it is killed itself', async () => {
    const child = await start('sleep 300 & echo $!; wait');
    const grandchild = Number(await firstLine(child));
    expect(isAlive(grandchild)).toBe(true);
    process.kill(child.pid, 'SIGKILL');
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    await expect.poll(() => isAlive(grandchild)).toBe(false);
  });
});
