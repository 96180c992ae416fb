// Owns the list of skills: the commands of pi that a message may begin with. Pure.

import { type Fields, fieldsOf, listOf, type Skill, textOf } from '@heddle/bridge-kit';
import { GUARD } from './guard-source.ts';

const scopes: Readonly<Record<string, Skill['scope']>> = { user: 'user', project: 'repo' };

/** @param value pi's answer to `get_commands` */
export function readSkills(value: unknown): Skill[] {
  return listOf(fieldsOf(value)['commands']).flatMap((command): Skill[] => {
    const fields = fieldsOf(command);
    const name = textOf(fields['name']);
    if (name === undefined || name === GUARD) return [];
    const source = fieldsOf(fields['sourceInfo']);
    return [
      {
        name,
        description: textOf(fields['description']) ?? '',
        path: pathOf(fields, source),
        scope: scopes[textOf(source['scope']) ?? ''] ?? 'system',
      },
    ];
  });
}

function pathOf(command: Fields, source: Fields): string {
  return textOf(source['path']) ?? textOf(command['path']) ?? '';
}
