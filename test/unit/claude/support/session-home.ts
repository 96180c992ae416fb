// A claude config folder with recorded sessions in it (test/goldens/claude-sessions).

import { copyFile, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const folder = new URL('../../../goldens/claude-sessions/', import.meta.url);
export const projectFolder = (configDir: string) => join(configDir, 'projects', '-CWD');

export function recordingOf(name: string): URL {
  return new URL(`${name}.stdio.jsonl`, folder);
}

export function sessionIdOf(name: string): string {
  return /"sessionId":"([^"]+)"/.exec(readFileSync(new URL(`${name}.transcript.jsonl`, folder), 'utf8'))?.[1] as string;
}

export async function makeConfigDir(...sessions: string[]): Promise<string> {
  const configDir = await mkdtemp(join(tmpdir(), 'heddle-claude-store-'));
  onTestFinished(() => rm(configDir, { recursive: true, force: true }));
  await mkdir(projectFolder(configDir), { recursive: true });
  for (const name of sessions) {
    await copyFile(
      fileURLToPath(new URL(`${name}.transcript.jsonl`, folder)),
      join(projectFolder(configDir), `${sessionIdOf(name)}.jsonl`),
    );
    const subAgents = fileURLToPath(new URL(`${name}.subagents`, folder));
    if (existsSync(subAgents)) await cp(subAgents, join(projectFolder(configDir), sessionIdOf(name), 'subagents'), { recursive: true });
  }
  return configDir;
}
