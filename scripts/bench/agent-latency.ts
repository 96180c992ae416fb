// How much later a phone reads an agent's words than a program that uses the agent itself. The real agent and a real
// daemon run in processes of their own; the model server shares one with the phone and the plain reader. Both ways take
// turns.

import { randomBytes } from 'node:crypto';
import { prompt } from '../../test/model-server/script.ts';
import { type AgentPhone, withPhone } from './agent-phone.ts';
import { type PlainAgent, type SettledAgent, withPlain } from './agents/benched-agent.ts';
import { percentile } from './measure.ts';
import { delaysMs, type TimedText } from './timed-text.ts';

/** Words come about as fast as a quick model says them. */
const CHUNK_MS = 10;
const CHUNKS = 500;
const CHUNK_CHARACTERS = 12;
const ROUNDS = 3;

const shortAnswer = prompt('Say it.', { text: 'Here.' });
/** Begins with a word that no other answer has, by which it is found among what a tap has noted. */
const longAnswer = () => {
  const beginning = `${randomBytes(6).toString('hex')} `;
  const text = beginning + 'word by word '.repeat((CHUNKS * CHUNK_CHARACTERS) / 13 - 1);
  return prompt('Speak.', { text, chunk_ms: CHUNK_MS });
};

export interface PieceFigures {
  /** How many threads spoke at once. */
  atOnce: number;
  count: number;
  plain: { p50Ms: number; p99Ms: number };
  heddle: { p50Ms: number; p99Ms: number };
}

interface Answers {
  atOnce: number;
  plain: TimedText[][];
  heddle: TimedText[][];
}

/** From the agent's output to the reader of a piece of its answer. */
export async function measurePieces(name: string, agent: SettledAgent): Promise<PieceFigures[]> {
  const { measured, notes } = await agent.tapped((use) =>
    withPlain(use, (plain) => withPhone(name, use, (phone) => speakInTurns({ plain, phone, cwd: use.cwd }))),
  );
  const delays = (answers: TimedText[][]) => answers.flatMap((answer) => delaysMs(notes.whenLeft(answer), answer));
  return measured.map(({ atOnce, plain, heddle }) => {
    const heddleDelays = delays(heddle);
    return { atOnce, count: heddleDelays.length, plain: latencyOf(delays(plain)), heddle: latencyOf(heddleDelays) };
  });
}

async function speakInTurns({ plain, phone, cwd }: { plain: PlainAgent; phone: AgentPhone; cwd: string }): Promise<Answers[]> {
  await Promise.all([speakToPhone(phone, cwd, 1), speakPlainly(plain, 1)]); // warm
  const all: Answers[] = [];
  for (const atOnce of [1, 4]) {
    const answers: Answers = { atOnce, plain: [], heddle: [] };
    for (let round = 0; round < ROUNDS; round++) {
      answers.plain.push(...(await speakPlainly(plain, atOnce)));
      answers.heddle.push(...(await speakToPhone(phone, cwd, atOnce)));
    }
    all.push(answers);
  }
  return all;
}

/** Nobody starts or ends while others speak. */
async function speakToPhone(phone: AgentPhone, cwd: string, atOnce: number): Promise<TimedText[][]> {
  const threadIds = await Promise.all(times(atOnce, () => phone.startThread(cwd)));
  await Promise.all(threadIds.map((threadId) => phone.turn(threadId, shortAnswer)));
  const answers = await Promise.all(threadIds.map((threadId) => phone.turn(threadId, longAnswer())));
  await Promise.all(threadIds.map((threadId) => phone.deleteThread(threadId)));
  return answers;
}

async function speakPlainly(agent: PlainAgent, atOnce: number): Promise<TimedText[][]> {
  const sessions = await Promise.all(times(atOnce, () => agent.begin()));
  await Promise.all(sessions.map((session) => session.turn(shortAnswer)));
  const answers = await Promise.all(sessions.map((session) => session.turn(longAnswer())));
  await Promise.all(sessions.map((session) => session.end()));
  return answers;
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, () => make());
}

function latencyOf(delays: number[]): { p50Ms: number; p99Ms: number } {
  const sorted = delays.toSorted((a, b) => a - b);
  return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
}
