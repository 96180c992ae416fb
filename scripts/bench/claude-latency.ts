// How much later a phone reads claude's words than whoever starts claude himself. The real claude and a real daemon run
// against the scripted model server, each in a process of its own; both ways take turns within one run.

import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeClaudeHome } from '../../test/agents/support/claude-home.ts';
import { prompt } from '../../test/model-server/script.ts';
import { startModelServer } from '../../test/model-server/server.ts';
import { startServedDaemon } from '../../test/support/served-daemon.ts';
import { installAgents } from '../install-agents.ts';
import { ClaudePhone } from './claude-phone.ts';
import { type PlainOptions, startPlainClaude } from './claude-plain.ts';
import { median, percentile } from './measure.ts';
import { delaysMs, monotonicMs, type TimedText } from './timed-text.ts';

/** Words come about as fast as a quick model says them. */
const CHUNK_MS = 10;
const CHUNKS = 500;
const CHUNK_CHARACTERS = 12;
const ROUNDS = 3;
const FIRST_WORDS_ROUNDS = 7;

const longAnswer = prompt('Speak.', { text: 'word by word '.repeat((CHUNKS * CHUNK_CHARACTERS) / 13), chunk_ms: CHUNK_MS });
const shortAnswer = prompt('Say it.', { text: 'Here.' });

export interface DeltaFigures {
  /** How many threads spoke at once. */
  atOnce: number;
  count: number;
  plain: { p50Ms: number; p99Ms: number };
  heddle: { p50Ms: number; p99Ms: number };
}

export interface FirstWordsFigures {
  name: string;
  /** Medians, in milliseconds. */
  plainMs: number;
  heddleMs: number;
}

export interface ClaudeLatencyFigures {
  deltas: DeltaFigures[];
  firstWords: FirstWordsFigures[];
}

export async function measureClaudeLatency(): Promise<ClaudeLatencyFigures> {
  const { claude } = await installAgents();
  const modelServer = await startModelServer();
  const home = await makeClaudeHome(modelServer.url);
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-'));
  const options: Surroundings = { command: claude, env: home.env, cwd: folder };
  try {
    return { deltas: await measureDeltas(options), firstWords: await measureFirstWords(options) };
  } finally {
    await modelServer.close();
    await home.remove();
    rmSync(folder, { recursive: true });
  }
}

type Surroundings = Omit<PlainOptions, 'args'>;

async function measureDeltas(options: Surroundings): Promise<DeltaFigures[]> {
  const tapped = { ...options, command: makeTap(options) };
  const leftClaude = (id: string) => readTimedTexts(join(options.cwd, `${id}.jsonl`));
  const viaHeddle = async (phone: ClaudePhone) => {
    const threadId = await phone.startThread(options.cwd);
    const arrived = await phone.turn(threadId, longAnswer);
    await phone.deleteThread(threadId); // its claude is gone then, and has noted everything
    return delaysMs(leftClaude(threadId), arrived);
  };
  const plainly = async () => {
    const sessionId = randomUUID();
    const plain = startPlainClaude({ ...tapped, args: ['--session-id', sessionId, '--input-format', 'stream-json'] });
    const arrived = await plain.turn(longAnswer);
    await plain.end();
    return delaysMs(leftClaude(sessionId), arrived);
  };
  return withPhone(tapped, async (phone) => {
    await Promise.all([viaHeddle(phone), plainly()]); // warm
    const figures: DeltaFigures[] = [];
    for (const atOnce of [1, 4]) {
      const plain: number[] = [];
      const heddle: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        plain.push(...(await Promise.all(Array.from({ length: atOnce }, plainly))).flat());
        heddle.push(...(await Promise.all(Array.from({ length: atOnce }, () => viaHeddle(phone)))).flat());
      }
      figures.push({ atOnce, count: heddle.length, plain: latencyOf(plain), heddle: latencyOf(heddle) });
    }
    return figures;
  });
}

/** From what a person does until the first words of the answer. */
async function measureFirstWords(options: Surroundings): Promise<FirstWordsFigures[]> {
  const sinceMs = async (act: () => Promise<TimedText[]>) => {
    const startedMs = monotonicMs();
    return ((await act())[0]?.atMs ?? Number.NaN) - startedMs;
  };
  return withPhone(options, async (phone) => {
    const plain = { cold: [] as number[], resumed: [] as number[], warm: [] as number[] };
    const heddle = { cold: [] as number[], resumed: [] as number[], warm: [] as number[] };
    for (let round = 0; round < FIRST_WORDS_ROUNDS; round++) {
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

async function withPhone<T>({ command, env }: Surroundings, measure: (phone: ClaudePhone) => Promise<T>): Promise<T> {
  const daemon = await startServedDaemon({ toml: `[agents.claude]\ncommand = "${command}"\n[agents.codex]\nenabled = false\n`, env });
  try {
    const phone = await ClaudePhone.connect(await daemon.dial());
    const measured = await measure(phone);
    await phone.close();
    return measured;
  } finally {
    await daemon.end();
  }
}

/** A program that is claude, for whoever starts it, and notes what leaves it. */
function makeTap({ command, cwd }: Surroundings): string {
  const tap = fileURLToPath(new URL('./claude-tap.ts', import.meta.url));
  const file = join(cwd, 'claude');
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${tap}' '${command}' '${cwd}' "$@"\n`);
  chmodSync(file, 0o700);
  return file;
}

function readTimedTexts(file: string): TimedText[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as TimedText);
}

function latencyOf(times: number[]): { p50Ms: number; p99Ms: number } {
  const sorted = times.toSorted((a, b) => a - b);
  return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
}
