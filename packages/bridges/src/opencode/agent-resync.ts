// Owns what is asked of opencode after a gap in its events: the turn's messages, its sub-agents', the open questions and
// whether it works at all.

import { fieldsOf, listOf } from '@heddle/bridge-kit';
import type { StateAfterGap } from './history/after-gap.ts';
import { readStoredMessages } from './history/stored-turns.ts';
import { readPermissionRequest, readQuestionRequest, readStatus } from './native.ts';
import { readSession } from './native-session.ts';
import type { OpencodeApi } from './server/api.ts';

export interface ResyncOptions {
  api: OpencodeApi;
  sessionId: string;
  directory: string;
  /** The message that has begun the turn. */
  first: string | undefined;
}

export async function stateAfterGap({ api, sessionId, directory, first }: ResyncOptions): Promise<StateAfterGap> {
  const messagesOf = async (id: string) => readStoredMessages(await api.find(`/session/${id}/message`, { directory }));
  // Asked first: what begins meanwhile is told by the events. A session at rest is not among those that opencode tells of.
  const status = readStatus(fieldsOf(await api.get('/session/status', { directory }))[sessionId]) ?? { type: 'idle' as const };
  const sessions = listOf(await api.find(`/session/${sessionId}/children`, { directory })).flatMap((each) => readSession(each) ?? []);
  const children = await Promise.all(sessions.map(async (session) => ({ session, messages: await messagesOf(session.id) })));
  const messages = await messagesOf(sessionId);
  const permissions = listOf(await api.get('/permission', { directory })).flatMap((each) => readPermissionRequest(each) ?? []);
  const questions = listOf(await api.get('/question', { directory })).flatMap((each) => readQuestionRequest(each) ?? []);
  return { first, messages, children, permissions, questions, status };
}
