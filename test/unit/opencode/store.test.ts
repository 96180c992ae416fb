// What the store asks of opencode, with a server that is a table of answers.

import { describe, expect, it } from 'vitest';
import type { OpencodeApi } from '../../../packages/bridges/src/opencode/server/api.ts';
import { OpencodeStore } from '../../../packages/bridges/src/opencode/store.ts';
import { threadIdOf } from '../../../packages/bridges/src/opencode/thread-id.ts';

const SESSION = 'ses_1';

/** A session as `GET /session/ID` has it, and its messages, which a test may change as another program would. */
class FakeServer {
  session = { id: SESSION, directory: '/srv', title: 'Sewing', time: { created: 1, updated: 1 } };
  messages: { info: object; parts: object[] }[] = [];
  /** How often all messages were asked for. */
  reads = 0;

  readonly store = new OpencodeStore({
    ask: (act) => act({ get: this.#answer, find: this.#answer } as unknown as OpencodeApi),
    mcpServers: () => Promise.resolve([]),
  });

  say(id: string, question: string, answer: string): void {
    const part = (messageID: string, text: string) => ({
      id: `prt_${messageID}`,
      messageID,
      type: 'text',
      text,
      time: { start: 1, end: 2 },
    });
    const user = { id, role: 'user', time: { created: 1 } };
    const reply = { id: `${id}_a`, role: 'assistant', parentID: id, finish: 'stop', time: { created: 2, completed: 3 } };
    this.messages.push({ info: user, parts: [part(id, question)] }, { info: reply, parts: [part(`${id}_a`, answer)] });
  }

  async texts(): Promise<string[]> {
    const { turns } = await this.store.read(threadIdOf(SESSION));
    return turns.flatMap(({ items }) => items.flatMap((item) => (item.type === 'agentMessage' ? [item.text] : [])));
  }

  readonly #answer = (path: string, { query }: { query?: Record<string, string> } = {}): Promise<unknown> => {
    if (path === '/experimental/session') return Promise.resolve([this.session]);
    if (path === `/session/${SESSION}`) return Promise.resolve(this.session);
    if (query?.['limit'] === '1') return Promise.resolve(this.messages.slice(-1));
    this.reads += 1;
    return Promise.resolve(this.messages);
  };
}

describe('a conversation', () => {
  it('is read once, as long as nothing changes in it', async () => {
    const server = new FakeServer();
    server.say('msg_1', 'What?', 'This.');
    expect(await server.texts()).toEqual(['This.']);
    expect(await server.texts()).toEqual(['This.']);
    expect(server.reads).toBe(1);
  });

  it('is read again when something was said in a terminal', async () => {
    const server = new FakeServer();
    server.say('msg_1', 'What?', 'This.');
    await server.texts();
    server.say('msg_2', 'And?', 'That.');
    expect(await server.texts()).toEqual(['This.', 'That.']);
  });

  it('is read again when its session has changed, and when its last answer has grown', async () => {
    const server = new FakeServer();
    server.say('msg_1', 'What?', 'This.');
    await server.texts();
    server.session = { ...server.session, time: { created: 1, updated: 2 } };
    await server.texts();
    expect(server.reads).toBe(2);
    server.messages.pop();
    server.say('msg_1', 'What?', 'This and that.');
    expect((await server.texts()).at(-1)).toBe('This and that.');
  });

  it('has the ids that turns had live, from when they are known', async () => {
    const server = new FakeServer();
    server.say('msg_1', '/look', 'This.');
    await server.texts();
    server.store.rememberTurn(SESSION, 'msg_1', 'turn-1');
    expect((await server.store.read(threadIdOf(SESSION))).turns.map(({ id }) => id)).toEqual(['turn-1']);
  });
});
