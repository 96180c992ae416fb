// What claude's stored history costs: listing ten thousand sessions, cold and warm, and reading a transcript of ten
// thousand items. Sessions are written as claude 2.1.197 writes them, in a folder that is gone afterwards.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHubBridge, type HubAgent } from '@heddle/bridge-kit';
import { JsonRpcPeer, silentLog } from '@heddle/rpc';
import { median } from './measure.ts';
// By its path: nobody but the bridge needs the store.
import { ClaudeStore } from '../../packages/bridges/src/claude/store.ts';

const SESSIONS = 10_000;
const FOLDERS = 50;
/** So a listed session is larger than what is read of it. */
const TURNS_PER_SESSION = 30;
const ITEMS = 10_000;
const WRITES_AT_ONCE = 64;

export interface ClaudeHistoryFigures {
  /** Milliseconds of the first list, with nothing known. */
  coldMs: number;
  /** Of a list when nothing has changed, the median of some. */
  warmMs: number;
  /** Of a client's warm `thread/list`, one page of it. */
  clientMs: number;
  /** Of reading one long transcript, and of reading it again. */
  readMs: number;
  readAgainMs: number;
  itemsRead: number;
}

export async function measureClaudeHistory(): Promise<ClaudeHistoryFigures> {
  const configDir = await mkdtemp(join(tmpdir(), 'heddle-bench-claude-'));
  try {
    await writeSessions(configDir);
    const store = new ClaudeStore({ configDir });
    const coldMs = await timed(() => store.list());
    const warm = await timedRounds(() => store.list());
    const clientMs = await measureClient(store, configDir);
    const longId = sessionId(SESSIONS);
    await writeFile(join(folderOf(configDir, SESSIONS), `${longId}.jsonl`), session(longId, ITEMS / 2));
    let itemsRead = 0;
    const readMs = await timed(async () => {
      itemsRead = (await store.read(longId)).turns.reduce((sum, turn) => sum + turn.items.length, 0);
    });
    const readAgainMs = await timed(() => store.read(longId));
    return { coldMs, warmMs: median(warm), clientMs, readMs, readAgainMs, itemsRead };
  } finally {
    await rm(configDir, { recursive: true, force: true });
  }
}

/** `thread/list` over the hub and JSON-RPC, without a process of claude's: none is needed for it. */
async function measureClient(store: ClaudeStore, folder: string): Promise<number> {
  const unused = () => Promise.reject(new Error('this bench only lists'));
  const agent: HubAgent = {
    name: 'claude',
    version: '',
    store,
    modes: ['default'],
    createThread: unused,
    openThread: unused,
    changeSettings: unused,
    unloadThread: () => Promise.resolve(),
    runTurn: unused,
    models: unused,
    skills: unused,
    rateLimits: () => Promise.resolve(undefined),
  };
  const launchEnv = () => Promise.resolve(process.env);
  const bridge = createHubBridge({
    name: 'claude',
    displayName: 'Claude',
    capabilities: { approvals: 'before' },
    context: { log: silentLog, launchEnv, runtimeDir: folder, stateDir: folder, heddleVersion: 'bench' },
    probe: () => Promise.resolve({ isAvailable: true, version: '' }),
    createAgent: () => agent,
  });
  const client = new JsonRpcPeer(await bridge.open());
  try {
    await client.request('initialize', { clientInfo: { name: 'bench', version: '1' } });
    await client.notify('initialized');
    return median(await timedRounds(() => client.request('thread/list', { limit: 50 })));
  } finally {
    await bridge.close();
  }
}

async function writeSessions(configDir: string): Promise<void> {
  for (let folder = 0; folder < FOLDERS; folder++) await mkdir(folderOf(configDir, folder), { recursive: true });
  for (let first = 0; first < SESSIONS; first += WRITES_AT_ONCE) {
    const numbers = Array.from({ length: Math.min(WRITES_AT_ONCE, SESSIONS - first) }, (_, offset) => first + offset);
    await Promise.all(
      numbers.map((n) => writeFile(join(folderOf(configDir, n), `${sessionId(n)}.jsonl`), session(sessionId(n), TURNS_PER_SESSION))),
    );
  }
}

function folderOf(configDir: string, n: number): string {
  return join(configDir, 'projects', `-home-somebody-project-${n % FOLDERS}`);
}

function sessionId(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** A transcript with a message of the user's and an edit of a file in each turn. */
function session(id: string, turns: number): string {
  const lines: object[] = [];
  let parentUuid: string | null = null;
  const add = (n: number, kind: number, fields: object) => {
    const uuid = `${n.toString(16).padStart(8, '0')}-0000-4000-8000-00000000000${kind}`;
    const where = {
      isSidechain: false,
      cwd: '/home/somebody/project',
      sessionId: id,
      version: '2.1.197',
      gitBranch: 'main',
      userType: 'external',
    };
    lines.push({ parentUuid, ...where, ...fields, uuid, timestamp: new Date(1_790_000_000_000 + n * 1000 + kind).toISOString() });
    parentUuid = uuid;
  };
  const file = Array.from({ length: 60 }, (_, line) => `line ${line}\n`).join('');
  for (let n = 0; n < turns; n++) {
    const use = {
      type: 'tool_use',
      id: `toolu_${n}`,
      name: 'Edit',
      input: { file_path: '/home/somebody/project/a.txt', old_string: 'line 30\n', new_string: 'line thirty\n' },
    };
    const usage = { input_tokens: 100, cache_creation_input_tokens: 10, cache_read_input_tokens: 1000, output_tokens: 20 };
    const answer = (content: object, stop: string) => ({
      id: `msg_${n}`,
      role: 'assistant',
      model: 'claude-opus-4-8',
      content: [content],
      stop_reason: stop,
      usage,
    });
    const result = { tool_use_id: use.id, type: 'tool_result', content: 'The file has been updated.' };
    const data = {
      filePath: use.input.file_path,
      oldString: 'line 30\n',
      newString: 'line thirty\n',
      originalFile: file,
      structuredPatch: [],
      replaceAll: false,
    };
    add(n, 0, { type: 'user', message: { role: 'user', content: `Please change line 30, for the ${n}th time.` } });
    add(n, 1, { type: 'assistant', message: answer(use, 'tool_use') });
    add(n, 2, { type: 'user', message: { role: 'user', content: [result] }, toolUseResult: data });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

async function timedRounds(work: () => Promise<unknown>): Promise<number[]> {
  const rounds: number[] = [];
  for (let round = 0; round < 5; round++) rounds.push(await timed(work));
  return rounds;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
