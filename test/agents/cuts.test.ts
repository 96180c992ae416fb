// Real codex turns over a path that is cut in the middle of each: what arrives is what arrives without cuts.

import type { AgentEvent, AgentSession } from '@heddle/client/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prompt } from '../model-server/script.ts';
import { type FlakyProxy, startFlakyProxy } from '../support/flaky-proxy.ts';
import { type CodexDaemon, startCodexDaemon } from './support/codex-daemon.ts';

const TURNS = Number(process.env['HEDDLE_CUT_TURNS'] ?? 50);
const seed = Number(process.env['HEDDLE_SEED'] ?? Math.floor(Math.random() * 1e9));
const words = Array.from({ length: 40 }, (_, n) => `word${n} `).join('');
// Deterministic, and slow enough for a cut in the middle.
const said = prompt('Say it.', { text: words, chunk_ms: 4 });

let codex: CodexDaemon;
let proxy: FlakyProxy;
beforeAll(async () => {
  codex = await startCodexDaemon();
  proxy = await startFlakyProxy(Number(codex.daemon.pairPayload().addrs[0]?.split('/').at(-1)), { seed });
});
afterAll(async () => {
  await proxy.close();
  await codex.end();
});

/** What a turn says, without what differs from turn to turn: ids, times, counts of tokens. */
function transcriptOf(events: AgentEvent[]): unknown[] {
  return events.flatMap((event): unknown[] => {
    if (event.kind !== 'notification') return [];
    switch (event.method) {
      case 'item/agentMessage/delta':
        return [[event.method, event.params.delta]];
      case 'item/started':
      case 'item/completed':
        return [[event.method, event.params.item.type, 'text' in event.params.item ? event.params.item.text : '']];
      case 'turn/completed':
        return [[event.method, event.params.turn.status]];
      case 'thread/status/changed':
        return [[event.method, event.params.status.type]];
      default:
        return [[event.method]];
    }
  });
}

async function runTurn(session: AgentSession, threadId: string, onDelta: (count: number) => void): Promise<unknown[]> {
  const heard: AgentEvent[] = [];
  const listening = (async () => {
    let deltas = 0;
    for await (const event of session.events()) {
      heard.push(event);
      if (event.kind !== 'notification') continue;
      if (event.method === 'item/agentMessage/delta') onDelta(++deltas);
      if (event.method === 'turn/completed') return;
    }
    throw new Error('the session ended in the middle of the turn');
  })();
  await session.request('turn/start', { threadId, input: [{ type: 'text', text: said }] });
  await listening;
  return transcriptOf(heard);
}

describe(`real codex over a flaky path (seed ${seed})`, () => {
  it(`says the same in ${TURNS} turns that are cut in the middle as in one that is not`, {
    timeout: 4_800 * Math.max(TURNS, 50),
  }, async () => {
    const phone = await codex.dial([`/ip4/127.0.0.1/tcp/${proxy.port}`]);
    const states: string[] = [];
    const session = await phone.openAgent('codex', { clientInfo: { name: 'cuts', version: '1' }, onState: ({ is }) => states.push(is) });
    const { thread } = await session.request('thread/start', { cwd: codex.codexHome.path });
    await runTurn(session, thread.id, () => {}); // the first one also tells of the new thread
    const uncut = await runTurn(session, thread.id, () => {});
    expect(uncut.length).toBeGreaterThan(30);
    for (let turn = 0; turn < TURNS; turn++) {
      const cutAt = new Set([3 + (turn % 7), 12 + (turn % 8)]);
      const cut = await runTurn(session, thread.id, (delta) => cutAt.has(delta) && proxy.cutAll());
      expect(cut).toEqual(uncut);
    }
    expect(states.filter((state) => state === 'reconnecting').length).toBeGreaterThanOrEqual(TURNS);
    expect(states).not.toContain('reset');
    await phone.close();
  });
});
