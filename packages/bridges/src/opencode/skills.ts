// Owns the list of skills: opencode's slash commands, its own and those that the user, a project or an MCP server
// defines, each with the file that defines it where opencode tells one. Pure.

import { fieldsOf, listOf, type Skill, textOf } from '@heddle/bridge-kit';
import { isAbsolute, relative } from 'node:path';

/** @param commands the answer of `GET /command`; `skills` that of `GET /skill`; `cwd` absolute */
export function skillsOf(commands: unknown, skills: unknown, cwd: string): Skill[] {
  const places = new Map(
    listOf(skills).flatMap((each) => {
      const { name, location } = fieldsOf(each);
      const [known, path] = [textOf(name), textOf(location)];
      return known === undefined || path === undefined || !isAbsolute(path) ? [] : [[known, path] as const];
    }),
  );
  return namesOf(commands).map(({ name, description }): Skill => {
    const path = places.get(name) ?? '';
    return { name, description, path, scope: path === '' ? 'system' : isIn(cwd, path) ? 'repo' : 'user' };
  });
}

/** @param commands the answer of `GET /command` */
export function namesOf(commands: unknown): { name: string; description: string }[] {
  return listOf(commands).flatMap((each) => {
    const { name, description } = fieldsOf(each);
    const known = textOf(name);
    return known === undefined ? [] : [{ name: known, description: textOf(description) ?? '' }];
  });
}

function isIn(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return !inside.startsWith('..') && !isAbsolute(inside);
}
