// Owns one turn from `thread/start` to `turn/completed`, as a phone does it. How it looks is in render-turn.ts.

import type { AgentEvent, AgentSession } from '@heddle/client/node';
import { RpcError } from '@heddle/rpc';
import { type ClientMethod, type ClientParams, type ClientResult, HeddleError, type ThreadId, type Turn } from '@heddle/wire';

/** Whatever an agent says; that a session was begun anew is dealt with here. */
export type SaidEvent = Exclude<AgentEvent, { kind: 'reset' }>;

export interface TurnOptions {
  text: string;
  /** A folder on the agent's computer; its own choice when undefined. */
  cwd: string | undefined;
  /** Ends the turn when it is aborted. */
  interrupted: AbortSignal;
  /** Everything that concerns the thread, in order; the end of the turn included. */
  onEvent: (event: SaidEvent) => void;
}

/**
 * Runs a turn in a new thread and resolves when it has ended, however it ended.
 * @throws HeddleError `agent_unavailable` when the agent refuses; the reason of the session's end when it ends first.
 */
export async function runTurn(session: AgentSession, options: TurnOptions): Promise<Turn> {
  const events = session.events();
  const { thread } = await request(session, 'thread/start', options.cwd === undefined ? {} : { cwd: options.cwd });
  const { turn } = await request(session, 'turn/start', { threadId: thread.id, input: [{ type: 'text', text: options.text }] });
  const interrupt = () => {
    // A turn that has just ended can't be interrupted: then its end is on the way already.
    session.request('turn/interrupt', { threadId: thread.id, turnId: turn.id }).catch(() => {});
  };
  options.interrupted.addEventListener('abort', interrupt, { once: true });
  if (options.interrupted.aborted) interrupt();
  try {
    for await (const event of events) {
      if (event.kind === 'reset') {
        const found = event.threads.find(({ thread: { id } }) => id === thread.id)?.thread.turns.find(({ id }) => id === turn.id);
        if (found === undefined) throw new HeddleError('session_reset', 'the daemon was started anew and the turn is gone');
        if (found.status !== 'inProgress') return found;
        continue;
      }
      if (!concerns(event, thread.id)) continue;
      options.onEvent(event);
      if (event.method === 'turn/completed' && event.params.turn.id === turn.id) return event.params.turn;
    }
  } finally {
    options.interrupted.removeEventListener('abort', interrupt);
  }
  const { code, message, hint } = await session.closed;
  throw new HeddleError(code === 'closed' ? 'connection_lost' : code, `${message}, before the turn had ended`, { hint });
}

async function request<M extends ClientMethod>(session: AgentSession, method: M, params: ClientParams<M>): Promise<ClientResult<M>> {
  try {
    return await session.request(method, params);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    throw new HeddleError('agent_unavailable', `the agent refused ${method}: ${error.message}`, { cause: error });
  }
}

/** What names no thread is for everybody; other threads of the same agent are somebody else's. */
function concerns({ params }: SaidEvent, threadId: ThreadId): boolean {
  if (typeof params !== 'object' || params === null || !('threadId' in params)) return true;
  return params.threadId === threadId || params.threadId === null || params.threadId === undefined;
}
