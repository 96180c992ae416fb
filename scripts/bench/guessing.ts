// What an enrolled device feels while others guess the token: the time of a request in its session, undisturbed and
// during the guessing, with a real daemon, the guessers and the device each in a process of their own.

import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type AgentSession, dialHost } from '@heddle/client/node';
import { decodePairPayload } from '@heddle/wire';
import type { GuessOutcomes, GuessPlan } from './guess.ts';
import { percentile } from './measure.ts';

const PEERS = 50;
const GUESSES = 10_000;
/** Such that neither the daemon nor the guessers keep a core busy: what is measured is no machine without room. */
const GUESSES_PER_SECOND = 200;
const UNDISTURBED_MS = 10_000;
/** The device asks this often, as one that is used does; not as fast as it can. */
const PAUSE_MS = 10;
/** Requests before anything is measured. */
const WARM_UP = 300;

export interface GuessingFigures {
  peers: number;
  guesses: number;
  perSecond: number;
  seconds: number;
  outcomes: GuessOutcomes;
  undisturbed: Latency;
  /** While the others guess. */
  guessedAt: Latency;
}

export interface Latency {
  count: number;
  p50Ms: number;
  p95Ms: number;
}

const run = promisify(execFile);
const heddle = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

/** Pairs a device, measures it, lets the others guess, measures it again. */
export async function measureGuessing(): Promise<GuessingFigures> {
  const home = mkdtempSync(join(tmpdir(), 'heddle-bench-')); // 0700
  const env = { ...process.env, HEDDLE_HOME: home };
  const token = randomBytes(32).toString('hex');
  const agents = '[agents.codex]\nenabled = false\n[agents.demo]\nenabled = true\n';
  const endpoint = `[endpoint]\nlisten = ["127.0.0.1"]\nport = ${await freePort()}\n`;
  writeFileSync(join(home, 'host.toml'), `token = "${token}"\n${endpoint}${agents}`, { mode: 0o600 });
  const daemon = spawn(process.execPath, [heddle, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const guessers = fork(new URL('./guessers.ts', import.meta.url));
  try {
    await isServing(daemon);
    // Two devices: one place is left, so the window stays open and strangers are connected at all.
    const pair = await run(process.execPath, [heddle, 'pair', '--json', '--devices', '2'], { env });
    const payload = decodePairPayload(pair.stdout);
    const host = await dialHost(payload);
    const session = await host.openAgent('demo', { clientInfo: { name: 'bench', version: '1' } });
    for (let n = 0; n < WARM_UP; n++) await session.request('thread/list', {});

    const before = await requestTimes(session, after(UNDISTURBED_MS));
    const startedMs = performance.now();
    const guessed = once(guessers, 'message') as Promise<[GuessOutcomes]>;
    const plan: GuessPlan = { address: payload.addrs[0] ?? '', peers: PEERS, guesses: GUESSES, perSecond: GUESSES_PER_SECOND };
    guessers.send(plan);
    const during = await requestTimes(session, Promise.race([guessed, failureOf(guessers)]));
    const [outcomes] = await guessed;
    const seconds = (performance.now() - startedMs) / 1_000;
    const afterwards = await requestTimes(session, after(UNDISTURBED_MS));
    await host.close();
    return {
      peers: PEERS,
      guesses: GUESSES,
      perSecond: GUESSES_PER_SECOND,
      seconds,
      outcomes,
      undisturbed: latencyOf([...before, ...afterwards]),
      guessedAt: latencyOf(during),
    };
  } finally {
    if (guessers.connected) guessers.disconnect();
    if (daemon.exitCode === null) await run(process.execPath, [heddle, 'stop'], { env });
    rmSync(home, { recursive: true, force: true });
  }
}

/** Requests one after the other until the end; their times in milliseconds. */
async function requestTimes(session: AgentSession, end: Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  let isOver = false;
  const ending = end.finally(() => (isOver = true));
  while (!isOver) {
    const startedMs = performance.now();
    await session.request('thread/list', {});
    times.push(performance.now() - startedMs);
    await after(PAUSE_MS);
  }
  await ending;
  return times;
}

function latencyOf(times: number[]): Latency {
  const sorted = times.toSorted((a, b) => a - b);
  return { count: sorted.length, p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95) };
}

function isServing(daemon: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    daemon.stdout?.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
      if (seen.includes('Ctrl-C stops heddle')) resolve();
    });
    daemon.once('exit', (code) => reject(new Error(`the daemon ended with ${code} before it served`)));
  });
}

async function failureOf(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the guessers ended with ${String(code)}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
