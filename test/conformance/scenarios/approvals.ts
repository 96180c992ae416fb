// Scenarios: the agent asks before it acts, and does what it was told. What is checked is the disk, not the words.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { CommandExecutionItem, FileChangeItem, ThreadItem } from '@heddle/wire';
import { expect } from 'vitest';
import type { AgentUnderTest } from '../agent-under-test.ts';
import { noteApprovals } from '../capability-sheet.ts';
import type { ConformanceClient } from '../client.ts';
import { applyFileChange } from '../file-diff.ts';
import { scenario, type Stage } from '../stage.ts';

const marker = 'marker.txt';
export const markerCommand = `printf 'on disk' > ${marker} && echo it ran`;

export const hasRun = (folder: string): boolean => existsSync(path.join(folder, marker));

const commandOf = (items: ThreadItem[]) => items.find((item): item is CommandExecutionItem => item.type === 'commandExecution');
const fileChangeOf = (items: ThreadItem[]) => items.find((item): item is FileChangeItem => item.type === 'fileChange');

export function defineApprovals(agent: () => AgentUnderTest): void {
  scenario(agent, 'a command that is accepted runs', async (stage) => {
    const { client, cwd, turnId, question } = await askForCommand(stage);
    expect(question.params.command).toContain(marker);
    expect(question.params.cwd).toBe(cwd);
    expect(hasRun(cwd)).toBe(false);
    question.answer({ decision: 'accept' });
    const turn = await client.turnEnd(turnId);
    expect(turn.status).toBe('completed');
    expect(readFileSync(path.join(cwd, marker), 'utf8')).toBe('on disk');
    const command = commandOf(client.completedItems(turnId));
    expect(command).toMatchObject({ id: question.params.itemId, status: 'completed', exitCode: 0 });
    expect(command?.aggregatedOutput?.trimEnd()).toBe('it ran'); // not every agent tells of the last line break
  });

  scenario(agent, 'a command that is declined does not run, and the turn goes on', async (stage) => {
    const { client, cwd, turnId, question } = await askForCommand(stage);
    question.answer({ decision: 'decline' });
    const turn = await client.turnEnd(turnId);
    expect(turn.status).toBe('completed');
    expect(hasRun(cwd)).toBe(false);
    expect(commandOf(client.completedItems(turnId))).toMatchObject({ id: question.params.itemId, status: 'declined', exitCode: null });
    noteApprovals(stage.agent);
  });

  scenario(agent, 'a command that is cancelled does not run, and the turn ends', async (stage) => {
    const { client, cwd, threadId, turnId, question } = await askForCommand(stage);
    question.answer({ decision: 'cancel' });
    const turn = await client.turnEnd(turnId);
    expect(turn).toMatchObject({ status: 'interrupted', error: null, items: [] });
    expect(hasRun(cwd)).toBe(false);
    expect(await client.runTurn(threadId, stage.agent.prompts.text('Still here.'))).toMatchObject({ status: 'completed' });
  });

  scenario(agent, 'a file is added and changed as the diff said', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    for (const prompt of [stage.agent.prompts.addFile(), stage.agent.prompts.changeFile()]) {
      const { id } = await client.startTurn(thread.id, prompt);
      const question = await client.question('item/fileChange/requestApproval', id);
      const { changes } = startedFileChange(client, question.params.itemId);
      expect(changes.length).toBeGreaterThan(0);
      const wanted = changes.map((change) => ({ file: change.path, content: applyFileChange(contentOf(change.path), change) }));
      question.answer({ decision: 'accept' });
      const turn = await client.turnEnd(id);
      expect(turn.status).toBe('completed');
      expect(wanted.map(({ file }) => ({ file, content: contentOf(file) }))).toEqual(wanted);
      expect(wanted.every(({ file }) => file.startsWith(cwd))).toBe(true);
      expect(fileChangeOf(client.completedItems(id))).toMatchObject({ id: question.params.itemId, status: 'completed', changes });
      const diff = client.seen('turn/diff/updated').findLast(({ turnId }) => turnId === id)?.diff;
      for (const { file } of wanted) expect(diff).toContain(path.basename(file));
    }
  });

  scenario(agent, 'a file change that is declined leaves the disk alone', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const { id } = await client.startTurn(thread.id, stage.agent.prompts.addFile());
    const question = await client.question('item/fileChange/requestApproval', id);
    const { changes } = startedFileChange(client, question.params.itemId);
    question.answer({ decision: 'decline' });
    expect(await client.turnEnd(id)).toMatchObject({ status: 'completed' });
    for (const change of changes) expect(contentOf(change.path)).toBeUndefined();
    expect(fileChangeOf(client.completedItems(id))).toMatchObject({ id: question.params.itemId, status: 'declined' });
    expect(client.seen('turn/diff/updated').filter(({ diff }) => diff !== '')).toEqual([]);
  });
}

/** A turn that has come to the question about the marker command. */
export async function askForCommand(stage: Stage) {
  const client = await stage.connect('A');
  const { thread, cwd } = await stage.startThread(client);
  const { id: turnId } = await client.startTurn(thread.id, stage.agent.prompts.command(markerCommand));
  const question = await client.question('item/commandExecution/requestApproval', turnId);
  return { client, cwd, threadId: thread.id, turnId, question };
}

function startedFileChange(client: ConformanceClient, itemId: string): FileChangeItem {
  const item = client.seen('item/started').find((params) => params.item.id === itemId)?.item;
  if (item?.type !== 'fileChange') throw new Error(`the approval is about ${itemId}, which is ${item?.type ?? 'no item'}`);
  return item;
}

const contentOf = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
