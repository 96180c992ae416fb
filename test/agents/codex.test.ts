// The real codex behind a whole daemon, reached as a phone reaches it: through libp2p.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostConnection } from '@heddle/client/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentPaths, agentsRoot } from '../../scripts/install-agents.ts';
import { defineConformance } from '../conformance/conformance.ts';
import { prompt } from '../model-server/script.ts';
import { isAlive } from '../support/process.ts';
import { type CodexDaemon, startCodexDaemon } from './support/codex-daemon.ts';
import { codexUnderTest } from './support/codex-under-test.ts';

describe('codex 0.169 through libp2p', () => {
  let codex: CodexDaemon;
  const phones: HostConnection[] = [];
  beforeAll(async () => {
    codex = await startCodexDaemon();
  });
  afterAll(async () => {
    for (const phone of phones) await phone.close();
    await codex.end();
  });

  /** Each client is a phone of its own, with a connection and a peer id of its own. */
  async function connect() {
    const phone = await codex.dial();
    phones.push(phone);
    return phone.openChannel('codex');
  }
  async function kill() {
    const binary = codex.appServerPids().at(-1) as number;
    process.kill(binary, 'SIGKILL');
    await expect.poll(() => isAlive(binary)).toBe(false);
  }

  defineConformance(() => codexUnderTest({ connect, kill, modelServer: codex.modelServer }));

  it('is listed with its version', async () => {
    const phone = await codex.dial();
    const codexEntry = { name: 'codex', display_name: 'Codex', available: true, version: '0.169.0' };
    expect(await phone.listAgents()).toMatchObject([{ ...codexEntry, capabilities: { approvals: 'before', steer: true, fork: true } }]);
    await phone.close();
  });

  it('is driven by the SDK: typed requests, events in order, a clean end', async () => {
    const phone = await codex.dial();
    const session = await phone.openAgent('codex', { clientInfo: { name: 'sdk-test', version: '1' } });
    const { thread } = await session.request('thread/start', { cwd: codex.codexHome.path });
    const said: string[] = [];
    const turnOver = (async () => {
      for await (const event of session.events()) {
        if (event.kind === 'notification' && event.method === 'item/agentMessage/delta') said.push(event.params.delta);
        if (event.kind === 'notification' && event.method === 'turn/completed') return event.params.turn.status;
      }
      return 'the session ended';
    })();
    await session.request('turn/start', {
      threadId: thread.id,
      input: [{ type: 'text', text: prompt('Say it.', { text: 'Hello, phone.' }) }],
    });
    expect(await turnOver).toBe('completed');
    expect(said.join('')).toBe('Hello, phone.');
    session.close();
    expect((await session.closed).code).toBe('closed');
    await phone.close();
  });

  it('leaves no process behind when the daemon stops', async () => {
    const own = await startCodexDaemon();
    const phone = await own.dial();
    const channel = await phone.openChannel('codex');
    const pids = own.appServerPids();
    expect(pids.every(isAlive)).toBe(true);
    await own.end();
    expect((await channel.closed).code).toBe('shutting_down');
    expect(pids.some(isAlive)).toBe(false);
    await phone.close();
  });
});

describe('a codex that can not listen on a socket', () => {
  // The real one behind a wrapper whose help does not know of sockets, as older ones had it.
  it('is driven on stdio', async () => {
    const { codex: real } = agentPaths();
    const folder = mkdtempSync(join(agentsRoot, 'old-codex-'));
    const command = join(folder, 'codex');
    writeFileSync(
      command,
      `#!/bin/sh\nif [ "$*" = "app-server --help" ]; then echo "Usage: codex app-server"; else exec "${real}" "$@"; fi\n`,
    );
    chmodSync(command, 0o755);
    const daemon = await startCodexDaemon(command);
    const phone = await daemon.dial();
    const session = await phone.openAgent('codex', { clientInfo: { name: 'stdio-test', version: '1' } });
    const { thread } = await session.request('thread/start', { cwd: folder });
    expect(thread.cwd).toBe(folder);
    session.close();
    await phone.close();
    await daemon.end();
    rmSync(folder, { recursive: true });
  });
});
