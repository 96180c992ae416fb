// How long a person waits for the first words of an answer, through heddle and with the agent alone.

import { prompt } from '../../test/model-server/script.ts';
import { type AgentPhone, withDaemon, withPhone } from './agent-phone.ts';
import { type AgentUse, type PlainAgent, withPlain } from './agents/benched-agent.ts';
import { median } from './measure.ts';
import { monotonicMs, type TimedText } from './timed-text.ts';

const ROUNDS = 7;
/** Each has a daemon of its own. */
const FIRST_ROUNDS = 3;
const shortAnswer = prompt('Say it.', { text: 'Here.' });

export interface FirstWordsFigures {
  name: string;
  /** Medians, in milliseconds. */
  plainMs: number;
  heddleMs: number;
}

/** What a person may ask in, and how long it took. */
interface Waits {
  cold: number;
  resumed: number;
  warm: number;
}

/** From what a person does until the first words of the answer. */
export async function measureFirstWords(name: string, use: AgentUse): Promise<FirstWordsFigures[]> {
  const rounds = await withPlain(use, (plain) => withPhone(name, use, (phone) => askInTurns({ plain, phone, cwd: use.cwd })));
  const figures = (row: string, key: keyof Waits) => ({
    name: row,
    plainMs: median(rounds.map(({ plain }) => plain[key])),
    heddleMs: median(rounds.map(({ heddle }) => heddle[key])),
  });
  return [
    await measureFirstThread(name, use),
    figures('a new thread', 'cold'),
    figures('one that is resumed', 'resumed'),
    figures(`one whose ${name} runs`, 'warm'),
  ];
}

async function askInTurns({ plain, phone, cwd }: { plain: PlainAgent; phone: AgentPhone; cwd: string }) {
  const rounds: { plain: Waits; heddle: Waits }[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push({ plain: await plainWaits(plain), heddle: await heddleWaits(phone, cwd) });
  return rounds;
}

async function plainWaits(agent: PlainAgent): Promise<Waits> {
  let sessionId = '';
  const cold = await sinceMs(async () => {
    const asked = await agent.ask(shortAnswer);
    sessionId = asked.sessionId;
    return asked.answer;
  });
  const resumed = await sinceMs(async () => (await agent.ask(shortAnswer, sessionId)).answer);
  const running = await agent.begin();
  await running.turn(shortAnswer);
  const warm = await sinceMs(() => running.turn(shortAnswer));
  await running.end();
  return { cold, resumed, warm };
}

async function heddleWaits(phone: AgentPhone, cwd: string): Promise<Waits> {
  let threadId = '';
  const cold = await sinceMs(async () => phone.turn((threadId = await phone.startThread(cwd)), shortAnswer));
  const warm = await sinceMs(() => phone.turn(threadId, shortAnswer));
  await phone.unload(threadId);
  const resumed = await sinceMs(async () => phone.turn(await phone.resume(threadId), shortAnswer));
  await phone.deleteThread(threadId);
  return { cold, resumed, warm };
}

/** Nothing of the agent runs yet, and the daemon has just begun to serve. */
async function measureFirstThread(name: string, use: AgentUse): Promise<FirstWordsFigures> {
  const plain: number[] = [];
  const heddle: number[] = [];
  for (let round = 0; round < FIRST_ROUNDS; round++) {
    let agent: PlainAgent | undefined;
    plain.push(
      await sinceMs(async () => {
        agent = await use.startPlain();
        return (await agent.ask(shortAnswer)).answer;
      }),
    );
    await agent?.end();
    const wait = await withDaemon(name, use, (open) =>
      sinceMs(async () => {
        const phone = await open();
        return phone.turn(await phone.startThread(use.cwd), shortAnswer);
      }),
    );
    heddle.push(wait);
  }
  return { name: 'the first since the start', plainMs: median(plain), heddleMs: median(heddle) };
}

async function sinceMs(act: () => Promise<TimedText[]>): Promise<number> {
  const startedMs = monotonicMs();
  const [first] = await act();
  if (first === undefined) throw new Error('an answer had no words');
  return first.atMs - startedMs;
}
