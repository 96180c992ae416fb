// Owns claude's todo list: which tool calls change it, and its form on the wire. claude tells one change at a time, the
// wire wants the whole list.

import { type Fields, fieldsOf, listOf, textOf } from '@heddle/bridge-kit';
import type { PlanStep } from '@heddle/wire';
import type { ToolResult, ToolUse } from '../native-content.ts';

/** One entry of the todo list. */
export interface PlanTask {
  id: string;
  subject: string;
  status: PlanStep['status'];
}

const statuses: Readonly<Record<string, PlanStep['status']>> = { pending: 'pending', in_progress: 'inProgress', completed: 'completed' };

/** Tools that do nothing but keep the list; they are shown as the list, not as items. */
export const taskTools: ReadonlySet<string> = new Set(['TaskCreate', 'TaskUpdate', 'TaskList', 'TodoWrite']);

/** The list after a call that went well; the same list when it changed nothing. */
export function tasksAfter(tasks: readonly PlanTask[], { name, input }: ToolUse, result: ToolResult, data: unknown): readonly PlanTask[] {
  if (result.isError) return tasks;
  switch (name) {
    case 'TaskCreate':
      return tasksAfterCreation(tasks, input, result, fieldsOf(fieldsOf(data)['task']));
    case 'TaskUpdate':
      return tasksAfterUpdate(tasks, input);
    case 'TaskList': {
      const listed = fieldsOf(data)['tasks'];
      return Array.isArray(listed) ? listed.map((entry) => taskOf(fieldsOf(entry))) : tasks;
    }
    case 'TodoWrite':
      return listOf(input['todos']).map((entry, index) => {
        const todo = fieldsOf(entry);
        return { id: String(index), subject: textOf(todo['content']) ?? '', status: statusOf(todo['status']) };
      });
    default:
      return tasks;
  }
}

export function planOf(tasks: readonly PlanTask[]): PlanStep[] {
  return tasks.map(({ subject, status }) => ({ step: subject, status }));
}

/** A task as claude's tools and its files of tasks have it. */
export function taskOf(task: Fields): PlanTask {
  return { id: textOf(task['id']) ?? '', subject: textOf(task['subject']) ?? '', status: statusOf(task['status']) };
}

function tasksAfterCreation(tasks: readonly PlanTask[], input: Fields, result: ToolResult, created: Fields): readonly PlanTask[] {
  const said = result.content.find((block) => block.type === 'text')?.text ?? '';
  const id = textOf(created['id']) ?? /^Task #(\S+) created/.exec(said)?.[1];
  if (id === undefined) return tasks;
  const subject = textOf(created['subject']) ?? textOf(input['subject']) ?? '';
  return [...tasks.filter((task) => task.id !== id), { id, subject, status: 'pending' }];
}

function tasksAfterUpdate(tasks: readonly PlanTask[], input: Fields): readonly PlanTask[] {
  const id = textOf(input['taskId']) ?? '';
  if (!tasks.some((task) => task.id === id)) return tasks;
  if (input['status'] === 'deleted') return tasks.filter((task) => task.id !== id);
  return tasks.map((task) => {
    if (task.id !== id) return task;
    const status = textOf(input['status']) === undefined ? task.status : statusOf(input['status']);
    return { ...task, subject: textOf(input['subject']) ?? task.subject, status };
  });
}

function statusOf(status: unknown): PlanStep['status'] {
  return statuses[textOf(status) ?? ''] ?? 'pending';
}
