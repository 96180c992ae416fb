// Owns the way from a transcript to what the hub wants of it, for a session and for a sub-agent's thread.

import type { StoredHistory, StoredThread } from '@heddle/bridge-kit';
import type { TurnId } from '@heddle/wire';
import { conversationOf } from './conversation.ts';
import { historyOf } from './stored-turns.ts';
import { sessionPathOf } from './sub-agent-files.ts';
import { otherAgents, readTurnsOfSubAgent } from './sub-agent-turns.ts';
import { readTranscript } from './transcript.ts';

/** @throws when the file can not be read */
export async function readHistory(
  { id, cwd, path, subAgent }: StoredThread & { path: string },
  liveTurnIds: ReadonlyMap<string, TurnId>,
): Promise<StoredHistory> {
  const isSubAgents = subAgent !== undefined;
  const transcript = await readTranscript(path, isSubAgents ? 'subAgent' : 'session');
  const turns = isSubAgents ? await readTurnsOfSubAgent(path, transcript) : conversationOf(transcript).turns;
  const agentIds = await otherAgents(transcript.entries, isSubAgents ? sessionPathOf(path) : path);
  return historyOf(turns, { threadId: id, cwd, liveTurnIds, agentIds });
}
