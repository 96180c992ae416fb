// Owns where claude keeps the conversations of a session's sub-agents: in a folder beside its transcript, two files
// each. Older claudes, which wrote them elsewhere, are not looked after. Source: claude 2.1.197, measured.

import { entriesOf, type Fields, fieldsOf, textOf } from '@heddle/bridge-kit';
import { cp, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const transcriptName = /^agent-([\w-]+)\.jsonl$/;

/** What claude notes of a sub-agent beside its conversation. */
export interface SubAgentNote {
  agentId: string;
  /** The call that has started it. */
  toolUseId: string | undefined;
  type: string | null;
  description: string | null;
}

/** The folder with a session's sub-agents. @param sessionPath of its transcript */
export function subAgentFolder(sessionPath: string): string {
  return join(sessionPath.slice(0, -'.jsonl'.length), 'subagents');
}

/** The transcript of the session that a sub-agent works for. @param path of the sub-agent's */
export function sessionPathOf(path: string): string {
  return `${dirname(dirname(path))}.jsonl`;
}

/** Paths of the transcripts in such a folder. */
export async function subAgentsIn(folder: string): Promise<{ agentId: string; path: string }[]> {
  return (await entriesOf(folder)).flatMap(({ name }) => {
    const agentId = transcriptName.exec(name)?.[1];
    return agentId === undefined ? [] : [{ agentId, path: join(folder, name) }];
  });
}

/** @param path of a sub-agent's transcript */
export async function readSubAgentNote(path: string): Promise<SubAgentNote> {
  const note = await readFile(notePath(path), 'utf8').then(fieldsOfText, () => ({}));
  return {
    agentId: transcriptName.exec(basename(path))?.[1] ?? '',
    toolUseId: textOf(fieldsOf(note)['toolUseId']),
    type: textOf(fieldsOf(note)['agentType']) ?? null,
    description: textOf(fieldsOf(note)['description']) ?? null,
  };
}

export async function removeSubAgent(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(notePath(path), { force: true });
}

/** All of a session's sub-agents, for a session that was copied from it: those of sub-agents are not named in it. */
export async function copySubAgents(fromSession: string, toSession: string): Promise<void> {
  const folder = subAgentFolder(fromSession);
  if ((await subAgentsIn(folder)).length > 0) await cp(folder, subAgentFolder(toSession), { recursive: true });
}

function notePath(path: string): string {
  return `${path.slice(0, -'.jsonl'.length)}.meta.json`;
}

function fieldsOfText(text: string): Fields {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return {}; // just being written
  }
}
