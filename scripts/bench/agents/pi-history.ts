// Sessions as pi 0.87 writes them.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// By its path: nobody but the bridge needs the store.
import { PiStore } from '../../../packages/bridges/src/pi/store.ts';
import type { HistorySize, WrittenHistory } from './benched-agent.ts';
import { atOnce } from './written-session.ts';

const BEGAN_MS = 1_790_000_000_000;

export async function writePiHistory({ sessions, folders, turns }: HistorySize): Promise<WrittenHistory> {
  const agentDir = await mkdtemp(join(tmpdir(), 'heddle-bench-pi-'));
  const cwdOf = (n: number) => `/home/somebody/project-${n % folders}`;
  const folderOf = (n: number) => join(agentDir, 'sessions', `-${cwdOf(n).replaceAll('/', '-')}--`);
  const write = async (n: number, turnCount: number) => {
    const id = `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
    const began = new Date(BEGAN_MS + n).toISOString().replaceAll(/[:.]/g, '-');
    await writeFile(join(folderOf(n), `${began}_${id}.jsonl`), session(id, cwdOf(n), turnCount));
    return id;
  };
  for (let n = 0; n < folders; n++) await mkdir(folderOf(n), { recursive: true });
  await atOnce(sessions, (n) => write(n, turns));
  let written = sessions;
  return {
    openStore: () => Promise.resolve(new PiStore({ agentDir, sessionDir: undefined })),
    add: (turnCount) => write(written++, turnCount),
    remove: () => rm(agentDir, { recursive: true, force: true }),
  };
}

/** With a message of the user's and an edit of a file in each turn. */
function session(id: string, cwd: string, turns: number): string {
  const began = new Date(BEGAN_MS).toISOString();
  const lines: object[] = [{ type: 'session', version: 3, id, timestamp: began, cwd }];
  let parentId: string | null = null;
  const add = (n: number, kind: number, fields: object) => {
    const timestamp = BEGAN_MS + n * 1000 + kind;
    const entryId = (n * 8 + kind).toString(16).padStart(8, '0');
    const message = 'role' in fields ? { type: 'message', message: { ...fields, timestamp } } : fields;
    lines.push({ ...message, id: entryId, parentId, timestamp: new Date(timestamp).toISOString() });
    parentId = entryId;
  };
  add(0, 0, { type: 'model_change', provider: 'fake', modelId: 'fake-1' });
  add(0, 1, { type: 'thinking_level_change', thinkingLevel: 'medium' });
  add(0, 2, { role: 'system', content: '', sections: { preamble: systemPrompt }, toolsAdded: [] });
  const patch = '@@ -28,7 +28,7 @@\n line 27\n line 28\n line 29\n-line 30\n+line thirty\n line 31\n line 32\n line 33\n';
  const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 };
  const usage = { input: 100, output: 20, cacheRead: 1000, cacheWrite: 10, reasoning: 0, totalTokens: 1130, cost };
  for (let n = 0; n < turns; n++) {
    const path = `${cwd}/a.txt`;
    const call = {
      type: 'toolCall',
      id: `call_${n}`,
      name: 'edit',
      arguments: { path, edits: [{ oldText: 'line 30\n', newText: 'line thirty\n' }] },
    };
    const model = { api: 'openai-completions', provider: 'fake', model: 'fake-1', responseId: `chatcmpl_${n}` };
    add(n, 3, { role: 'user', content: [{ type: 'text', text: `Please change line 30, for the ${n}th time.` }] });
    add(n, 4, { role: 'assistant', content: [call], ...model, usage, stopReason: 'toolUse' });
    add(n, 5, {
      role: 'toolResult',
      toolCallId: call.id,
      toolName: 'edit',
      content: [{ type: 'text', text: `Successfully replaced 1 block(s) in ${path}.` }],
      details: {
        diff: ' ...\n 30 line 29\n-31 line 30\n+31 line thirty\n',
        patch: `--- ${path}\n+++ ${path}\n${patch}`,
        firstChangedLine: 31,
      },
      isError: false,
    });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** About as long as pi's. */
const systemPrompt = 'You change files when the user asks for it, and say what you have done. '.repeat(100);
