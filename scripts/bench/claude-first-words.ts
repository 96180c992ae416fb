// How long a person waits for the first words of an answer, through heddle and with claude alone.

import { randomUUID } from 'node:crypto';
import { prompt } from '../../test/model-server/script.ts';
import { withPhone } from './claude-phone.ts';
import { type ClaudeSurroundings, startPlainClaude } from './claude-plain.ts';
import { median } from './measure.ts';
import { monotonicMs, type TimedText } from './timed-text.ts';

const ROUNDS = 7;
const shortAnswer = prompt('Say it.', { text: 'Here.' });

export interface FirstWordsFigures {
  name: string;
  /** Medians, in milliseconds. */
  plainMs: number;
  heddleMs: number;
}

/** From what a person does until the first words of the answer. */
export async function measureFirstWords(options: ClaudeSurroundings): Promise<FirstWordsFigures[]> {
  const sinceMs = async (act: () => Promise<TimedText[]>) => {
    const startedMs = monotonicMs();
    return ((await act())[0]?.atMs ?? Number.NaN) - startedMs;
  };
  return withPhone(options, async (phone) => {
    const plain = { cold: [] as number[], resumed: [] as number[], warm: [] as number[] };
    const heddle = { cold: [] as number[], resumed: [] as number[], warm: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      const sessionId = randomUUID();
      const run = (...args: string[]) =>
        sinceMs(async () => {
          const claude = startPlainClaude({ ...options, args: [...args, shortAnswer] });
          const answer = await claude.turn();
          await claude.end();
          return answer;
        });
      plain.cold.push(await run('--session-id', sessionId));
      plain.resumed.push(await run('--resume', sessionId));
      const running = startPlainClaude({ ...options, args: ['--input-format', 'stream-json'] });
      await running.turn(shortAnswer);
      plain.warm.push(await sinceMs(() => running.turn(shortAnswer)));
      await running.end();

      let threadId = '';
      heddle.cold.push(await sinceMs(async () => phone.turn((threadId = await phone.startThread(options.cwd)), shortAnswer)));
      heddle.warm.push(await sinceMs(() => phone.turn(threadId, shortAnswer)));
      await phone.unload(threadId);
      heddle.resumed.push(await sinceMs(async () => phone.turn(await phone.resume(threadId), shortAnswer)));
      await phone.deleteThread(threadId);
    }
    const figures = (name: string, key: keyof typeof plain) => ({ name, plainMs: median(plain[key]), heddleMs: median(heddle[key]) });
    return [figures('a new thread', 'cold'), figures('one that is resumed', 'resumed'), figures('one whose claude runs', 'warm')];
  });
}
