// How much later a phone reads claude's words than a program that starts claude itself. The real claude and a real daemon
// run in processes of their own; the model server shares one with the phone and the plain reader. Both ways take turns.

import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeClaudeHome } from '../../test/agents/support/claude-home.ts';
import { prompt } from '../../test/model-server/script.ts';
import { startModelServer } from '../../test/model-server/server.ts';
import { installAgents } from '../install-agents.ts';
import { type FirstWordsFigures, measureFirstWords } from './claude-first-words.ts';
import { withPhone } from './claude-phone.ts';
import { type ClaudeSurroundings, startPlainClaude } from './claude-plain.ts';
import { percentile } from './measure.ts';
import { delaysMs, type TimedText } from './timed-text.ts';

/** Words come about as fast as a quick model says them. */
const CHUNK_MS = 10;
const CHUNKS = 500;
const CHUNK_CHARACTERS = 12;
const ROUNDS = 3;

const longAnswer = prompt('Speak.', { text: 'word by word '.repeat((CHUNKS * CHUNK_CHARACTERS) / 13), chunk_ms: CHUNK_MS });
const shortAnswer = prompt('Say it.', { text: 'Here.' });

export interface DeltaFigures {
  /** How many threads spoke at once. */
  atOnce: number;
  count: number;
  plain: { p50Ms: number; p99Ms: number };
  heddle: { p50Ms: number; p99Ms: number };
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
  const options: ClaudeSurroundings = { command: claude, env: home.env, cwd: folder };
  try {
    return { deltas: await measureDeltas(options), firstWords: await measureFirstWords(options) };
  } finally {
    await modelServer.close();
    await home.remove();
    rmSync(folder, { recursive: true });
  }
}

async function measureDeltas(options: ClaudeSurroundings): Promise<DeltaFigures[]> {
  const tapped = { ...options, command: makeTap(options) };
  const leftClaude = (id: string) => readLastTurn(join(options.cwd, `${id}.jsonl`));
  return withPhone(tapped, async (phone) => {
    /** Nobody starts or ends while others speak; a claude that is gone has noted everything. */
    const viaHeddle = async (atOnce: number) => {
      const threadIds = await Promise.all(times(atOnce, () => phone.startThread(options.cwd)));
      await Promise.all(threadIds.map((threadId) => phone.turn(threadId, shortAnswer)));
      const answers = await Promise.all(threadIds.map((threadId) => phone.turn(threadId, longAnswer)));
      await Promise.all(threadIds.map((threadId) => phone.deleteThread(threadId)));
      return threadIds.flatMap((threadId, n) => delaysMs(leftClaude(threadId), answers[n] ?? []));
    };
    const plainly = async (atOnce: number) => {
      const sessionIds = times(atOnce, randomUUID);
      const start = (id: string) => startPlainClaude({ ...tapped, args: ['--session-id', id, '--input-format', 'stream-json'] });
      const claudes = sessionIds.map(start);
      await Promise.all(claudes.map((claude) => claude.turn(shortAnswer)));
      const answers = await Promise.all(claudes.map((claude) => claude.turn(longAnswer)));
      await Promise.all(claudes.map((claude) => claude.end()));
      return sessionIds.flatMap((id, n) => delaysMs(leftClaude(id), answers[n] ?? []));
    };
    await Promise.all([viaHeddle(1), plainly(1)]); // warm
    const figures: DeltaFigures[] = [];
    for (const atOnce of [1, 4]) {
      const plain: number[] = [];
      const heddle: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        plain.push(...(await plainly(atOnce)));
        heddle.push(...(await viaHeddle(atOnce)));
      }
      figures.push({ atOnce, count: heddle.length, plain: latencyOf(plain), heddle: latencyOf(heddle) });
    }
    return figures;
  });
}

/** A program that is claude, for whoever starts it, and notes what leaves it. */
function makeTap({ command, cwd }: ClaudeSurroundings): string {
  const tap = fileURLToPath(new URL('./claude-tap.ts', import.meta.url));
  const file = join(cwd, 'claude');
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${tap}' '${command}' '${cwd}' "$@"\n`);
  chmodSync(file, 0o700);
  return file;
}

function readLastTurn(file: string): TimedText[] {
  return JSON.parse(readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '') as TimedText[];
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, () => make());
}

function latencyOf(delays: number[]): { p50Ms: number; p99Ms: number } {
  const sorted = delays.toSorted((a, b) => a - b);
  return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
}
