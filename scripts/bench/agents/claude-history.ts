// Sessions as claude 2.1.197 writes them.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// By its path: nobody but the bridge needs the store.
import { ClaudeStore } from '../../../packages/bridges/src/claude/store.ts';
import type { HistorySize, WrittenHistory } from './benched-agent.ts';
import { atOnce, editedFile } from './written-session.ts';

export async function writeClaudeHistory({ sessions, folders, turns }: HistorySize): Promise<WrittenHistory> {
  const configDir = await mkdtemp(join(tmpdir(), 'heddle-bench-claude-'));
  const folderOf = (n: number) => join(configDir, 'projects', `-home-somebody-project-${n % folders}`);
  const write = async (n: number, turnCount: number) => {
    const id = `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
    await writeFile(join(folderOf(n), `${id}.jsonl`), session(id, turnCount));
    return id;
  };
  for (let n = 0; n < folders; n++) await mkdir(folderOf(n), { recursive: true });
  await atOnce(sessions, (n) => write(n, turns));
  let written = sessions;
  return {
    openStore: () => Promise.resolve(new ClaudeStore({ configDir })),
    add: (turnCount) => write(written++, turnCount),
    remove: () => rm(configDir, { recursive: true, force: true }),
  };
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
      originalFile: editedFile,
      structuredPatch: [],
      replaceAll: false,
    };
    add(n, 0, { type: 'user', message: { role: 'user', content: `Please change line 30, for the ${n}th time.` } });
    add(n, 1, { type: 'assistant', message: answer(use, 'tool_use') });
    add(n, 2, { type: 'user', message: { role: 'user', content: [result] }, toolUseResult: data });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
