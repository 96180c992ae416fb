// Owns what a stored conversation tells of sub-agents: which call has started which, and the turns of one.

import { fieldsOf, inTurns, textOf } from '@heddle/bridge-kit';
import { blocksOf } from '../native-content.ts';
import { toolKind } from '../translate/tool-kinds.ts';
import type { TurnEntries } from './conversation.ts';
import { readSubAgentNote, sessionPathOf, subAgentFolder, subAgentsIn } from './sub-agent-files.ts';
import { type Entry, readTranscript, type Transcript } from './transcript.ts';

/** The sub-agents that results of calls name. */
function namedAgents(entries: Iterable<Entry>): Map<string, string> {
  const agents = new Map<string, string>();
  for (const { type, fields } of entries) {
    const agentId = type === 'user' ? textOf(fieldsOf(fields['toolUseResult'])['agentId']) : undefined;
    if (agentId === undefined) continue;
    for (const block of blocksIn(fields)) if (block.type === 'toolResult') agents.set(block.toolUseId, agentId);
  }
  return agents;
}

/**
 * claude's ids of the sub-agents whose calls have no result that names them: a call that was cut off, or one of another
 * sub-agent. Their notes are read only when there is such a call. @param sessionPath of the session's transcript
 */
export async function otherAgents(entries: readonly Entry[], sessionPath: string): Promise<Map<string, string>> {
  const named = namedAgents(entries);
  const calls = entries.flatMap(({ type, fields }) => (type === 'assistant' ? blocksIn(fields) : []));
  const isOpen = calls.some((block) => block.type === 'toolUse' && toolKind(block) === 'subAgent' && !named.has(block.id));
  if (!isOpen) return new Map();
  const notes = await inTurns(await subAgentsIn(subAgentFolder(sessionPath)), ({ path }) => readSubAgentNote(path));
  return new Map(
    notes.flatMap(({ agentId, toolUseId }): [string, string][] =>
      toolUseId === undefined || named.has(toolUseId) ? [] : [[toolUseId, agentId]],
    ),
  );
}

/** The turns of a sub-agent: one for each call that has sent it on. @param path of its transcript */
export async function readTurnsOfSubAgent(path: string, { entries }: Transcript): Promise<TurnEntries[]> {
  const { agentId, toolUseId } = await readSubAgentNote(path);
  const resumes = entries.some(isCoordinators) ? await readResumes(sessionPathOf(path), agentId) : [];
  const turns: TurnEntries[] = [];
  for (const entry of entries) {
    const resume = isCoordinators(entry) ? resumes.find(({ fromMs, toMs }) => entry.timeMs >= fromMs && entry.timeMs <= toMs) : undefined;
    const call = resume?.toolUseId ?? (turns.length === 0 ? (toolUseId ?? agentId) : undefined);
    if (call === undefined) turns.at(-1)?.entries.push(entry);
    else {
      turns.push({ begin: { kind: 'call', toolUseId: call }, entries: [entry], after: entry.parentUuid, previous: turns.at(-1) });
    }
  }
  return turns;
}

/** Whether it is a message of the agent that a sub-agent works for. */
function isCoordinators({ type, fields }: Entry): boolean {
  return type === 'user' && fieldsOf(fields['origin'])['kind'] === 'coordinator';
}

/**
 * The calls that have sent a sub-agent on after it was done, with the time between a call and its result: its own
 * transcript has a message then, but not whose call that was.
 */
async function readResumes(sessionPath: string, agentId: string): Promise<{ toolUseId: string; fromMs: number; toMs: number }[]> {
  const { entries } = await readTranscript(sessionPath).catch(() => ({ entries: [] as Entry[] }));
  const calledAtMs = new Map<string, number>();
  for (const { type, fields, timeMs } of entries) {
    if (type === 'assistant') for (const block of blocksIn(fields)) if (block.type === 'toolUse') calledAtMs.set(block.id, timeMs);
  }
  return entries.flatMap(({ type, fields, timeMs: toMs }) => {
    if (type !== 'user' || fieldsOf(fields['toolUseResult'])['resumedAgentId'] !== agentId) return [];
    const result = blocksIn(fields).find((block) => block.type === 'toolResult');
    if (result === undefined) return [];
    return [{ toolUseId: result.toolUseId, fromMs: calledAtMs.get(result.toolUseId) ?? toMs, toMs }];
  });
}

function blocksIn(fields: Entry['fields']) {
  return blocksOf(fieldsOf(fields['message'])['content']);
}
