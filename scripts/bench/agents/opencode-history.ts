// Sessions as opencode 1.18.33 has them in its database. opencode itself makes the database; what is written into it here
// is what it writes of a turn that edits a file.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeOpencodeHome } from '../../../test/agents/support/opencode-home.ts';
import { agentPaths } from '../../install-agents.ts';
// By their paths: nobody but the bridge needs the store.
import { OpencodeApi } from '../../../packages/bridges/src/opencode/server/api.ts';
import { OpencodeStore } from '../../../packages/bridges/src/opencode/store.ts';
import { threadIdOf } from '../../../packages/bridges/src/opencode/thread-id.ts';
import type { HistorySize, WrittenHistory } from './benched-agent.ts';
import { type OpencodeServer, startOpencode } from './opencode-server.ts';

const BEGAN_MS = 1_790_000_000_000;
/** Nobody listens: no model is asked. */
const NO_MODEL_SERVER = 'http://127.0.0.1:9';
/** A list never looks at messages, so those that are only listed need not have many. */
const TURNS_OF_LISTED = 1;

export async function writeOpencodeHistory({ sessions, folders }: HistorySize): Promise<WrittenHistory> {
  const home = await makeOpencodeHome(NO_MODEL_SERVER);
  const start = { command: agentPaths().opencode, env: home.env, cwd: home.path };
  const folderOf = (n: number) => join(home.path, `project-${n % folders}`);
  for (let n = 0; n < folders; n++) mkdirSync(folderOf(n));
  await makeDatabase(await startOpencode(start), folderOf(0));
  const database = new DatabaseSync(join(home.dataDir, 'opencode.db'), { timeout: 5_000 });
  const write = (n: number, turns: number) => writeSession(database, { n, directory: folderOf(n), turns });
  database.exec('BEGIN');
  for (let n = 0; n < sessions; n++) write(n, TURNS_OF_LISTED);
  database.exec('COMMIT');
  let written = sessions;
  const servers: OpencodeServer[] = [];
  return {
    async openStore() {
      const server = await startOpencode(start);
      servers.push(server);
      const api = new OpencodeApi(server);
      await api.get('/session', { directory: folderOf(sessions), query: { limit: '1' } }); // a folder's first use takes a second
      return new OpencodeStore({ ask: (question) => question(api), mcpServers: () => Promise.resolve([]) });
    },
    add(turns) {
      database.exec('BEGIN');
      const id = write(written++, turns);
      database.exec('COMMIT');
      return Promise.resolve(threadIdOf(id));
    },
    async remove() {
      for (const server of servers) await server.end();
      database.close();
      await home.remove();
    },
  };
}

/** It is there, and has the project that folders without a repository belong to, when a session was begun. */
async function makeDatabase(server: OpencodeServer, directory: string): Promise<void> {
  const api = new OpencodeApi(server);
  const { id } = (await api.post('/session', { directory, body: {} })) as { id: string };
  await api.delete(`/session/${id}`, { directory });
  await server.end();
}

/** @returns opencode's id of it */
function writeSession(database: DatabaseSync, { n, directory, turns }: { n: number; directory: string; turns: number }): string {
  const id = `ses_${n.toString(16).padStart(26, '0')}`;
  const startedMs = BEGAN_MS + n * 1_000;
  insert(database, 'session', {
    id,
    project_id: 'global',
    slug: `tidy-cactus-${n}`,
    directory,
    path: directory.slice(1),
    title: `Change line 30, as often as ${turns} times`,
    version: '1.18.33',
    agent: 'build',
    model: JSON.stringify({ id: 'fake-1', providerID: 'fake', variant: 'default' }),
    time_created: startedMs,
    time_updated: startedMs + 1_000,
  });
  for (let turn = 0; turn < turns; turn++) writeTurn(database, { session: id, directory, n, turn, atMs: startedMs + turn * 10 });
  return id;
}

interface WrittenTurn {
  session: string;
  directory: string;
  /** Of the session. */
  n: number;
  /** Within it. */
  turn: number;
  atMs: number;
}

/** A message of the user's, and an answer that edits a file. */
function writeTurn(database: DatabaseSync, { session, directory, n, turn, atMs }: WrittenTurn): void {
  const idOf = (prefix: string, kind: number) => {
    const place = (turn * 8 + kind).toString(16).padStart(12, '0');
    return `${prefix}_${place}${n.toString(16).padStart(14, '0')}`;
  };
  const add = (table: 'message' | 'part', id: string, fields: object, data: object) =>
    insert(database, table, {
      id,
      session_id: session,
      ...fields,
      time_created: atMs,
      time_updated: atMs,
      data: JSON.stringify(data),
    });
  const [asked, answered] = [idOf('msg', 0), idOf('msg', 1)];
  const part = (kind: number, message: string, data: object) => add('part', idOf('prt', kind), { message_id: message }, data);
  const tokens = { total: 125, input: 80, output: 20, reasoning: 5, cache: { write: 0, read: 20 } };
  const model = { modelID: 'fake-1', providerID: 'fake' };
  add('message', asked, {}, { role: 'user', time: { created: atMs }, agent: 'build', model, summary: { diffs: [] } });
  part(2, asked, { type: 'text', text: `Please change line 30, for the ${turn}th time.` });
  const answer = { role: 'assistant', mode: 'build', agent: 'build', path: { cwd: directory, root: '/' } };
  const end = { time: { created: atMs + 1, completed: atMs + 5 }, finish: 'stop' };
  add('message', answered, {}, { parentID: asked, ...answer, ...model, cost: 0, tokens, ...end });
  part(3, answered, { type: 'step-start' });
  part(4, answered, editTool(join(directory, 'a.txt'), turn, atMs + 2));
  part(5, answered, { reason: 'stop', type: 'step-finish', tokens, cost: 0 });
}

function editTool(file: string, turn: number, atMs: number): object {
  const lines = ' line 27\n line 28\n line 29\n-line 30\n+line thirty\n line 31\n line 32\n line 33\n';
  const diff = `Index: ${file}\n${'='.repeat(67)}\n--- ${file}\n+++ ${file}\n@@ -28,7 +28,7 @@\n${lines}`;
  return {
    type: 'tool',
    tool: 'edit',
    callID: `call_${turn}`,
    state: {
      status: 'completed',
      input: { filePath: file, oldString: 'line 30\n', newString: 'line thirty\n' },
      output: 'Edit applied successfully.',
      metadata: { diagnostics: {}, diff, filediff: { file, patch: diff, additions: 1, deletions: 1 }, truncated: false },
      title: file.slice(1),
      time: { start: atMs, end: atMs + 1 },
    },
  };
}

function insert(database: DatabaseSync, table: string, row: Record<string, string | number>): void {
  const columns = Object.keys(row);
  database.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`).run(...Object.values(row));
}
