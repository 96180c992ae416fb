// An opencode server as a program uses it that speaks its HTTP: one stream of events, sessions and prompts by requests.
// What heddle adds is measured against this.

import { request } from 'node:http';
import { monotonicMs, type TimedText } from '../timed-text.ts';
import type { PlainAgent } from './benched-agent.ts';
import type { OpencodeServer } from './opencode-server.ts';

interface NativeEvent {
  payload?: { type?: string; properties?: { sessionID?: string; field?: string; delta?: string; error?: unknown } };
}

interface Listening {
  answer: TimedText[];
  end: PromiseWithResolvers<TimedText[]>;
}

/** The event in a line of the stream, if there is one. */
export function eventOfLine(line: string): NativeEvent['payload'] {
  return line.startsWith('data:') ? (JSON.parse(line.slice('data:'.length)) as NativeEvent).payload : undefined;
}

/** @param server is ended with it */
export async function usePlainly(server: OpencodeServer, cwd: string): Promise<PlainAgent> {
  const authorization = `Basic ${Buffer.from(`opencode:${server.password}`).toString('base64')}`;
  const sessions = new Map<string, Listening>();
  const post = async (path: string, body: object) => {
    const headers = { authorization, 'content-type': 'application/json' };
    const url = new URL(`${path}?directory=${encodeURIComponent(cwd)}`, server.url);
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`opencode answers ${path} with ${response.status}`);
    return response.text();
  };
  const turn = async (sessionId: string, said: string) => {
    const listening: Listening = { answer: [], end: Promise.withResolvers() };
    sessions.set(sessionId, listening);
    await post(`/session/${sessionId}/prompt_async`, { parts: [{ type: 'text', text: said }] });
    return listening.end.promise;
  };
  const create = async () => (JSON.parse(await post('/session', {})) as { id: string }).id;

  const stopListening = await listen(`${server.url}/global/event`, authorization, (event) => {
    const { sessionID = '', field, delta, error } = event?.properties ?? {};
    const listening = sessions.get(sessionID);
    if (event?.type === 'message.part.delta' && field === 'text') listening?.answer.push({ atMs: monotonicMs(), text: delta ?? '' });
    if (event?.type === 'session.error') listening?.end.reject(new Error(`opencode: ${JSON.stringify(error)}`));
    if (event?.type === 'session.idle') listening?.end.resolve(listening.answer);
  });
  return {
    async ask(said, stored) {
      const sessionId = stored ?? (await create());
      return { answer: await turn(sessionId, said), sessionId };
    },
    async begin() {
      const sessionId = await create();
      return { turn: (said) => turn(sessionId, said), end: () => Promise.resolve() };
    },
    async end() {
      stopListening();
      await server.end();
    },
  };
}

/** Resolves when everything that happens from now on is heard. @returns what ends it */
function listen(url: string, authorization: string, onEvent: (event: NativeEvent['payload']) => void): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { authorization } }, (response) => {
      let unfinished = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        resolve(() => asked.destroy()); // it says at once that it is connected
        const lines = (unfinished + chunk).split('\n');
        unfinished = lines.pop() ?? '';
        for (const line of lines) onEvent(eventOfLine(line));
      });
      response.on('error', () => {}); // when it is ended
    });
    asked.once('error', reject);
    asked.end();
  });
}
