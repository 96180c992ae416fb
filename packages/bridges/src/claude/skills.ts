// Owns the list of skills: claude's slash commands, each with the file that defines it where there is one.

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Skill } from '@heddle/bridge-kit';
import type { ClaudeCommand } from './control.ts';

/** Commands that only make sense in claude's own terminal. */
const ofTheTerminal: ReadonlySet<string> = new Set(['clear', 'config', 'heapdump']);

/**
 * @param cwd absolute
 * @param configDir claude's own folder, `~/.claude` unless CLAUDE_CONFIG_DIR says otherwise
 */
export async function skillsOf(commands: readonly ClaudeCommand[], cwd: string, configDir: string): Promise<Skill[]> {
  const shown = commands.filter(({ name }) => name !== '' && !ofTheTerminal.has(name));
  return Promise.all(
    shown.map(async ({ name, description }): Promise<Skill> => {
      const own = await definitionIn(join(cwd, '.claude'), name);
      if (own !== undefined) return { name, description, path: own, scope: 'repo' };
      const users = await definitionIn(configDir, name);
      if (users !== undefined) return { name, description, path: users, scope: 'user' };
      return { name, description, path: '', scope: 'system' };
    }),
  );
}

async function definitionIn(folder: string, name: string): Promise<string | undefined> {
  // A command in a subfolder is named with colons; a plugin's lies elsewhere.
  const parts = name.split(':');
  if (parts.some((part) => part === '' || part === '..' || /[/\\]/.test(part))) return undefined;
  for (const file of [join(folder, 'skills', ...parts, 'SKILL.md'), `${join(folder, 'commands', ...parts)}.md`]) {
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return undefined;
}
